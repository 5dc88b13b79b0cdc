import Foundation
import Postgres
import Testing

@Suite("Arrays") struct ArrayTests {
    private func expectRoundTrip<Value: PostgresEncodable & PostgresDecodable & Equatable>(
        _ value: Value, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let connection = try await TestServer.connect()
        let row = try #require(try await connection.query("select \(value), \(nil as Value?)").first)
        let (echo, null) = try row.decode(Value.self, Value?.self)
        #expect(echo == value, sourceLocation: sourceLocation)
        #expect(null == nil, sourceLocation: sourceLocation)
    }

    @Test("Arrays of every type come back as they were sent, empty ones and NULLs too")
    func roundTrips() async throws {
        try await expectRoundTrip(["a", "", "NULL", "{\"x\",'y'}", "ü\\"])
        try await expectRoundTrip([nil, "a", nil, ""] as [String?])
        try await expectRoundTrip([nil] as [Int?])
        try await expectRoundTrip([] as [String])
        try await expectRoundTrip([] as [UUID?])
        try await expectRoundTrip([1, .max, .min])
        try await expectRoundTrip([1, nil] as [Int32?])
        try await expectRoundTrip([true, nil, false] as [Bool?])
        try await expectRoundTrip([UUID(), nil, UUID()] as [UUID?])
        try await expectRoundTrip([Date(timeIntervalSince1970: 1.25), nil] as [Date?])
        try await expectRoundTrip([Data([1, 0]), nil, Data()] as [Data?])
        try await expectRoundTrip([PostgresJSON(text: "{}"), nil] as [PostgresJSON?])
    }

    @Test("Many rows are written in one statement by unnest, and found by any")
    func unnest() async throws {
        let connection = try await TestServer.connect()
        try await connection.executeScript(
            "create temp table people (id uuid primary key, name varchar(20), units integer, note jsonb, at timestamptz)"
        )
        let ids = (0..<500).map { _ in UUID() }
        let names = ids.indices.map { $0.isMultiple(of: 3) ? nil : "name \($0)" }
        let inserted = try await connection.execute(
            """
            insert into people
            select * from unnest(\(ids), \(names)::text[], \(Array(ids.indices)),
                \(ids.map { _ in PostgresJSON(text: "{}") }), \(ids.map { _ in Date() }))
            """)
        #expect(inserted == 500)
        let wanted = Array(ids[10..<20])
        let rows = try await connection.query(
            "select id, name, units from people where id = any(\(wanted)) order by units")
        let people = try rows.map { try $0.decode(UUID.self, String?.self, Int.self) }
        #expect(people.map(\.0) == wanted)
        #expect(people.map(\.1) == Array(names[10..<20]))
        #expect(people.map(\.2) == Array(10..<20))
        #expect(try await connection.query("select 1 from people where id = any(\([] as [UUID]))").isEmpty)
    }

    @Test("Arrays of several dimensions and NULLs for elements that cannot be nil are errors")
    func unreadable() async throws {
        let connection = try await TestServer.connect()
        let rows = try await connection.query("select '{{1,2},{3,4}}'::int[] as grid, '{1,null}'::int[] as gap")
        let row = try #require(rows.first)
        #expect(throws: PostgresDecodingError.self) { try row["grid", as: [Int].self] }
        let error = #expect(throws: PostgresDecodingError.self) { try row["gap", as: [Int].self] }
        #expect(error?.reason == .null)
        #expect(error?.column == "gap")
        #expect(try row["gap", as: [Int?].self] == [1, nil])
    }
}

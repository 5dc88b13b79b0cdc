import Foundation
import Postgres
import Testing

@Suite("Values") struct ValueTests {
    /// Sends the value and its NULL, and expects them back.
    private func expectRoundTrip<Value: PostgresEncodable & PostgresDecodable & Equatable>(
        _ values: [Value], sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let connection = try await TestServer.connect()
        for value in values {
            let row = try #require(try await connection.query("select \(value), \(nil as Value?)").first)
            let (echo, null) = try row.decode(Value.self, Value?.self)
            #expect(echo == value, sourceLocation: sourceLocation)
            #expect(null == nil, sourceLocation: sourceLocation)
        }
        await connection.close()
    }

    @Test("Numbers and truth values come back as they were sent")
    func numbers() async throws {
        try await expectRoundTrip([true, false])
        try await expectRoundTrip([0, -1, 42, .max, .min])
        try await expectRoundTrip([0, -1, Int32.max, .min])
    }

    @Test("Text comes back as it was sent, whatever characters it has")
    func text() async throws {
        try await expectRoundTrip([
            "", "a", "O'Brien", "\\", #"\\x41 " ' "" '' $1 %s"#, "NULL", "{a,b}", "naïve 日本語 👩‍👩‍👧 \u{10FFFF}", "\n\t\r",
            "'; drop table users; --", String(repeating: "x", count: 100_000),
        ])
    }

    @Test("Bytes, UUIDs and JSON come back as they were sent")
    func bytes() async throws {
        try await expectRoundTrip([Data(), Data([0, 1, 0x27, 0x5c, 0xff]), Data(count: 70_000)])
        try await expectRoundTrip([UUID(), UUID(uuidString: "00000000-0000-0000-0000-000000000000")!])
        try await expectRoundTrip([PostgresJSON(text: #"{"a": [1, null, "\\ \" ü"]}"#), PostgresJSON(text: "null")])
    }

    @Test("Moments come back to the microsecond")
    func moments() async throws {
        try await expectRoundTrip(
            [0, 1, -1, 0.000_001, -0.000_001, 1_790_000_000.123_456, -62_135_596_800, 64_092_211_200].map(
                Date.init(timeIntervalSince1970:)) + [.distantFuture])
        let connection = try await TestServer.connect()
        let moment = Date(timeIntervalSince1970: 1_791_797_404.123_456_7)
        let row = try await connection.query("select (\(moment) at time zone 'UTC')::text").first
        #expect(try #require(row).decode(String.self) == "2026-10-12 09:30:04.123457")
        let parsed = try await connection.query("select '0001-01-01 00:00:00.000001+00'::timestamptz").first
        let seconds = try #require(try parsed?.decode(Date.self)).timeIntervalSince1970
        #expect(abs(seconds - -62_135_596_800) < 0.0001)
    }

    @Test("Moments that PostgreSQL cannot hold are refused", arguments: [1e15, -1e15])
    func impossibleMoments(seconds: Double) async throws {
        let connection = try await TestServer.connect()
        let error = await #expect(throws: PostgresError.self) {
            try await connection.query("select \(Date(timeIntervalSinceReferenceDate: seconds))")
        }
        #expect(error?.sqlState == "22008")
    }

    @Test("Its infinity is read as the distant future, or past")
    func infinity() async throws {
        let connection = try await TestServer.connect()
        let row = try await connection.query("select timestamptz 'infinity', timestamptz '-infinity'").first
        let (later, earlier) = try #require(row).decode(Date.self, Date.self)
        #expect(later == .distantFuture && earlier == .distantPast)
    }

    private enum Status: String, PostgresArrayElement, PostgresDecodable {
        case active, expired
    }

    @Test("Enumerations with raw values are bound and read by them")
    func enumerations() async throws {
        try await expectRoundTrip([Status.active, .expired])
        try await expectRoundTrip([[Status.active, .expired], []])
        let connection = try await TestServer.connect()
        let row = try #require(try await connection.query("select 'paused'").first)
        #expect(throws: PostgresDecodingError.self) { try row.decode(Status.self) }
    }

    @Test("An integer is read from narrower columns, and is written to and compared with them")
    func integers() async throws {
        let connection = try await TestServer.connect()
        try await connection.executeScript("create temp table numbers (small smallint, plain integer, big bigint)")
        let count = try await connection.execute("insert into numbers values (\(1), \(2), \(3))")
        #expect(count == 1)
        try await connection.execute("update numbers set plain = plain + \(40) where small = \(1) and plain = \(2)")
        let row = try #require(try await connection.query("select small, plain, big from numbers").first)
        #expect(try row.decode(Int.self, Int.self, Int.self) == (1, 42, 3))
        let (small, plain, big) = try row.decode(Int32.self, Int32.self, Int.self)
        #expect((small, plain, big) == (Int32(1), Int32(42), 3))
    }

    @Test("Text is read from every type that is text")
    func textualTypes() async throws {
        let connection = try await TestServer.connect()
        try await connection.executeScript("create type pg_temp.mood as enum ('fine')")
        let rows = try await connection.query(
            """
            select 'a'::text, 'b'::varchar(3), 'c'::char(2), 'd'::name, 'e'::"char", '"f"'::json, '"g"'::jsonb,
                'fine'::pg_temp.mood, array['fine'::pg_temp.mood]
            """)
        let row = try #require(rows.first)
        let values = try row.decode(
            String.self, String.self, String.self, String.self, String.self, String.self, String.self, String.self,
            [String].self)
        #expect([values.0, values.1, values.2, values.3, values.4] == ["a", "b", "c ", "d", "e"])
        #expect([values.5, values.6, values.7] + values.8 == ["\"f\"", "\"g\"", "fine", "fine"])
    }
}

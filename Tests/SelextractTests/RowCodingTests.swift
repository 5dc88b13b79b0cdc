import Foundation
import Selextract
import Testing

@Suite("Rows as JSON")
struct RowCodingTests {
    static let encoder: JSONEncoder = {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }()

    /// The JSON of a row, which must be read as the same row.
    private func json<Row: Codable & Equatable>(_ row: Row) throws -> String {
        let data = try Self.encoder.encode(row)
        #expect(try JSONDecoder().decode(Row.self, from: data) == row)
        return String(decoding: data, as: UTF8.self)
    }

    @Test("A user reads like its row: columns, ISO 8601 moments, UUIDs in lower case")
    func user() throws {
        var user = Sample.user()
        user.googleID = "g-1"
        #expect(
            try json(user) == """
                {"compute_units_remaining":1000,"compute_units_reset_date":"2026-10-12T12:00:00.000Z",\
                "created_at":"2026-10-12T12:00:00.000Z","email":"ada@example.com","google_id":"g-1",\
                "id":"ab000000-0000-4000-8000-000000000001","is_active":true,"subscription_tier":"starter",\
                "updated_at":"2026-10-12T12:00:00.000Z"}
                """)
    }

    @Test("A task reads like its row")
    func task() throws {
        var task = Sample.task()
        task.scheduledAt = Sample.noon + 0.25
        #expect(
            try json(task) == """
                {"compute_units_consumed":0,"config":{"target_url":"https://example.com/"},\
                "created_at":"2026-10-12T12:00:00.000Z","estimated_compute_units":1,\
                "id":"ab000000-0000-4000-8000-000000000002","name":"Books","priority":0,"progress":0,\
                "scheduled_at":"2026-10-12T12:00:00.250Z","status":"pending","task_type":"simple_scraping",\
                "updated_at":"2026-10-12T12:00:00.000Z","user_id":"ab000000-0000-4000-8000-000000000001"}
                """)
    }

    @Test("The other rows read like theirs")
    func others() throws {
        let log = TaskLog(
            id: Sample.id(6), taskID: Sample.id(2), level: .warning, message: "slow", metadata: ["ms": 1200],
            timestamp: Sample.noon)
        #expect(
            try json(log) == """
                {"id":"ab000000-0000-4000-8000-000000000006","level":"warning","message":"slow","metadata":{"ms":1200},\
                "task_id":"ab000000-0000-4000-8000-000000000002","timestamp":"2026-10-12T12:00:00.000Z"}
                """)
        let usage = UsageAnalytics(
            id: Sample.id(7), userID: Sample.id(1), date: UsageDay(containing: Sample.noon), tasksExecuted: 1,
            computeUnitsUsed: 2, apiCalls: 3, createdAt: Sample.noon)
        #expect(
            try json(usage) == """
                {"api_calls":3,"compute_units_used":2,"created_at":"2026-10-12T12:00:00.000Z","date":"2026-10-12",\
                "id":"ab000000-0000-4000-8000-000000000007","tasks_executed":1,\
                "user_id":"ab000000-0000-4000-8000-000000000001"}
                """)
        #expect(
            try json(Sample.plan()) == """
                {"created_at":"2026-10-12T12:00:00.000Z","id":"starter","is_active":true,"max_concurrent_tasks":3,\
                "monthly_compute_units":1000,"name":"Starter","price_cents":1900}
                """)
        var subscription = Sample.subscription(provider: "123")
        subscription.renewsAt = Sample.noon
        #expect(try json(subscription).contains("\"lemon_squeezy_subscription_id\":\"123\""))
        let key = APIKey(
            id: Sample.id(5), userID: Sample.id(1), name: "CI", keyHash: "00ff", keyPrefix: "slx_abcdef",
            lastUsedAt: Sample.noon, createdAt: Sample.noon)
        #expect(try json(key).contains("\"key_prefix\":\"slx_abcdef\",\"last_used_at\":\"2026-10-12T12:00:00.000Z\""))
    }

    @Test(
        "A moment is read from any spelling of ISO 8601 that databases and programs write",
        arguments: [
            ("2026-10-12T12:00:00Z", 0), ("2026-10-12T12:00:00.000Z", 0), ("2026-10-12T12:00:00+00:00", 0),
            ("2026-10-12T14:00:00+02:00", 0), ("2026-10-12T06:30:00-05:30", 0), ("2026-10-12 12:00:00+00:00", 0),
            ("2026-10-12T12:00:00.5Z", 0.5), ("2026-10-12T12:00:00.123456+00:00", 0.123456),
            ("2026-10-12T12:00:00.123456789Z", 0.123456), ("2026-10-13T01:00:00+13:00", 0),
        ])
    func moments(text: String, seconds: Double) throws {
        #expect(try read(text) == Sample.noon + seconds)
    }

    @Test(
        "What is no moment is refused",
        arguments: [
            "", "2026-10-12", "2026-10-12T12:00:00", "2026-10-12T12:00Z", "2026-10-12T24:00:00Z",
            "2026-10-12T12:60:00Z", "2026-10-12T12:00:60Z", "2026-02-30T12:00:00Z", "2026-10-12T12:00:00.Z",
            "2026-10-12T12:00:00.1234567890Z", "2026-10-12T12:00:00z", "2026-10-12T12:00:00+2:00",
            "2026-10-12T12:00:00+0200", "2026-10-12T12:00:00ZZ", "2026-10-12T12-00:00Z", "2026-10-12T12:00-00Z",
        ])
    func notMoments(text: String) {
        #expect(throws: DecodingError.self) { try read(text) }
    }

    @Test(
        "A moment with microseconds is read as it was written, at any time", arguments: 1...300 as ClosedRange<UInt64>)
    func microseconds(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let micros = Int.random(in: -2_000_000_000_000_000...4_000_000_000_000_000, using: &random)
        let (seconds, rest) = (micros / 1_000_000, micros % 1_000_000)
        let date = Date(timeIntervalSinceReferenceDate: Double(seconds) + Double(rest) / 1e6)
        var user = Sample.user()
        user.createdAt = date
        let read = try JSONDecoder().decode(User.self, from: JSONEncoder().encode(user))
        #expect(abs(read.createdAt.timeIntervalSince(date)) < 0.000_000_5)
        let again = try JSONDecoder().decode(User.self, from: JSONEncoder().encode(read))
        #expect(again == read)
    }

    @Test(
        "Moments at the edge of the calendar and of rounding are written",
        arguments: [
            (Sample.noon + 0.9999996, "2026-10-12T12:00:01.000Z"),
            (Sample.noon - 0.0000001, "2026-10-12T12:00:00.000Z"),
            (Sample.noon + 0.0005, "2026-10-12T12:00:00.000500Z"),
            (Date(timeIntervalSince1970: -0.5), "1969-12-31T23:59:59.500Z"),
            (Date(timeIntervalSince1970: .infinity), "9999-12-31T23:59:59.000Z"),
            (Date(timeIntervalSince1970: -.infinity), "0001-01-01T00:00:00.000Z"),
        ])
    func edges(date: Date, text: String) throws {
        var user = Sample.user()
        user.createdAt = date
        #expect(String(decoding: try JSONEncoder().encode(user), as: UTF8.self).contains("\"created_at\":\"\(text)\""))
    }

    @Test("An unknown status of a task or level of a log is refused", arguments: ["", "done", "Pending", "PENDING"])
    func unknownCase(text: String) {
        let json = Data("[\"\(text)\"]".utf8)
        #expect(throws: DecodingError.self) { try JSONDecoder().decode([ScrapingTask.Status].self, from: json) }
        #expect(throws: DecodingError.self) { try JSONDecoder().decode([TaskLog.Level].self, from: json) }
    }

    @Test("Levels are ordered by how much they matter")
    func levels() {
        #expect(TaskLog.Level.allCases.reversed().sorted() == [.debug, .info, .warning, .error])
    }

    @Test(
        "A plan's price is in dollars",
        arguments: [(0, "0", true), (1900, "19", false), (1999, "19.99", false), (5, "0.05", false)])
    func price(cents: Int, dollars: String, isFree: Bool) {
        let plan = Sample.plan(cents: cents)
        #expect("\(plan.price)" == dollars)
        #expect(plan.isFree == isFree)
    }

    private func read(_ text: String) throws -> Date {
        let json = try json(Sample.subscription()).replacing(
            "\"created_at\":\"2026-10-12T12:00:00.000Z\"", with: "\"created_at\":\"\(text)\"")
        return try JSONDecoder().decode(UserSubscription.self, from: Data(json.utf8)).createdAt
    }
}

import Databases
import Foundation
import Storage
import Synchronization
import TestSupport
import Testing

/// A statement, and how the database goes about it.
struct QueryPlan: Hashable, CustomStringConvertible {
    var sql: String
    /// Large tables that are read from one end to the other without an index.
    var wholeTables: [String]
    /// The plan in the database's own words.
    var text: String

    var description: String { "\(wholeTables.joined(separator: ", ")) in\n\(sql)\n\(text)" }
}

extension TestDatabase {
    /// The plans of all that a store runs while `body` works with it. `generic`: PostgreSQL plans without looking at the
    /// values.
    ///
    /// - Parameters:
    ///   - readTimeout: the store's, as the console has one.
    ///   - before: what is done on the same connection before.
    func plans(
        generic: Bool = false, readTimeout: Duration? = nil, before: (Store) async throws -> Void = { _ in },
        _ body: (Store) async throws -> Void
    ) async throws -> [QueryPlan] {
        switch kind {
        case .postgreSQL: try await postgresPlans(generic, readTimeout, before: before, body)
        case .sqlite: try await sqlitePlans(body)
        }
    }

    private func run(
        url: String? = nil, readTimeout: Duration? = nil, _ body: (Store) async throws -> Void
    ) async throws -> [String] {
        let log = StatementLog()
        let store = try open(url: url) { configuration in
            configuration.observe = { sql, _, _ in log.note(sql) }
            configuration.readTimeout = readTimeout
            (configuration.poolSize, configuration.maxOverflow) = (1, 0)
        }
        do {
            try await body(store)
        } catch {
            await store.close()
            throw error
        }
        await store.close()
        return log.all
    }

    // MARK: PostgreSQL

    /// The server's own module writes the plan of each statement of a connection into its log, as it was run.
    private func postgresPlans(
        _ generic: Bool, _ readTimeout: Duration?, before: (Store) async throws -> Void,
        _ body: (Store) async throws -> Void
    ) async throws -> [QueryPlan] {
        let data = try #require(ProcessInfo.processInfo.environment["TEST_POSTGRES_DATA"], "run make test")
        let log = URL(fileURLWithPath: data).deletingLastPathComponent().appendingPathComponent("server.log")
        let settings = [
            "session_preload_libraries=auto_explain", "auto_explain.log_min_duration=0", "auto_explain.log_format=json",
            "auto_explain.log_nested_statements=on", "auto_explain.log_analyze=on", "auto_explain.log_timing=off",
            "auto_explain.log_buffers=on",
            "plan_cache_mode=\(generic ? "force_generic_plan" : "force_custom_plan")",
        ]
        let options =
            settings.map { "-c \($0)" }.joined(separator: " ")
            .addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        let file = try FileHandle(forReadingFrom: log)
        var begin: UInt64 = 0
        _ = try await run(url: "\(url)?options=\(options)", readTimeout: readTimeout) { store in
            try await before(store)
            begin = try file.seekToEnd()
            try await body(store)
        }
        try file.seek(toOffset: begin)
        let text = String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
        // A message begins with the name of its database, so that nothing of another test is taken for this one's; what it
        // goes on with is indented.
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let documents = lines.indices.filter { lines[$0].contains(" \(name) LOG:") && lines[$0].hasSuffix("plan:") }
            .map { lines[($0 + 1)...].prefix { $0.hasPrefix("\t") }.joined() }
        return try documents.map { document in
            let object = try JSONSerialization.jsonObject(with: Data(document.utf8)) as? [String: Any]
            let plan = try #require(object?["Plan"] as? [String: Any])
            return QueryPlan(
                sql: object?["Query Text"] as? String ?? "", wholeTables: Self.wholeTables(plan), text: document)
        }
    }

    /// Those read in their own order, and those of which an index was walked through.
    private static func wholeTables(_ node: [String: Any]) -> [String] {
        let inner = (node["Plans"] as? [[String: Any]] ?? []).flatMap(wholeTables)
        func number(_ name: String) -> Double { (node[name] as? Double) ?? 0 }
        // The rows that an index alone finds, before they are compared with those of another.
        if let index = node["Index Name"] as? String, node["Node Type"] as? String == "Bitmap Index Scan",
            number("Actual Rows") > 5000
        {
            return [index] + inner
        }
        // Among joins beside a scan that is switched off, but is the only way, one is as dear as another: that of a large
        // table is made by chance.
        if node["Join Type"] != nil, number("Total Cost") > switchedOff,
            let large = relations(node).first(where: { !Crowd.small.contains($0) })
        {
            return [large] + inner
        }
        guard let type = node["Node Type"] as? String, let table = node["Relation Name"] as? String,
            !Crowd.small.contains(table)
        else { return inner }
        let visited = number("Actual Rows") + number("Rows Removed by Filter")
        let pages = (number("Shared Hit Blocks") + number("Shared Read Blocks")) / max(1, number("Actual Loops"))
        let isWalk = visited > 5000 || !type.hasPrefix("ModifyTable") && pages > 200 + 10 * visited
        return type.hasSuffix("Seq Scan") || isWalk ? [table] + inner : inner
    }

    /// What PostgreSQL adds to the cost of a step that a setting switches off.
    private static let switchedOff = 1e10

    private static func relations(_ node: [String: Any]) -> [String] {
        let own = (node["Relation Name"] as? String).map { [$0] } ?? []
        return own + (node["Plans"] as? [[String: Any]] ?? []).flatMap(relations)
    }

    // MARK: SQLite

    private func sqlitePlans(_ body: (Store) async throws -> Void) async throws -> [QueryPlan] {
        let statements = Set(try await run(body)).filter { sql in
            ["select", "with", "insert", "update", "delete"].contains { sql.hasPrefix($0) }
        }
        var plans: [QueryPlan] = []
        for sql in statements {
            let lines = try await explain(sql)
            let tokens = sql.split { $0.isWhitespace || "(),".contains($0) }.filter { $0 != "as" }.map(String.init)
            let whole = lines.compactMap { line -> String? in
                let words = line.split(separator: " ").map(String.init)
                guard words.first == "SCAN", words.count > 1, !line.contains(" USING ") else { return nil }
                // The newest of the inbox, in the table's own order.
                if words[1] == "webhook_events", sql.contains("order by arrival desc") { return nil }
                // A name of the statement's own may stand for a table: it comes right behind it.
                let tables = zip(tokens, tokens.dropFirst()).filter { $0.1 == words[1] }.map(\.0)
                return ([words[1]] + tables).first { Crowd.large.contains($0) }
            }
            plans.append(QueryPlan(sql: sql, wholeTables: whole, text: lines.joined(separator: "\n")))
        }
        return plans
    }
}

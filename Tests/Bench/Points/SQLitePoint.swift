import Foundation
import GRDB

/// The same webhooks on SQLite, beside those on PostgreSQL.
struct SQLitePoint {
    let stage: Stage
    /// The clock is slow to look at more.
    private let accounts = 3000

    func measure() throws {
        for connections in [16, 64] {
            stage.bench.note("SQLite over \(connections) connections")
            let file = stage.bench.place("database.sqlite3")
            defer { for end in ["", "-wal", "-shm"] { unlink(file + end) } }
            let url = "sqlite:" + file
            try Service(bench: stage.bench, url: url).stop()
            try write(
                file,
                """
                with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < \(accounts))
                insert into users (id, email)
                select '00000000-0000-4000-8000-' || printf('%012x', n), 'account-' || n || '@example.com' from numbers
                """)
            try Service.command(["tick"], bench: stage.bench, url: url, seconds: 300)
            let load = try stage.withService(
                url, connections: connections, atMost: stage.bench.scaled(40_000), accounts: accounts
            ) { service, deliveries in
                var load = try stage.post(deliveries, to: service, connections: connections) { try stored(file) }
                load.databaseCPU = nil
                return load
            }
            stage.bench.table.add(
                "webhooks on SQLite, \(connections) connections", load, beside: "on PostgreSQL",
                try stage.webhooks(connections).load, remarks: "\(load.count) events, all 200 and stored")
        }
    }

    private func write(_ file: String, _ sql: String) throws {
        try DatabaseQueue(path: file).write { try $0.execute(sql: sql) }
    }

    private func stored(_ file: String) throws -> Int {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        return try DatabaseQueue(path: file, configuration: configuration).read {
            try Int.fetchOne($0, sql: "select count(*) from webhook_events") ?? 0
        }
    }
}

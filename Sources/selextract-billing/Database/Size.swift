import ArgumentParser
import Foundation
import Storage

struct Stats: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Counts what is stored: rows by table, and by status, outcome and the like.")

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let statistics = try await withStore { store, _ in try await store.statistics() }
        try output.print {
            $0.list(
                "tables", [Column("table") { Cell($0.name) }, Column("rows") { Cell($0.rows) }], statistics.tables)
            $0.list("shares", Self.columns, statistics.shares)
            $0.value("size_bytes", Cell(statistics.size))
            $0.note("size: \(statistics.size.formatted(.byteCount(style: .file)))")
        }
    }

    private static let columns: [Column<DatabaseStatistics.Share>] = [
        Column("table") { Cell($0.table) },
        Column("column") { Cell($0.column) },
        Column("value") { Cell($0.value) },
        Column("rows") { Cell($0.rows) },
    ]
}

struct Vacuum: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Gives free what deleted and changed rows have left, and renews the planner's statistics.",
        discussion: """
            PostgreSQL does so by itself (autovacuum), and works on meanwhile. A SQLite file is written anew: that takes as \
            much space again, and a service that uses it has to wait.
            """)

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let (before, after) = try await withStore { store, _ in try await store.vacuum() }
        try output.print {
            $0.value("size_bytes_before", Cell(before))
            $0.value("size_bytes_after", Cell(after))
            let (old, new) = (before.formatted(.byteCount(style: .file)), after.formatted(.byteCount(style: .file)))
            $0.note("The database's size was \(old), and is \(new).")
        }
    }
}

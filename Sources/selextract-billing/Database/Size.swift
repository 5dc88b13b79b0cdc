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

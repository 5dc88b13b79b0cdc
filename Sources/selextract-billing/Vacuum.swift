import ArgumentParser
import Foundation
import Storage

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

public import ArgumentParser
public import Billing
import Databases
public import Foundation
import Storage

/// Text for people, or JSON for programs.
struct OutputOptions: ParsableArguments {
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, json
    }

    @Option(help: "How to print.")
    var format: Format = .text

    func print(_ document: Document) throws {
        let bytes = format == .json ? try document.json : Data(document.text.utf8)
        try FileHandle.standardOutput.write(contentsOf: bytes)
    }

    func print(_ build: (inout Document) -> Void) throws {
        var document = Document()
        build(&document)
        try print(document)
    }
}

/// Which part of a long list is printed.
struct PageOptions: ParsableArguments {
    @Option(help: "How many rows at most.")
    var limit = 50

    @Option(help: ArgumentHelp("Go on behind a page: what it named as next.", valueName: "cursor"))
    var before: CursorArgument?

    mutating func validate() throws {
        guard (1...10_000).contains(limit) else { throw ValidationError("--limit must be from 1 to 10000.") }
    }

    /// Reads one row more than are shown, which tells whether there is a next page.
    func read<Row: Sendable>(
        _ rows: (_ limit: Int, _ before: Cursor?) async throws -> Listing<Row>, cursor: (Row) -> Cursor
    ) async throws -> Page<Row> {
        let found = try await rows(limit + 1, before?.cursor)
        let shown = Listing(Array(found.entries.prefix(limit)), further: found.further)
        let next = found.entries.count > limit ? shown.end(cursor) : nil
        return Page(rows: shown.rows, next: next, unreadable: shown.unreadable)
    }
}

/// A part of a long list.
struct Page<Row: Sendable>: Sendable {
    let rows: [Row]
    /// nil: this is the end.
    let next: Cursor?
    /// Rows of this part that cannot be shown.
    let unreadable: [UnreadableRow]
}

extension Document {
    mutating func page<Row>(_ key: String, _ columns: [Column<Row>], _ page: Page<Row>) {
        list(key, columns, page.rows)
        value("next", Cell(page.next.map { CursorArgument(cursor: $0).text }))
        if let next = page.next { note("more: --before \(CursorArgument(cursor: next).text)") }
        unreadable(page.unreadable)
    }
}

/// A cursor as it is written on the command line: microseconds since 1970, a dot, the id.
struct CursorArgument: ExpressibleByArgument {
    let cursor: Cursor

    init(cursor: Cursor) { self.cursor = cursor }

    init?(argument: String) {
        let parts = argument.split(separator: ".", maxSplits: 1)
        guard parts.count == 2, let microseconds = Int(parts[0]), let id = UUID(uuidString: String(parts[1]))
        else { return nil }
        cursor = Cursor(at: Date(timeIntervalSince1970: Double(microseconds) / 1_000_000), id: id)
    }

    var text: String {
        // Another program's date may lie further away than there are microseconds; the row is found by its id.
        "\(Int(exactly: (cursor.at.timeIntervalSince1970 * 1_000_000).rounded()) ?? 0).\(cursor.id.text)"
    }
}

// Types of other modules that may stand on the command line. Nothing can import this program, so that no other
// conformance can collide with these.

// swift-format-ignore: AvoidRetroactiveConformances
extension UUID: @retroactive ExpressibleByArgument {
    public init?(argument: String) { self.init(uuidString: argument) }
}

extension Outcome: ExpressibleByArgument {}

// swift-format-ignore: AvoidRetroactiveConformances
extension Date: @retroactive ExpressibleByArgument {
    /// ISO-8601, with a time zone: `2026-11-12T09:30:00Z`.
    public init?(argument: String) {
        guard let date = try? Date(argument, strategy: .iso8601) else { return nil }
        self = date
    }
}

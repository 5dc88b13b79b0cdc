public import Databases

/// The rows of a list: those that can be read, and the names of those that cannot, so that one row ends no list.
public struct Listing<Row: Sendable>: Sendable, RandomAccessCollection {
    /// In the order asked for.
    public let entries: [Result<Row, UnreadableRow>]
    /// What could be read.
    public let rows: [Row]
    /// The rest. Whoever shows a list says so.
    public let unreadable: [UnreadableRow]
    /// Of these, rows that only belong to those of the list.
    public let further: [UnreadableRow]

    public init(_ entries: [Result<Row, UnreadableRow>], further: [UnreadableRow] = []) {
        self.entries = entries
        self.further = further
        rows = entries.compactMap { try? $0.get() }
        unreadable =
            entries.compactMap { entry in
                if case .failure(let row) = entry { row } else { nil }
            } + further
    }

    public var startIndex: Int { rows.startIndex }
    public var endIndex: Int { rows.endIndex }

    public subscript(position: Int) -> Row { rows[position] }
}

extension Listing: Equatable where Row: Equatable {}

extension Listing: ExpressibleByArrayLiteral {
    public init(arrayLiteral rows: Row...) { self.init(rows.map { .success($0) }) }
}

extension DatabaseDriver {
    /// What is committed, as far as it can be read.
    func list<Row: Sendable>(_ query: Query<Row>) async throws -> Listing<Row> {
        Listing(try await fetch(query.each))
    }
}

import Schema

/// What a database consists of, as its own system tables tell: tables, columns, constraints, and what else statements
/// depend on.
public struct SchemaSnapshot: Sendable, Hashable {
    /// The server's major version, which decides how it spells expressions; 0 where that does not matter.
    public let version: Int
    /// Kind by kind, and within a kind table by table.
    public let entries: [Entry]

    /// - Parameter entries: in any order.
    public init(version: Int, entries: [Entry]) {
        self.version = version
        self.entries = entries.sorted { ($0.order, $0.name, $0.definition) < ($1.order, $1.name, $1.definition) }
    }
}

extension SchemaSnapshot.Entry {
    fileprivate var order: String {
        let place = Kind.allCases.firstIndex(of: kind) ?? 0
        return "\(place + 10) \(table ?? "")"
    }
}

extension SchemaSnapshot {
    /// What the migrations of this program make on PostgreSQL.
    public static let postgreSQL = SchemaSnapshot(text: Schema.postgreSQLSnapshot)
    /// What the migrations of this program make on SQLite.
    public static let sqlite = SchemaSnapshot(text: Schema.sqliteSnapshot)

    /// The names of the tables, in their order.
    public var tables: [String] { names(.table) }
    /// The names of the views, in their order.
    public var views: [String] { names(.view) }
    /// The functions with the types of their parameters, in order of their names.
    public var functions: [String] { names(.function) }

    private func names(_ kind: Entry.Kind) -> [String] { entries.filter { $0.kind == kind }.map(\.name) }
}

extension SchemaSnapshot {
    /// One line an entry: kind, table, name, definition, with tabs between them. Spelled as they are, entries hold neither
    /// tabs nor line ends.
    public var text: String {
        let lines = entries.map { entry in
            var parts = [entry.kind.rawValue, entry.table ?? "", entry.name, entry.definition]
            while parts.last == "" { parts.removeLast() }
            return parts.joined(separator: "\t")
        }
        let head = ["# Made by the tests from a freshly migrated database; not to be edited.", "server\t\(version)"]
        return (head + lines).map { $0 + "\n" }.joined()
    }

    /// Reads such lines; what is none is left out.
    public init(text: String) {
        var version = 0
        var entries: [Entry] = []
        for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
            let parts = fields.map { String(Substring($0)) } + ["", "", ""]
            if parts[0] == "server" {
                version = Int(parts[1]) ?? 0
            } else if let kind = Entry.Kind(rawValue: parts[0]) {
                let table = parts[1].isEmpty ? nil : parts[1]
                entries.append(Entry(kind: kind, table: table, name: parts[2], definition: parts[3]))
            }
        }
        self.init(version: version, entries: entries)
    }
}

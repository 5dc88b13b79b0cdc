import Schema

/// What a database consists of, as its own catalogue tells.
struct Catalogue {
    /// The server's major version, which decides how it spells expressions; 0 where that does not matter.
    var version: Int
    var entries: [CatalogueEntry]

    init(version: Int, entries: [CatalogueEntry]) {
        self.version = version
        self.entries = entries.sorted { ($0.order, $0.name, $0.definition) < ($1.order, $1.name, $1.definition) }
    }
}

extension CatalogueEntry {
    /// Kind by kind, and within a kind table by table.
    fileprivate var order: String {
        let place = Kind.allCases.firstIndex(of: kind) ?? 0
        return "\(place + 10) \(table ?? "")"
    }
}

extension Catalogue {
    /// What the migrations of this program make, on either database.
    static var postgreSQL: Catalogue { Catalogue(text: Schema.postgreSQLCatalogue) }
    static var sqlite: Catalogue { Catalogue(text: Schema.sqliteCatalogue) }

    /// The tables of this program, in order of their names.
    var tables: [String] { entries.filter { $0.kind == .table }.map(\.name) }

    /// One line an entry: kind, table, name, definition, with tabs between them. Spelled as they are, entries hold neither
    /// tabs nor line ends.
    var text: String {
        let lines = entries.map { entry in
            var parts = [entry.kind.rawValue, entry.table ?? "", entry.name, entry.definition]
            while parts.last == "" { parts.removeLast() }
            return parts.joined(separator: "\t")
        }
        let head = ["# Made by the tests from a freshly migrated database; not to be edited.", "server\t\(version)"]
        return (head + lines).map { $0 + "\n" }.joined()
    }

    init(text: String) {
        var version = 0
        var entries: [CatalogueEntry] = []
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) + ["", "", ""]
            if parts[0] == "server" {
                version = Int(parts[1]) ?? 0
            } else if let kind = CatalogueEntry.Kind(rawValue: parts[0]) {
                let table = parts[1].isEmpty ? nil : parts[1]
                entries.append(CatalogueEntry(kind: kind, table: table, name: parts[2], definition: parts[3]))
            }
        }
        self.init(version: version, entries: entries)
    }
}

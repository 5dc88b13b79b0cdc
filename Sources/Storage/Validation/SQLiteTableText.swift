/// What only the text of a table tells on SQLite: checks, computed columns, and how it counts.
struct SQLiteTableText {
    /// Columns and constraints, each with its tokens.
    private let items: [ArraySlice<String>]

    init(_ text: SQLText) {
        let tokens = text.tokens
        guard let open = tokens.firstIndex(of: "("), let close = tokens.lastIndex(of: ")"), open < close else {
            items = []
            return
        }
        var items: [ArraySlice<String>] = []
        var depth = 0
        var start = open + 1
        for index in start..<close {
            switch tokens[index] {
            case "(": depth += 1
            case ")": depth -= 1
            case "," where depth == 0:
                items.append(tokens[start..<index])
                start = index + 1
            default: break
            }
        }
        self.items = items + [tokens[start..<close]]
    }

    /// The table itself and its checks; of columns only what has to be added to what the catalogue says of them.
    func entries(of table: String, isStrict: Bool) -> [CatalogueEntry] {
        var entries = [
            CatalogueEntry(kind: .table, table: table, name: table, definition: isStrict ? "strict table" : "table")
        ]
        for item in items {
            for word in item.indices where item[word] == "check" {
                guard let expression = Self.parenthesized(item[(word + 1)...]) else { continue }
                let text = SQLText(tokens: Array(expression)).description
                entries.append(CatalogueEntry(kind: .check, table: table, name: text, definition: ""))
            }
            guard let name = item.first else { continue }
            var more = item.contains("autoincrement") ? " autoincrement" : ""
            if let word = item.firstIndex(of: "as"), let expression = Self.parenthesized(item[(word + 1)...]) {
                let kind = item.contains("stored") ? "stored" : "virtual"
                more += " generated always as (\(SQLText(tokens: Array(expression)))) \(kind)"
            }
            if !more.isEmpty {
                let column = name.hasPrefix("\"") ? String(name.dropFirst().dropLast()) : name
                entries.append(CatalogueEntry(kind: .column, table: table, name: column, definition: more))
            }
        }
        return entries
    }

    /// What stands in the parentheses that follow.
    private static func parenthesized(_ tokens: ArraySlice<String>) -> ArraySlice<String>? {
        guard tokens.first == "(" else { return nil }
        var depth = 0
        for index in tokens.indices {
            if tokens[index] == "(" { depth += 1 }
            if tokens[index] == ")" { depth -= 1 }
            if depth == 0 { return tokens[(tokens.startIndex + 1)..<index] }
        }
        return nil
    }
}

import Foundation

/// What a command prints, before it is text or JSON.
struct Document {
    /// In order.
    private(set) var parts: [Part] = []

    enum Part {
        /// One thing: a line for each property.
        case record(String, [(key: String, title: String, cell: Cell)]?)
        /// Many of a kind.
        case list(String, table: TextTable, rows: [[String: Cell]])
        case value(String, Cell)
        /// For people only.
        case note(String)
    }

    mutating func record<Row>(_ key: String, _ columns: [Column<Row>], _ row: Row?) {
        parts.append(.record(key, row.map { row in columns.map { ($0.key, $0.title, $0.cell(row)) } }))
    }

    mutating func list<Row>(_ key: String, _ columns: [Column<Row>], _ rows: [Row]) {
        let cells = rows.map { row in
            Dictionary(columns.map { ($0.key, $0.cell(row)) }) { first, _ in first }
        }
        parts.append(.list(key, table: TextTable(columns, rows), rows: cells))
    }

    mutating func value(_ key: String, _ cell: Cell) { parts.append(.value(key, cell)) }
    mutating func note(_ text: String) { parts.append(.note(text)) }

    /// For people. A document of one part needs no heading.
    var text: String {
        let headings = parts.filter(\.hasHeading).count > 1
        return parts.map { $0.text(withHeading: headings) }.filter { !$0.isEmpty }.joined(separator: "\n")
    }

    /// One object, its keys sorted, ending with a newline.
    var json: Data {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            return try encoder.encode(self) + Data("\n".utf8)
        }
    }
}

extension Document.Part {
    fileprivate var hasHeading: Bool {
        switch self {
        case .record, .list: true
        case .value, .note: false
        }
    }

    fileprivate func text(withHeading: Bool) -> String {
        switch self {
        case .record(_, nil), .value: return ""
        case .record(let key, let properties?):
            let width = properties.map(\.title.count).max() ?? 0
            let lines = properties.map { property in
                property.title + String(repeating: " ", count: width - property.title.count) + "  "
                    + (property.cell.description.isEmpty ? "-" : property.cell.description) + "\n"
            }
            return (withHeading ? "[\(key)]\n" : "") + lines.joined()
        case .list(let key, let table, let rows):
            let title = key.split(separator: "_").joined(separator: " ")
            if rows.isEmpty { return withHeading ? "[\(title)]\nnone\n" : "no \(title)\n" }
            return (withHeading ? "[\(title)]\n" : "") + table.text
        case .note(let note): return note + "\n"
        }
    }
}

extension Document: Encodable {
    private struct Key: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        for part in parts {
            switch part {
            case .record(let key, let properties):
                let object = properties.map { Dictionary($0.map { ($0.key, $0.cell) }) { first, _ in first } }
                try container.encode(object, forKey: Key(stringValue: key))
            case .list(let key, _, let rows): try container.encode(rows, forKey: Key(stringValue: key))
            case .value(let key, let cell): try container.encode(cell, forKey: Key(stringValue: key))
            case .note: break
            }
        }
    }
}

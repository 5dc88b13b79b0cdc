import Foundation
import ServiceSettings

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
            let text = String(decoding: try encoder.encode(self), as: UTF8.self)
            return Data((text.printableJSON + "\n").utf8)
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

/// Rows in columns as wide as they need to be; numbers stand on the right.
struct TextTable {
    private let titles: [String]
    private let cells: [[Cell]]

    init<Row>(_ columns: [Column<Row>], _ rows: [Row]) {
        let shown = columns.filter(\.isInTable)
        titles = shown.map(\.title)
        cells = rows.map { row in shown.map { $0.cell(row) } }
    }

    /// Each line ends with a newline, and none with a blank.
    var text: String {
        let texts = cells.map { $0.map(\.description) }
        let widths = titles.indices.map { column in
            ([titles[column]] + texts.map { $0[column] }).map(\.count).max() ?? 0
        }
        let isNumeric = titles.indices.map { column in cells.contains { $0[column].isNumber } }
        return ([titles] + texts).map { line in
            let padded = line.indices.map { column in
                let padding = String(repeating: " ", count: widths[column] - line[column].count)
                return isNumeric[column] ? padding + line[column] : line[column] + padding
            }
            let text = padded.joined(separator: "  ")
            return text.prefix(text.count - text.reversed().prefix { $0 == " " }.count) + "\n"
        }.joined()
    }
}

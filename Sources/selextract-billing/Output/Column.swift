import Foundation
import ServiceSettings

/// One property of a row: a column of a table, a line of a record, a key in JSON.
struct Column<Row>: Sendable {
    /// `snake_case`, stable: scripts rely on it.
    let key: String
    /// Whether a table shows it, too; records and JSON always do.
    let isInTable: Bool
    let cell: @Sendable (Row) -> Cell

    /// The heading in a table, where the key may be too long.
    let title: String

    init(
        _ key: String, title: String? = nil, inTable isInTable: Bool = true, _ cell: @escaping @Sendable (Row) -> Cell
    ) {
        self.key = key
        self.title = title ?? key.split(separator: "_").joined(separator: " ")
        self.isInTable = isInTable
        self.cell = cell
    }
}

/// A value that is printed: in a table as short text, in JSON with its type.
enum Cell: Sendable {
    case none
    case text(String)
    case number(Int)
    case flag(Bool)
    case time(Date)
    case list([String])

    init(_ text: String?) { self = text.map(Cell.text) ?? .none }
    init(_ number: Int?) { self = number.map(Cell.number) ?? .none }
    init(_ flag: Bool?) { self = flag.map(Cell.flag) ?? .none }
    init(_ time: Date?) { self = time.map(Cell.time) ?? .none }
    init(_ id: UUID?) { self = (id?.text).map(Cell.text) ?? .none }

    /// For people: times to the second.
    var description: String {
        switch self {
        case .none: ""
        case .text(let text): text.printable
        case .number(let number): String(number)
        case .flag(let flag): flag ? "yes" : "no"
        case .time(let time): time.formatted(.iso8601)
        case .list(let texts): texts.map(\.printable).joined(separator: ", ")
        }
    }

    var isNumber: Bool {
        if case .number = self { true } else { false }
    }
}

extension Cell: Encodable {
    /// Times are ISO-8601 in UTC, with milliseconds.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .none: try container.encodeNil()
        case .text(let text): try container.encode(text)
        case .number(let number): try container.encode(number)
        case .flag(let flag): try container.encode(flag)
        case .time(let time):
            try container.encode(time.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
        case .list(let texts): try container.encode(texts)
        }
    }
}

extension UUID {
    /// As the databases print it.
    var text: String { uuidString.lowercased() }
}

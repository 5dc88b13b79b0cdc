import Foundation

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

extension String {
    /// Without control characters: what a stranger typed at a checkout must not steer the operator's terminal.
    var printable: String {
        guard unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else { return self }
        return unicodeScalars.reduce(into: "") { text, scalar in
            if scalar.properties.generalCategory == .control {
                text += scalar.escaped(asASCII: true)
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
    }
}

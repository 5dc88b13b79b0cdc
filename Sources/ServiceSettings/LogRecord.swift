public import Foundation
public import Logging

/// An event that is logged, with all that its line shows.
public struct LogRecord: Sendable {
    public var time: Date
    public var level: Logger.Level
    /// The logger's.
    public var label: String
    /// The module that logs.
    public var source: String
    public var message: String
    public var metadata: Logger.Metadata

    /// The line, its end included.
    public func line(as format: Settings.LogFormat) -> String {
        switch format {
        case .text: text + "\n"
        case .json: json + "\n"
        }
    }

    /// `2026-11-12T09:30:00.125Z warning selextract-billing: count=3 [BillingServer] message`, without its end.
    private var text: String {
        let metadata = metadata.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        return "\(moment) \(level) \(label):\(metadata) [\(source)] \(message)".printable
    }

    /// One object: `time`, `level`, `logger`, `message`, then the metadata by its own names. Without its end.
    private var json: String {
        var members = metadata.mapValues(\.json)
        members["time"] = .text(moment)
        members["level"] = .text(level.rawValue)
        members["logger"] = .text(label)
        members["message"] = .text(message)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let line = try? encoder.encode(members) else {
            preconditionFailure("texts, and lists and objects of texts, can always be encoded")
        }
        return String(decoding: line, as: UTF8.self).printableJSON
    }

    /// UTC, with milliseconds.
    private var moment: String {
        time.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }
}

/// A value of the metadata, in the form in which it is written as JSON.
private indirect enum LogValue: Encodable {
    case text(String)
    case list([LogValue])
    case members([String: LogValue])

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .text(let text): try container.encode(text)
        case .list(let values): try container.encode(values)
        case .members(let members): try container.encode(members)
        }
    }
}

extension Logger.MetadataValue {
    fileprivate var json: LogValue {
        switch self {
        case .string(let text): .text(text)
        case .stringConvertible(let value): .text(value.description)
        case .array(let values): .list(values.map(\.json))
        case .dictionary(let members): .members(members.mapValues(\.json))
        @unknown default: .text(description)
        }
    }
}

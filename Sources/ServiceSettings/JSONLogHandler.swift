import Foundation
public import Logging

/// One JSON object a line: `time`, `level`, `logger`, `message`, then the metadata by its own names.
public struct JSONLogHandler: LogHandler {
    public var logLevel: Logger.Level = .info
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?

    private let label: String
    private let write: @Sendable (String) -> Void

    /// - Parameters:
    ///   - label: the `logger` of each line.
    ///   - write: takes each line, its end included; standard error if nothing else is given.
    public init(label: String, write: @escaping @Sendable (String) -> Void = Self.standardError) {
        self.label = label
        self.write = write
    }

    /// Writes a line to standard error, as it is.
    @Sendable
    public static func standardError(_ line: String) {
        FileHandle.standardError.write(Data(line.utf8))
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var merged = metadata
        merged.merge(metadataProvider?.get() ?? [:]) { $1 }
        merged.merge(event.metadata ?? [:]) { $1 }
        var members = merged.mapValues(\.json)
        members["time"] = .text(Date.now.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
        members["level"] = .text(event.level.rawValue)
        members["logger"] = .text(label)
        members["message"] = .text(event.message.description)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let line = try? encoder.encode(members) else { return }
        write(String(decoding: line, as: UTF8.self) + "\n")
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

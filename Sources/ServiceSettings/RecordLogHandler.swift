import Foundation
public import Logging

/// Makes a ``LogRecord`` of each event, and hands it on.
public struct RecordLogHandler: LogHandler {
    public var logLevel: Logger.Level = .info
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?

    private let label: String
    private let take: @Sendable (LogRecord) -> Void

    /// - Parameters:
    ///   - label: the `logger` of each record.
    ///   - take: takes each record, on the thread that logs.
    public init(label: String, _ take: @escaping @Sendable (LogRecord) -> Void) {
        self.label = label
        self.take = take
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var merged = metadata
        merged.merge(metadataProvider?.get() ?? [:]) { $1 }
        merged.merge(event.metadata ?? [:]) { $1 }
        take(
            LogRecord(
                time: .now, level: event.level, label: label, source: event.source,
                message: event.message.description, metadata: merged))
    }
}

import Logging

/// Drops the id with which Hummingbird marks a logger for each request, whether a line is written or not: to keep it would
/// cost as much as finding the route. The lines of a request have our own id, by ``IdentifiedContext/log``.
private struct RequestIDFilter: LogHandler {
    var base: any LogHandler

    var logLevel: Logger.Level {
        get { base.logLevel }
        set { base.logLevel = newValue }
    }
    var metadata: Logger.Metadata {
        get { base.metadata }
        set { base.metadata = newValue }
    }
    var metadataProvider: Logger.MetadataProvider? {
        get { base.metadataProvider }
        set { base.metadataProvider = newValue }
    }

    subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { base[metadataKey: key] }
        set { if key != "hb.request.id" { base[metadataKey: key] = newValue } }
    }

    func log(event: LogEvent) { base.log(event: event) }
}

extension Logger {
    /// The same logger for Hummingbird.
    var withoutRequestIDs: Logger {
        var logger = self
        logger.handler = RequestIDFilter(base: handler)
        return logger
    }
}

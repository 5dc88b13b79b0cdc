public import Logging

extension Settings {
    /// A logger to standard error, of the format and level that are set.
    public func logger(label: String = "selextract-billing") -> Logger {
        var logger = Logger(label: label) { label in
            switch logFormat {
            case .text: StreamLogHandler.standardError(label: label)
            case .json: JSONLogHandler(label: label)
            }
        }
        logger.logLevel = logLevel
        return logger
    }
}

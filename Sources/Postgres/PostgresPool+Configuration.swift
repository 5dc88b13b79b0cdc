extension PostgresPool {
    public struct Configuration: Sendable {
        /// What libpq understands: a URI, or keywords and values. Never printed.
        public var url: String
        /// Connections that stay open, once they have been needed.
        public var size = 10
        /// Connections beyond `size` that are opened under load and closed after it.
        public var maxOverflow = 20
        /// How long a caller waits for a connection, whether all are in use or a new one is being made.
        public var timeout: Duration = .seconds(30)
        /// How many callers may wait; further ones are turned away at once.
        public var queueLength = Int.max
        /// The age at which a connection is replaced by a new one.
        public var recycle: Duration = .seconds(3600)
        /// A connection idle for longer is tried with a `select 1` before it is lent.
        public var checkAfterIdle: Duration = .seconds(1)
        /// Called after each statement, never with values. It runs on the connection's queue: it must not block.
        public var observe: PostgresConnection.Observer?

        public init(url: String) {
            self.url = url
        }
    }

    /// How the connections are at this moment.
    public struct Statistics: Equatable, Sendable {
        /// All connections, those being opened or closed included.
        public var size: Int
        public var idle: Int
        public var leased: Int
        /// Callers that wait for a connection.
        public var waiting: Int
    }
}

/// Why a pool has no connection to lend.
public enum PostgresPoolError: Error, Equatable, Sendable {
    /// All connections were in use for as long as the pool's time-out.
    case timedOut
    /// As many callers as may wait for a connection did.
    case queueFull
    /// The pool has been shut down.
    case shutDown
}

extension PostgresPoolError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .timedOut: "no database connection became free in time"
        case .queueFull: "all database connections are in use, and too many callers wait for one"
        case .shutDown: "the database connection pool has been shut down"
        }
    }
}

/// How a database answers.
public struct DatabaseHealth: Sendable, Hashable {
    /// The connections to the server at this moment.
    public struct Pool: Sendable, Hashable {
        /// All, those being opened or closed included.
        public var size: Int
        public var idle: Int
        public var leased: Int
        /// Callers that wait for a connection.
        public var waiting: Int
    }

    /// How long it took to get a connection and two answers.
    public var latency: Duration
    /// nil: there is none, as on SQLite.
    public var pool: Pool?

    package init(latency: Duration, pool: Pool?) {
        self.latency = latency
        self.pool = pool
    }
}

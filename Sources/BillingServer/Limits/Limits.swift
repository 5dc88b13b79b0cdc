/// What the listener allows before it refuses.
public struct Limits: Sendable {
    /// Bytes of one body; more is answered 413.
    public var bodySize = 1 << 20
    /// From a request's head to the end of its body, even if pieces of it keep coming; then it is answered 408.
    public var bodyDeadline: Duration = .seconds(10)
    /// Bytes of all bodies together that are being read or wait for their commit; more is answered 503.
    public var heldBytes = 64 << 20
    /// Bytes of those among them that are larger than ``smallBodySize``. The rest is for small ones alone.
    public var heldLargeBytes = 48 << 20
    /// Up to so many bytes a body is small.
    public var smallBodySize = 64 << 10
    /// Open connections. A further one takes the place of the one that has been idle longest; if none is idle, what comes
    /// on it is answered 503.
    public var connections = 1024
    /// After this a connection is closed if no request is under way, or if its headers have not come to an end.
    public var idleTimeout: Duration = .seconds(30)
    /// After this a connection ends with the next answer, or at once if no request is under way.
    public var connectionLife: Duration = .seconds(300)
    /// The answer to so many requests ends a connection.
    public var requestsPerConnection = 1000
    /// A connection is closed if answers wait to be sent and for so long its client has taken nothing.
    public var writeDeadline: Duration = .seconds(10)
    /// Deliveries that wait for a commit; further ones are answered 503.
    public var queueLength = 10_000
    /// Deliveries of one transaction.
    public var batchSize = 200
    /// Bytes of the bodies of one transaction.
    public var batchBytes = 8 << 20
    /// How many API keys that are none an address may send in a minute; further ones are answered 429.
    public var wrongKeysAMinute = 60
    /// How long a batch may take, and all that it is taken apart into; then its deliveries, and those that wait behind it,
    /// are answered 503.
    public var commitDeadline: Duration = .seconds(8)
    /// How long a delivery waits for an account that another transaction holds; then it is stored as `failed`, `busy`.
    public var heldPatience: Duration = .seconds(2)
    /// How long requests that were accepted may take after the signal to stop.
    public var shutdownDeadline: Duration = .seconds(30)

    public init() {}
}

/// What is measured; the names that Prometheus sees.
struct Metric: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        case counter, gauge
        /// With the upper bounds of its buckets.
        case histogram([Double])
    }

    let name: String
    let kind: Kind
    let help: String

    static let deliveries = Metric(
        name: "selextract_deliveries_total", kind: .counter, help: "Authentic deliveries stored, by their answer.")
    static let signatureFailures = Metric(
        name: "selextract_signature_failures_total", kind: .counter, help: "Deliveries without a valid signature.")
    static let undurable = Metric(
        name: "selextract_deliveries_not_stored_total", kind: .counter,
        help: "Authentic deliveries that could not be made durable and were answered 503.")
    static let requestDuration = Metric(
        name: "selextract_http_request_duration_seconds", kind: .histogram(durations),
        help: "From a request's head to its answer, by route and status code.")
    static let batchSize = Metric(
        name: "selextract_inbox_batch_size", kind: .histogram([1, 2, 5, 10, 20, 50, 100, 200]),
        help: "Deliveries that shared a transaction.")
    static let batchDuration = Metric(
        name: "selextract_inbox_batch_duration_seconds", kind: .histogram(durations),
        help: "Duration of a transaction of the inbox.")
    static let tickFailures = Metric(
        name: "selextract_clock_failures_total", kind: .counter, help: "Runs of the clock that failed.")
    static let queueDepth = Metric(
        name: "selextract_inbox_queue_depth", kind: .gauge, help: "Deliveries that wait for a transaction.")
    static let heldBytes = Metric(
        name: "selextract_body_bytes_held", kind: .gauge, help: "Bytes of bodies being read or waiting.")
    static let connections = Metric(
        name: "selextract_connections_open", kind: .gauge, help: "Open connections of the public port.")
    static let signatureMismatch = Metric(
        name: "selextract_signature_mismatch", kind: .gauge,
        help: "1 while three deliveries or more had no valid signature, and none has had one since the start.")
    static let idleConnections = Metric(
        name: "selextract_database_connections_idle", kind: .gauge,
        help: "Connections to the database that wait for use.")
    static let leasedConnections = Metric(
        name: "selextract_database_connections_leased", kind: .gauge, help: "Connections to the database in use.")
    static let waitingCallers = Metric(
        name: "selextract_database_callers_waiting", kind: .gauge, help: "Who waits for a connection to the database.")

    private static let durations = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
}

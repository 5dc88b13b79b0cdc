import Billing

/// Counters and histograms of this process, in Prometheus' text format. Nothing of the text is made before it is asked for.
public final class Metrics: Sendable {
    /// By the answer's status.
    let deliveries = LabelledCounter(
        label: "status", values: Outcome.allCases.map(\.rawValue) + [WebhookController.duplicate])
    let signatureFailures = Counter()
    let undurable = Counter()
    let tickFailures = Counter()
    let batchSize = Histogram(bounds: [1, 2, 5, 10, 20, 50, 100, 200])
    let batchDuration = Histogram(bounds: Metrics.durations)
    let requestDurations = RequestDurations(routes: Metrics.routes, bounds: Metrics.durations)

    private static let durations = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
    private static let controllers: [any Controller.Type] = [
        WebhookController.self, CatalogueController.self, AccountController.self, AdminController.self,
    ]
    private static let routes = controllers.flatMap { $0.methods.map(\.key) }

    public init() {}

    // MARK: Text

    /// All that was counted and observed, and `gauges`, which are read at this moment. Metrics and their lines are in
    /// order of their names; what never happened is left out.
    func text(gauges: [(Metric, Int)]) -> String {
        var lines = Self.lines(.tickFailures, [("", tickFailures)])
        lines += Self.lines(.undurable, [("", undurable)])
        lines += Self.lines(
            .deliveries, deliveries.counters.map { ("\(deliveries.label)=\"\($0)\"", $1) })
        lines += Self.lines(.signatureFailures, [("", signatureFailures)])
        lines += Self.lines(
            .requestDuration,
            requestDurations.observed.map { ("route=\"\($0.route)\",code=\"\($0.status)\"", $0.histogram) })
        lines += Self.lines(.batchDuration, [("", batchDuration)])
        lines += Self.lines(.batchSize, [("", batchSize)])
        for (metric, value) in gauges { lines += Self.head(metric) + ["\(metric.name) \(value)"] }
        return lines.joined(separator: "\n") + "\n"
    }

    /// An instrument for each text of labels. Their values are never input from outside, so that none needs escaping.
    private typealias Series<Instrument> = [(labels: String, instrument: Instrument)]

    private static func lines(_ metric: Metric, _ series: Series<Counter>) -> [String] {
        let lines = series.sorted { $0.labels < $1.labels }.compactMap { labels, counter in
            let count = counter.value
            return count > 0 ? "\(metric.name)\(braces(labels)) \(count)" : nil
        }
        return lines.isEmpty ? [] : head(metric) + lines
    }

    private static func lines(_ metric: Metric, _ series: Series<Histogram>) -> [String] {
        let lines = series.sorted { $0.labels < $1.labels }.flatMap { Self.lines(metric, $0.labels, $0.instrument) }
        return lines.isEmpty ? [] : head(metric) + lines
    }

    private static func lines(_ metric: Metric, _ labels: String, _ histogram: Histogram) -> [String] {
        var count = 0
        var lines: [String] = []
        for (bound, bucket) in zip(histogram.bounds.map { "\($0)" } + ["+Inf"], histogram.buckets) {
            count += bucket.value
            let le = (labels.isEmpty ? "" : labels + ",") + "le=\"\(bound)\""
            lines.append("\(metric.name)_bucket{\(le)} \(count)")
        }
        guard count > 0 else { return [] }
        lines.append("\(metric.name)_sum\(braces(labels)) \(histogram.sum)")
        lines.append("\(metric.name)_count\(braces(labels)) \(count)")
        return lines
    }

    private static func head(_ metric: Metric) -> [String] {
        ["# HELP \(metric.name) \(metric.help)", "# TYPE \(metric.name) \(metric.kind)"]
    }

    private static func braces(_ labels: String) -> String {
        labels.isEmpty ? "" : "{\(labels)}"
    }
}

/// What is measured, as Prometheus sees it.
struct Metric: Sendable {
    enum Kind: String, Sendable {
        case counter, gauge, histogram
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
        name: "selextract_http_request_duration_seconds", kind: .histogram,
        help: "From a request's head to its answer, by route and status code.")
    static let batchSize = Metric(
        name: "selextract_inbox_batch_size", kind: .histogram,
        help: "Deliveries that shared a transaction.")
    static let batchDuration = Metric(
        name: "selextract_inbox_batch_duration_seconds", kind: .histogram,
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
}

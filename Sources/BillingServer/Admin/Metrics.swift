import Synchronization

/// Counters and histograms of this process, in Prometheus' text format.
public final class Metrics: Sendable {
    typealias Labels = KeyValuePairs<String, String>

    private struct Histogram {
        /// Of each bucket alone, not cumulated; the last is for values beyond all bounds.
        var counts: [Int]
        var sum = 0.0
    }

    /// One line of a metric. Its text is made when it is asked for, not for each request.
    private struct Series: Hashable {
        let metric: Metric
        let labels: Labels

        init(_ metric: Metric, _ labels: Labels) {
            self.metric = metric
            self.labels = labels
        }

        static func == (left: Series, right: Series) -> Bool {
            left.metric == right.metric && left.labels.elementsEqual(right.labels) { $0 == $1 }
        }

        func hash(into hasher: inout Hasher) {
            hasher.combine(metric)
            for (_, value) in labels { hasher.combine(value) }
        }
    }

    private struct State {
        var counters: [Series: Int] = [:]
        var histograms: [Series: Histogram] = [:]
    }

    private let state = Mutex(State())

    public init() {}

    func count(_ metric: Metric, by amount: Int = 1, labels: Labels = [:]) {
        state.withLock { $0.counters[Series(metric, labels), default: 0] += amount }
    }

    func observe(_ metric: Metric, _ value: Double, labels: Labels = [:]) {
        guard case .histogram(let bounds) = metric.kind else { return }
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        let series = Series(metric, labels)
        state.withLock { state in
            if state.histograms[series] == nil {
                state.histograms[series] = Histogram(counts: Array(repeating: 0, count: bounds.count + 1))
            }
            state.histograms[series]?.counts[bucket] += 1
            state.histograms[series]?.sum += value
        }
    }

    func observe(_ metric: Metric, _ duration: Duration, labels: Labels = [:]) {
        observe(metric, duration / .seconds(1), labels: labels)
    }

    func value(_ metric: Metric, labels: Labels = [:]) -> Int {
        state.withLock { $0.counters[Series(metric, labels)] ?? 0 }
    }

    // MARK: Text

    /// All that was counted and observed, and `gauges`, which are read at this moment.
    func text(gauges: [(Metric, Int)]) -> String {
        let state = state.withLock { $0 }
        var lines: [String] = []
        for (metric, values) in Self.byMetric(state.counters) {
            lines += Self.head(metric, type: "counter")
            lines += values.map { "\(metric.name)\(Self.braces($0.labels)) \($0.value)" }
        }
        for (metric, values) in Self.byMetric(state.histograms) {
            lines += Self.head(metric, type: "histogram")
            for (labels, histogram) in values { lines += Self.lines(metric, labels, histogram) }
        }
        for (metric, value) in gauges {
            lines += Self.head(metric, type: "gauge")
            lines.append("\(metric.name) \(value)")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The series of each metric, both in order of their names.
    private static func byMetric<Value>(
        _ series: [Series: Value]
    ) -> [(metric: Metric, values: [(labels: String, value: Value)])] {
        Dictionary(grouping: series, by: \.key.metric).sorted { $0.key.name < $1.key.name }.map { metric, values in
            (metric, values.map { (text($0.key.labels), $0.value) }.sorted { $0.0 < $1.0 })
        }
    }

    private static func head(_ metric: Metric, type: String) -> [String] {
        ["# HELP \(metric.name) \(metric.help)", "# TYPE \(metric.name) \(type)"]
    }

    private static func lines(_ metric: Metric, _ labels: String, _ histogram: Histogram) -> [String] {
        guard case .histogram(let bounds) = metric.kind else { return [] }
        var count = 0
        var lines: [String] = []
        for (bound, own) in zip(bounds.map { "\($0)" } + ["+Inf"], histogram.counts) {
            count += own
            let le = (labels.isEmpty ? "" : labels + ",") + "le=\"\(bound)\""
            lines.append("\(metric.name)_bucket{\(le)} \(count)")
        }
        lines.append("\(metric.name)_sum\(braces(labels)) \(histogram.sum)")
        lines.append("\(metric.name)_count\(braces(labels)) \(count)")
        return lines
    }

    /// Label values are never input from outside, so that none needs escaping.
    private static func text(_ labels: Labels) -> String {
        labels.map { "\($0)=\"\($1)\"" }.joined(separator: ",")
    }

    private static func braces(_ labels: String) -> String {
        labels.isEmpty ? "" : "{\(labels)}"
    }
}

/// What is measured; the names that Prometheus sees. A name tells it from all others.
struct Metric: Sendable, Hashable {
    enum Kind: Sendable {
        case counter, gauge
        /// With the upper bounds of its buckets.
        case histogram([Double])
    }

    let name: String
    let kind: Kind
    let help: String

    static func == (left: Metric, right: Metric) -> Bool { left.name == right.name }
    func hash(into hasher: inout Hasher) { hasher.combine(name) }

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

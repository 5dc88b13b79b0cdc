import Synchronization

/// Counters and histograms of this process, in Prometheus' text format.
public final class Metrics: Sendable {
    typealias Labels = KeyValuePairs<String, String>

    private struct Histogram {
        /// Of each bucket alone; the last is beyond all bounds.
        var counts: [Int]
        var sum = 0.0
    }

    private struct State {
        var counters: [Metric: [String: Int]] = [:]
        var histograms: [Metric: [String: Histogram]] = [:]
    }

    private let state = Mutex(State())

    public init() {}

    func count(_ metric: Metric, by amount: Int = 1, labels: Labels = [:]) {
        let labels = Self.text(labels)
        state.withLock { $0.counters[metric, default: [:]][labels, default: 0] += amount }
    }

    func observe(_ metric: Metric, _ value: Double, labels: Labels = [:]) {
        guard case .histogram(let bounds) = metric.kind else { return }
        let labels = Self.text(labels)
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        let empty = Histogram(counts: Array(repeating: 0, count: bounds.count + 1))
        state.withLock { state in
            state.histograms[metric, default: [:]][labels, default: empty].counts[bucket] += 1
            state.histograms[metric, default: [:]][labels, default: empty].sum += value
        }
    }

    func observe(_ metric: Metric, _ duration: Duration, labels: Labels = [:]) {
        observe(metric, duration / .seconds(1), labels: labels)
    }

    func value(_ metric: Metric, labels: Labels = [:]) -> Int {
        let labels = Self.text(labels)
        return state.withLock { $0.counters[metric]?[labels] ?? 0 }
    }

    // MARK: Text

    /// - Parameter gauges: what is read at this moment.
    func text(gauges: [(Metric, Int)]) -> String {
        let state = state.withLock { $0 }
        var lines: [String] = []
        for (metric, values) in state.counters.sorted(by: { $0.key.name < $1.key.name }) {
            lines += Self.head(metric, type: "counter")
            lines += values.sorted { $0.key < $1.key }.map { "\(metric.name)\(Self.braces($0)) \($1)" }
        }
        for (metric, values) in state.histograms.sorted(by: { $0.key.name < $1.key.name }) {
            lines += Self.head(metric, type: "histogram")
            for (labels, histogram) in values.sorted(by: { $0.key < $1.key }) {
                lines += Self.lines(metric, labels, histogram)
            }
        }
        for (metric, value) in gauges {
            lines += Self.head(metric, type: "gauge")
            lines.append("\(metric.name) \(value)")
        }
        return lines.joined(separator: "\n") + "\n"
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

    /// The values are words of this program: none needs escaping.
    private static func text(_ labels: Labels) -> String {
        labels.map { "\($0)=\"\($1)\"" }.joined(separator: ",")
    }

    private static func braces(_ labels: String) -> String {
        labels.isEmpty ? "" : "{\(labels)}"
    }
}

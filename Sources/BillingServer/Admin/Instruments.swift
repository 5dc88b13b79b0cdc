import HTTPTypes
import Synchronization

/// A number that only grows, counted without a lock.
final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    var value: Int { count.load(ordering: .relaxed) }

    func increment() { count.add(1, ordering: .relaxed) }
}

/// A counter for each value of a label. The values are known from the start, so that counting looks one up and nothing more.
struct LabelledCounter: Sendable {
    let label: String
    let counters: [String: Counter]

    init(label: String, values: [String]) {
        self.label = label
        counters = Dictionary(uniqueKeysWithValues: values.map { ($0, Counter()) })
    }

    /// Another value than those is not counted.
    func increment(_ value: String) { counters[value]?.increment() }
}

/// How many values fell into each bucket, and their sum, without a lock. Who reads amid an observation may find it in the
/// one and not yet in the other.
final class Histogram: Sendable {
    /// The upper bounds of all buckets but the last, which is for values beyond.
    let bounds: [Double]
    /// Of each bucket alone, not cumulated.
    let buckets: [Counter]
    private let total = Atomic<Double>(0)

    init(bounds: [Double]) {
        self.bounds = bounds
        buckets = (0...bounds.count).map { _ in Counter() }
    }

    var sum: Double { total.load(ordering: .relaxed) }
    var count: Int { buckets.reduce(0) { $0 + $1.value } }

    func observe(_ value: Double) {
        buckets[bounds.firstIndex { value <= $0 } ?? bounds.count].increment()
        var before = sum
        while true {
            let (isDone, now) = total.weakCompareExchange(expected: before, desired: before + value, ordering: .relaxed)
            if isDone { return }
            before = now
        }
    }

    func observe(_ duration: Duration) { observe(duration / .seconds(1)) }
}

/// How long requests took, by route and status. The routes are known from the start; a status gets its histogram when it is
/// answered for the first time.
struct RequestDurations: Sendable {
    /// The route of requests to an unknown address.
    static let noRoute = "none"
    /// What Hummingbird calls the route of a method that an address does not answer to.
    private static let wrongMethod = "NotFound"
    private static let statuses = 100..<600

    private final class Route: Sendable {
        let histograms = InlineArray<500, AtomicLazyReference<Histogram>> { _ in AtomicLazyReference() }
    }

    private let bounds: [Double]
    private let routes: [String: Route]

    init(routes: [String], bounds: [Double]) {
        self.bounds = bounds
        self.routes = Dictionary(
            uniqueKeysWithValues: (routes + [Self.noRoute, Self.wrongMethod]).map { ($0, Route()) })
    }

    func observe(_ duration: Duration, route: String, status: HTTPResponse.Status) {
        // No other routes and statuses are answered. If they are one day, a metric must not be what ends the service.
        guard let route = routes[route], Self.statuses.contains(status.code) else { return }
        let place = status.code - Self.statuses.lowerBound
        let histogram = route.histograms[place].load() ?? route.histograms[place].storeIfNil(Histogram(bounds: bounds))
        histogram.observe(duration)
    }

    /// How many of a route were answered so, by the upper bound in seconds; nil: any.
    func answered(_ route: String, status: Int) -> [(seconds: Double?, deliveries: Int)] {
        guard let histogram = routes[route]?.histograms[status - Self.statuses.lowerBound].load() else { return [] }
        return zip(histogram.bounds.map(Optional.init) + [nil], histogram.buckets).map { ($0, $1.value) }
    }

    /// Those that were observed.
    var observed: [(route: String, status: Int, histogram: Histogram)] {
        routes.flatMap { name, route in
            Self.statuses.compactMap { status in
                route.histograms[status - Self.statuses.lowerBound].load().map { (name, status, $0) }
            }
        }
    }
}

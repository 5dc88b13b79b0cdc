import Foundation
import LemonSqueezy

/// Signed requests, prepared in a file for wrk.
///
/// They come in cycles. In one, `lanes` customers take turns, so that what is under way at a time concerns different
/// accounts. Each has two subscriptions one after the other, together 13 months old, as different as can be: 1 and 12, 2
/// and 11, … 8 events are purchases, 22 renewals; the last 3 are changes, or for one customer in ten a payment that failed
/// and was made later, for another one in ten a cancellation. So the mix is the same for any whole number of cycles.
struct Deliveries {
    static let secret = "a-secret-for-measuring-only"
    /// Of a lane in a cycle.
    static let eventsOfLane = 33
    static let mix =
        "of 33 events 8 belong to purchases, 22 to renewals, 3 to changes (8 of 10 customers), a failed payment or a "
        + "cancellation (1 of 10 each)"

    let file: String
    let count: Int
    let cycle: Int
    let subscriptions: Int

    private let templates: Templates

    /// - Parameters:
    ///   - atMost: events, rounded up to a whole cycle.
    ///   - first: the number of the first account; each subscription has its own.
    init(bench: Bench, connections: Int, atMost: Int, first: Int = 1, accounts: Int) throws {
        templates = try Templates(root: bench.root)
        // More than the connections: the next event of a subscription never overtakes the one before.
        let lanes = max(8, connections * 5 / 4)
        cycle = lanes * Self.eventsOfLane
        let wanted = (atMost + cycle - 1) / cycle
        let cycles = min(wanted, (accounts - first + 1) / (2 * lanes))
        guard cycles > 0 else { throw Failure("there are too few accounts for \(lanes) lanes") }
        count = cycles * cycle
        subscriptions = cycles * lanes * 2
        file = bench.place("deliveries")
        try Data().write(to: URL(fileURLWithPath: file))
        guard let handle = FileHandle(forWritingAtPath: file) else { throw Failure("\(file) cannot be written") }
        for index in 0..<cycles {
            var bytes: [UInt8] = []
            for body in templates.cycle(index, lanes: lanes, first: first) {
                let request = Self.request(body)
                let length = String(request.count)
                bytes += (String(repeating: " ", count: 8 - length.count) + length).utf8
                bytes += request
            }
            try handle.write(contentsOf: Data(bytes))
        }
        try handle.close()
    }

    func remove() { unlink(file) }

    static func request(_ body: [UInt8]) -> [UInt8] {
        let head = """
            POST /webhooks/lemon-squeezy HTTP/1.1\r
            Host: localhost\r
            Content-Type: application/json\r
            X-Event-Name: subscription_updated\r
            X-Signature: \(Signature.sign(body, secret: secret))\r
            Content-Length: \(body.count)\r
            \r

            """
        return Array(head.utf8) + body
    }
}

/// The templates of all events that a life consists of.
struct Templates {
    private let byName: [String: Template]

    init(root: String) throws {
        let names = [
            "order_created", "subscription_created", "subscription_updated", "subscription_payment_success",
            "subscription_payment_failed", "subscription_payment_recovered", "subscription_cancelled",
            "subscription_expired",
        ]
        byName = Dictionary(
            uniqueKeysWithValues: try names.map { ($0, try Template(event: $0, root: root)) })
    }

    func body(of event: Life.Event) -> [UInt8] { byName[event.name]?.body(event.values) ?? [] }

    /// The bodies of a cycle in order.
    func cycle(_ index: Int, lanes: Int, first: Int) -> [[UInt8]] {
        let events = (0..<lanes).map { lane in
            let customer = index * lanes + lane
            let months = 1 + customer % 12
            let end: Life.End = [0: .failure, 5: .cancellation][customer % 10] ?? .changes
            let number = first + 2 * customer
            // The longer one has the end: a life of one month has no renewal that could fail.
            return Life(number: number, months: months, end: months > 6 ? end : nil).events
                + Life(number: number + 1, months: 13 - months, end: months > 6 ? nil : end).events
        }
        return (0..<Deliveries.eventsOfLane).flatMap { round in events.map { body(of: $0[round]) } }
    }
}

import Foundation

/// Writes a life: a provider and a customer at play, month by month.
struct LifeAuthor {
    private var random: SplitMix
    let user: UUID
    let createdAt: Date
    private(set) var end: Date
    private var sent: [Sent] = []
    /// Ids of this life alone, so that many lives fit into one database.
    let base: Int
    private var subscriptions = 0
    var invoices = 0
    /// Of a long life: the subscription lasts for years, most periods pass without incident, and most that goes wrong
    /// is put right.
    private let isLong: Bool
    /// What the present subscription's deliveries before that moment said was never received.
    private var unseenUntil = Date.distantPast

    static let day: TimeInterval = 86_400

    /// Something that arrives.
    private struct Sent {
        var at: Date
        var step: Life.Step
        /// Dated ahead: when it counts (R3).
        var waitsUntil: Date?
    }

    /// A subscription on its way.
    struct Running {
        var subscription: ProviderSubscription
        /// When the next charge is due.
        var renewal: Date
        var isYearly: Bool
        /// The day of the month of the charges.
        var anchor: Int
        /// Those that were paid.
        var invoices: [Paid] = []

        struct Paid {
            var id: Int
            var reason: String
            var createdAt: Date
        }
    }

    init(seed: UInt64, isLong: Bool = false) {
        self.isLong = isLong
        var random = SplitMix(seed: seed)
        base = Int(seed % 1_000_000) * 1000
        var bytes = [UInt8](repeating: 0, count: 16)
        for index in bytes.indices { bytes[index] = UInt8(truncatingIfNeeded: random.next()) }
        user = NSUUID(uuidBytes: bytes) as UUID
        createdAt = Date.utc("2026-01-01 00:00:00")
            .addingTimeInterval(Double(Int.random(in: 0..<(120 * 86_400), using: &random)))
        end = createdAt
        self.random = random
    }

    /// Deliveries arrive in their order, but some late, and some never.
    var arrivals: [(at: Date, step: Life.Step)] {
        sent.map { ($0.at, $0.step) }.sorted { $0.0 < $1.0 }
    }

    mutating func write() {
        var starts = createdAt.addingTimeInterval(Double(pick(0...(20 * 86_400))))
        for _ in 0..<(chance(25) ? 2 : 1) {
            let begun = starts
            live(from: begun)
            starts = begun.addingTimeInterval(Double(pick(0...60)) * Self.day)
        }
        // What is dated ahead counts when all else has long arrived, so that nobody has to look in between.
        let last = sent.filter { $0.waitsUntil == nil }.map(\.at).max() ?? createdAt
        sent.removeAll { $0.waitsUntil.map { $0 < last.addingTimeInterval(60 * Self.day) } ?? false }
        let waits = sent.compactMap(\.waitsUntil).max()
        end = (chance(50) ? waits ?? last : last).addingTimeInterval(Double(pick(0...50)) * Self.day)
    }

    // MARK: One subscription

    private mutating func live(from start: Date) {
        subscriptions += 1
        unseenUntil = chance(12) ? start.addingTimeInterval(Double(pick(0...80)) * Self.day) : .distantPast
        let isTrial = chance(30)
        var subscription = ProviderSubscription(
            userID: chance(90) ? user : nil, createdAt: start, renewsAt: nil)
        subscription.id = String(base + subscriptions)
        subscription.customerID = String(base + 500)
        subscription.orderID = String(base + 600 + subscriptions)
        subscription.variantID = Life.variants[pick(0...2)]
        if subscriptions == 1 { subscription.userID = user }
        var run = Running(subscription: subscription, renewal: start, isYearly: chance(10), anchor: start.day)
        // A trial is of a week, rarely of more than a month.
        let charged = isTrial ? start.addingTimeInterval(Double(chance(15) ? 40 : 7) * Self.day - 3) : start
        run.anchor = charged.day
        run.renewal = isTrial ? charged : next(start, run)
        run.subscription.renewsAt = run.renewal
        if chance(70) { run.subscription.billingAnchor = run.anchor }
        if isTrial { (run.subscription.status, run.subscription.trialEndsAt) = ("on_trial", run.renewal) }
        purchase(&run, isTrial: isTrial)
        for _ in 0..<pick(isLong ? 12...40 : 1...5) {
            if !passes(60) { between(&run) }
            if run.subscription.status == "expired" { return }
            if run.subscription.status == "cancelled", !passes(70) { return expire(&run, at: run.renewal) }
            if run.subscription.status == "paused", chance(50) { continue }
            if !renew(&run) { return }
        }
    }

    private mutating func purchase(_ run: inout Running, isTrial: Bool) {
        let start = run.subscription.createdAt
        send(run.subscription.event("subscription_created"), at: start)
        if !isTrial { pay(&run, "initial", at: start.addingTimeInterval(Double(pick(-5...5)))) }
        send(
            run.subscription.event("subscription_updated", snapshotAt: start.addingTimeInterval(Double(pick(0...30)))),
            at: start.addingTimeInterval(1))
        if chance(40) { send(run.subscription.order(status: chance(95) ? "paid" : "fraudulent"), at: start) }
    }

    /// - Returns: whether it goes on.
    private mutating func renew(_ run: inout Running) -> Bool {
        let due = run.renewal
        (run.subscription.status, run.subscription.endsAt) = ("active", nil)
        if chance(70) { run.subscription.trialEndsAt = nil }
        if chance(20) { return fail(&run) }
        pay(&run, "renewal", at: due.addingTimeInterval(Double(pick(2...40))))
        run.renewal = next(due, run)
        run.subscription.renewsAt = run.renewal
        change(&run, at: due.addingTimeInterval(Double(pick(3...60))))
        return true
    }

    mutating func expire(_ run: inout Running, at moment: Date) {
        (run.subscription.status, run.subscription.endsAt) = ("expired", moment)
        if chance(15) { run.subscription.variantID = nil }
        change(&run, "subscription_expired", at: moment.addingTimeInterval(Double(pick(0...600))))
    }

    // MARK: Sending

    /// The specific event and, as the provider does, a general one beside it, often within the same second.
    mutating func change(
        _ run: inout Running, _ name: String = "subscription_updated", at moment: Date, tie: TimeInterval = 0
    ) {
        let moment = max(moment, run.subscription.updatedAt)
        for name in name == "subscription_updated" ? [name] : [name, "subscription_updated"] {
            let looked = moment.addingTimeInterval(tie + Double(pick(0...2)))
            send(run.subscription.event(name, at: moment, snapshotAt: looked), at: moment)
        }
    }

    mutating func send(_ body: [UInt8], at moment: Date) {
        if moment < unseenUntil || chance(8) { return }
        // Late; or the provider's clock is a little ahead.
        let delay = chance(10) ? Double(pick(1...(10 * 86_400))) : chance(5) ? -Double(pick(1...10)) : 0
        let arrival = max(createdAt, moment.addingTimeInterval(delay))
        sent.append(Sent(at: arrival, step: .event(body)))
        if chance(5) { sent.append(Sent(at: arrival.addingTimeInterval(5), step: .event(body))) }
    }

    /// A snapshot that is dated more than a year ahead, by mistake.
    mutating func sendAhead(_ subscription: ProviderSubscription, at moment: Date) {
        var subscription = subscription
        subscription.status = ["active", "cancelled", "expired"][pick(0...2)]
        subscription.variantID = Life.variants[pick(0...2)]
        let dated = moment.addingTimeInterval(Double(pick(366...420)) * Self.day)
        let body = subscription.event("subscription_updated", at: dated)
        sent.append(Sent(at: moment, step: .event(body), waitsUntil: dated.addingTimeInterval(-3600)))
    }

    mutating func consume(at moment: Date) {
        var bytes = [UInt8](repeating: 0, count: 16)
        for index in bytes.indices { bytes[index] = UInt8(truncatingIfNeeded: random.next()) }
        // Now and then all there is, so that a smaller plan or a shorter month leaves a debt.
        let units = pick(1...(chance(35) ? 30_000 : 1200))
        sent.append(Sent(at: moment, step: .consume(units: units, task: NSUUID(uuidBytes: bytes) as UUID)))
    }

    // MARK: Dice

    /// In a long life, whether something passes that would be an incident, or its end.
    mutating func passes(_ percent: Int) -> Bool { isLong && chance(percent) }

    mutating func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    mutating func chance(_ percent: Int) -> Bool { pick(1...100) <= percent }

    /// The next charge after one, on the day of the charges, as far as the month has it.
    func next(_ moment: Date, _ run: Running) -> Date {
        moment.adding(months: run.isYearly ? 12 : 1, on: run.anchor)
    }
}

extension Date {
    private static let calendar: Calendar = {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        return calendar
    }()

    var day: Int { Self.calendar.component(.day, from: self) }

    /// As providers count: on a day of the month, or its last.
    func adding(months count: Int, on day: Int) -> Date {
        let moved = Self.calendar.date(byAdding: .month, value: count, to: self) ?? self
        let days = Self.calendar.range(of: .day, in: .month, for: moved)?.count ?? day
        return moved.addingTimeInterval(Double(min(day, days) - moved.day) * LifeAuthor.day)
    }
}

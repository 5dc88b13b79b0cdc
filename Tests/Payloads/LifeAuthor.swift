import Foundation

/// Writes a life: a provider and a customer at play, month by month.
struct LifeAuthor {
    private var random: SplitMix
    let user: UUID
    let createdAt: Date
    private(set) var end: Date
    private var sent: [(at: Date, step: Life.Step)] = []
    /// Ids of this life alone, so that many lives fit into one database.
    private let base: Int
    private var subscriptions = 0
    private var invoices = 0

    private static let day: TimeInterval = 86_400

    init(seed: UInt64) {
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
    var arrivals: [(at: Date, step: Life.Step)] { sent.sorted { $0.at < $1.at } }

    mutating func write() {
        var starts = createdAt.addingTimeInterval(Double(pick(0...(20 * 86_400))))
        for _ in 0..<(chance(25) ? 2 : 1) {
            let begun = starts
            live(from: begun)
            starts = begun.addingTimeInterval(Double(pick(0...60)) * Self.day)
        }
        end = (sent.map(\.at).max() ?? createdAt).addingTimeInterval(Double(pick(0...50)) * Self.day)
    }

    // MARK: One subscription

    private mutating func live(from start: Date) {
        subscriptions += 1
        var subscription = ProviderSubscription(
            userID: chance(90) ? user : nil, createdAt: start, renewsAt: nil)
        subscription.id = String(base + subscriptions)
        subscription.customerID = String(base + 500)
        subscription.variantID = Life.variants[pick(0...2)]
        if subscriptions == 1 { subscription.userID = user }
        let isYearly = chance(10)
        let isTrial = chance(30)
        var renewal = isTrial ? start.addingTimeInterval(7 * Self.day - 3) : next(start, isYearly)
        subscription.renewsAt = renewal
        if isTrial { (subscription.status, subscription.trialEndsAt) = ("on_trial", renewal) }
        send(subscription.event("subscription_created"), at: start)
        if !isTrial { pay(subscription, "initial", at: start.addingTimeInterval(Double(pick(-5...5)))) }
        send(
            subscription.event("subscription_updated", snapshotAt: start.addingTimeInterval(Double(pick(0...30)))),
            at: start.addingTimeInterval(1))

        for _ in 0..<pick(1...5) {
            between(&subscription, from: subscription.updatedAt, to: renewal)
            guard subscription.status != "expired" else { return }
            if subscription.status == "cancelled" {
                end(&subscription, at: renewal)
                return
            }
            guard subscription.status != "paused" || chance(50) else { continue }
            (subscription.status, subscription.trialEndsAt) = ("active", nil)
            if chance(20), !fail(&subscription, at: renewal, isYearly: isYearly) { return }
            pay(subscription, "renewal", at: renewal.addingTimeInterval(Double(pick(2...40))))
            renewal = next(renewal, isYearly)
            subscription.renewsAt = renewal
            change(
                &subscription, "subscription_updated",
                at: subscription.renewsAt.map { _ in sentAfter(renewal, isYearly) } ?? start)
        }
    }

    /// What a customer does within a period.
    private mutating func between(_ subscription: inout ProviderSubscription, from: Date, to: Date) {
        let span = to.timeIntervalSince(from)
        guard span > Self.day else { return }
        var moments = (0..<pick(0...3)).map { _ in from.addingTimeInterval(Double(pick(60...Int(span - 3600)))) }
        moments.sort()
        for moment in moments {
            switch pick(0...11) {
            case 0...3: consume(at: moment)
            case 4, 5:
                let before = subscription.variantID
                subscription.variantID = chance(8) ? Life.unmappedVariant : Life.variants[pick(0...2)]
                change(&subscription, chance(30) ? "subscription_plan_changed" : "subscription_updated", at: moment)
                if chance(50) { pay(subscription, "updated", at: moment.addingTimeInterval(2)) }
                if chance(30) {
                    subscription.variantID = before
                    let later = chance(50) ? 0.0 : Double(pick(1...86_400))
                    change(&subscription, "subscription_updated", at: moment.addingTimeInterval(later), tie: 40)
                }
            case 6: pause(&subscription, at: moment, span: to.timeIntervalSince(moment))
            case 7 where subscription.status == "active" || subscription.status == "on_trial":
                (subscription.status, subscription.endsAt) = ("cancelled", to)
                change(&subscription, "subscription_cancelled", at: moment)
                if chance(40) {
                    (subscription.status, subscription.endsAt) = ("active", nil)
                    change(&subscription, "subscription_resumed", at: moment.addingTimeInterval(Double(pick(0...3600))))
                }
            case 8:
                send(
                    subscription.invoice(
                        "subscription_payment_refunded", id: base + invoices, reason: "renewal",
                        status: chance(50) ? "refunded" : "partial_refund", createdAt: subscription.createdAt,
                        updatedAt: moment), at: moment)
            default: change(&subscription, "subscription_updated", at: moment)
            }
        }
    }

    private mutating func pause(_ subscription: inout ProviderSubscription, at moment: Date, span: TimeInterval) {
        guard subscription.status == "active" else { return }
        subscription.status = "paused"
        subscription.pauseMode = ["void", "free", nil][pick(0...2)]
        if chance(30) { subscription.resumesAt = moment.addingTimeInterval(Double(pick(1...40)) * Self.day) }
        change(&subscription, "subscription_paused", at: moment)
        if chance(60) {
            (subscription.status, subscription.pauseMode, subscription.resumesAt) = ("active", nil, nil)
            change(
                &subscription, "subscription_unpaused",
                at: moment.addingTimeInterval(Double(pick(0...Int(max(1, span + 20 * Self.day))))))
        }
    }

    /// A renewal that is not paid at once.
    ///
    /// - Returns: whether it was paid in the end.
    private mutating func fail(_ subscription: inout ProviderSubscription, at moment: Date, isYearly: Bool) -> Bool {
        let invoice = base + invoices + 1
        send(
            subscription.invoice(
                "subscription_payment_failed", id: invoice, status: "pending",
                createdAt: moment.addingTimeInterval(19)), at: moment.addingTimeInterval(20))
        subscription.status = "past_due"
        subscription.renewsAt = moment.addingTimeInterval(5 * Self.day)
        change(&subscription, "subscription_updated", at: moment.addingTimeInterval(21))
        if chance(30) { consume(at: moment.addingTimeInterval(Self.day)) }
        if chance(30) {
            subscription.status = "unpaid"
            change(&subscription, "subscription_updated", at: moment.addingTimeInterval(6 * Self.day))
        }
        if chance(25) {
            (subscription.status, subscription.endsAt) = ("cancelled", moment.addingTimeInterval(10 * Self.day))
            change(&subscription, "subscription_cancelled", at: moment.addingTimeInterval(7 * Self.day))
        }
        if chance(40) {
            end(&subscription, at: moment.addingTimeInterval(10 * Self.day))
            return false
        }
        let paid = moment.addingTimeInterval(Double(pick(6...9)) * Self.day)
        invoices += 1
        for name in ["subscription_payment_recovered", "subscription_payment_success"] {
            send(
                subscription.invoice(
                    name, id: invoice, createdAt: moment.addingTimeInterval(19), updatedAt: paid,
                    delivery: pick(1...9)), at: paid)
        }
        (subscription.status, subscription.endsAt) = ("active", nil)
        subscription.renewsAt = next(moment, isYearly)
        change(&subscription, "subscription_updated", at: paid)
        return true
    }

    private mutating func end(_ subscription: inout ProviderSubscription, at moment: Date) {
        (subscription.status, subscription.endsAt) = ("expired", moment)
        change(&subscription, "subscription_expired", at: moment.addingTimeInterval(Double(pick(0...600))))
    }

    // MARK: Sending

    /// The specific event and, as the provider does, a general one beside it, often within the same second.
    private mutating func change(
        _ subscription: inout ProviderSubscription, _ name: String, at moment: Date, tie: TimeInterval = 0
    ) {
        let moment = max(moment, subscription.updatedAt)
        send(
            subscription.event(name, at: moment, snapshotAt: moment.addingTimeInterval(tie + Double(pick(0...2)))),
            at: moment)
        if name != "subscription_updated" {
            send(
                subscription.event(
                    "subscription_updated", snapshotAt: moment.addingTimeInterval(tie + Double(pick(0...2)))),
                at: moment)
        }
    }

    private mutating func pay(_ subscription: ProviderSubscription, _ reason: String, at moment: Date) {
        invoices += 1
        send(
            subscription.invoice(id: base + invoices, reason: reason, createdAt: moment, delivery: pick(0...9)),
            at: moment)
    }

    private mutating func send(_ body: [UInt8], at moment: Date) {
        if chance(8) { return }
        let delay = chance(10) ? Double(pick(1...(10 * 86_400))) : 0
        sent.append((moment.addingTimeInterval(delay), .event(body)))
        if chance(5) { sent.append((moment.addingTimeInterval(delay + 5), .event(body))) }
    }

    private mutating func consume(at moment: Date) {
        var bytes = [UInt8](repeating: 0, count: 16)
        for index in bytes.indices { bytes[index] = UInt8(truncatingIfNeeded: random.next()) }
        sent.append((moment, .consume(units: pick(1...1200), task: NSUUID(uuidBytes: bytes) as UUID)))
    }

    // MARK: Dice

    private mutating func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    private mutating func chance(_ percent: Int) -> Bool { pick(1...100) <= percent }

    private mutating func sentAfter(_ renewal: Date, _ isYearly: Bool) -> Date {
        Self.calendar.date(byAdding: isYearly ? .year : .month, value: -1, to: renewal)?
            .addingTimeInterval(Double(pick(3...60))) ?? renewal
    }

    private func next(_ moment: Date, _ isYearly: Bool) -> Date {
        Self.calendar.date(byAdding: isYearly ? .year : .month, value: 1, to: moment) ?? moment
    }

    private static let calendar: Calendar = {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        return calendar
    }()
}

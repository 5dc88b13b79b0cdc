import Billing
import Foundation
import Payloads
import Testing

/// Takes a life through the rules, step by step: what has arrived, what was charged to what was current then.
struct LifePlayer {
    let life: Life
    let policy: BillingPolicy
    private(set) var account: Account
    /// Reading takes longer than judging: those who play the same life again may have what was read.
    let decoded: [[UInt8]: BillingEvent]

    init(_ life: Life, decoded: [[UInt8]: BillingEvent]? = nil) {
        self.life = life
        self.decoded = decoded ?? Self.decoded(life)
        policy = BillingPolicy(
            upgradeUnits: life.choices.upgradeWhenPaid ? .whenPaid : .atOnce,
            downgradeUnits: life.choices.downgradeNextMonth ? .nextMonth : .atOnce,
            refundUnits: life.choices.takeRefunds ? .take : .keep)
        account = Account(userID: life.user, createdAt: life.createdAt, events: [], charges: [])
    }

    /// Takes every step of the life, and calls `after` after each, with its moment.
    mutating func play(_ after: (LifePlayer, Date) throws -> Void = { _, _ in }) throws {
        for (at, step) in life.steps {
            account.grants = grants(at: at)
            switch step {
            case .event(let body): account.events.append(try #require(decoded[body]))
            case .consume(let units, _): consume(units, at: at)
            }
            try after(self, at)
        }
        account.grants = grants(at: life.end)
    }

    private static func decoded(_ life: Life) -> [[UInt8]: BillingEvent] {
        var decoded: [[UInt8]: BillingEvent] = [:]
        for case .event(let body) in life.steps.map(\.step) where decoded[body] == nil {
            // The ids are given at random; they do not count.
            decoded[body] = try? BillingEvent(body: body, id: life.user)
        }
        return decoded
    }

    /// All units ever charged.
    var charged: Int { account.charges.reduce(0) { $0 + $1.consumed } }

    func stateAtEnd() throws -> AccountState {
        var player = self
        try player.play()
        return player.state(at: life.end)
    }

    func state(at moment: Date) -> AccountState { account.state(at: moment, catalog: Case.plans, policy: policy) }

    private mutating func consume(_ units: Int, at moment: Date) {
        let bucket = state(at: moment).current
        let units = min(units, bucket.shown)
        account.charges.append(
            Charge(line: bucket.line, begin: bucket.begin, consumed: units, adjusted: 0, firstAt: moment))
        account.usage.append(Usage(line: bucket.line, begin: bucket.begin, at: moment, units: units))
    }

    /// Those given by a moment; that they will be ended is not known before.
    private func grants(at moment: Date) -> [GrantedPlan] {
        zip(["00", "01"], life.grants).filter { $1.at <= moment }.compactMap { number, grant in
            UUID(uuidString: "00000000-0000-4000-8000-0000000000\(number)").map { id in
                GrantedPlan(
                    id: id, planID: grant.plan, from: grant.at, until: grant.until,
                    endedAt: grant.endedAt.flatMap { $0 <= moment ? $0 : nil })
            }
        }
    }
}

extension AccountState {
    /// What must hold of every state; nil if it does. `charged` are all units ever charged to the account.
    func violation(charged: Int, now: Date) -> String? {
        for line in [freeBuckets] + subscriptions.map(\.buckets) {
            if !zip(line, line.dropFirst()).allSatisfy({ $0.end <= $1.begin }) { return "overlapping buckets \(line)" }
            if let wrong = line.first(where: { $0.begin >= $0.end || $0.unlockedAt < $0.begin || $0.carried > 0 }) {
                return "no bucket can be \(wrong)"
            }
            if let wrong = line.first(where: { !(0...25_000).contains($0.granted) }) { return "too much: \(wrong)" }
        }
        let told = subscriptions.filter { $0.grant == nil }.map(\.buckets).joined()
        let ahead = told.filter { $0.unlockedAt > moment && $0.begin > moment.addingTimeInterval(430 * 86_400) }
        if let far = ahead.first { return "known too far ahead: \(far)" }
        let consumed = buckets.reduce(0) { $0 + $1.consumed }
        if consumed != charged { return "\(charged) were charged, the buckets say \(consumed)" }
        if current.unlockedAt > moment { return "the current bucket is locked: \(current)" }
        // A clock that is a little behind the provider's has to come back for what is dated ahead.
        if nextChange <= now { return "the next change was at \(nextChange)" }
        if let effective, !effective.hasAccess(at: moment) { return "no access to the effective subscription" }
        return nil
    }
}

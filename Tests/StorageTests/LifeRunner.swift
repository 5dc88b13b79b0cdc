import Accounts
import Billing
import Foundation
import LemonSqueezy
import Payloads
import Selextract
import Storage
import TestSupport

/// Takes lives through a store, with a clock that follows them.
struct LifeRunner {
    /// More than one: instances on the same database, which take turns or run at once.
    let stores: [Store]
    let clock: TestClock
    /// What a program brings that knows nothing of the life's: the database's counts.
    private let own = BillingPolicy()

    private var store: Store { stores[0] }

    /// Creates the account, and chooses the settings of its life; the plans' variants have to be mapped already.
    func begin(_ life: Life) async throws {
        clock.set(life.createdAt)
        try await store.adopt(life.policy, host: "life")
        _ = try await store.createUser(email: "\(life.seed)@example.com", id: life.user)
    }

    /// One step after the other.
    func inOrder(_ life: Life, after: () async throws -> Void = {}) async throws {
        for (at, step) in life.steps {
            try await act(life, by: at)
            clock.set(at)
            switch step {
            case .event(let body): try await deliver([body], to: store)
            case .consume(let units, let task): try await consume(units, task, life, times: 1)
            }
            try await after()
        }
    }

    /// Events in groups of any size, each group in one transaction, tasks charged twice, the clock run in between.
    func batched(_ life: Life, _ random: inout SplitMix) async throws {
        for stretch in life.stretches {
            try await act(life, by: stretch[stretch.count - 1].at)
            var rest = stretch[...]
            while let first = rest.first {
                clock.set(rest.last?.at ?? first.at)
                if case .consume(let units, let task) = first.step {
                    try await consume(units, task, life, times: 2)
                    rest = rest.dropFirst()
                } else {
                    let group = rest.prefix(Int.random(in: 1...8, using: &random))
                    try await deliver(group.map(\.step.body), to: store)
                    rest = rest.dropFirst(group.count)
                }
                if random.next() % 3 == 0 { _ = try await Tick(store, policy: own).run() }
            }
        }
    }

    /// The events of each stretch at once, by all instances.
    func inParallel(_ life: Life) async throws {
        for stretch in life.stretches {
            try await act(life, by: stretch[stretch.count - 1].at)
            clock.set(stretch[stretch.count - 1].at)
            if case .consume(let units, let task)? = stretch.first?.step {
                try await consume(units, task, life, times: 2)
                continue
            }
            try await withThrowingTaskGroup { group in
                for (index, body) in stretch.map(\.step.body).enumerated() {
                    group.addTask { try await deliver([body], to: stores[index % stores.count]) }
                }
                try await group.waitForAll()
            }
        }
    }

    /// With settings that are wrong while events come, and put right before anything is consumed.
    func withWrongSettings(_ life: Life, _ random: inout SplitMix) async throws {
        for stretch in life.stretches {
            try await act(life, by: stretch[stretch.count - 1].at)
            clock.set(stretch[stretch.count - 1].at)
            var wrong = life.policy
            switch random.next() % 4 {
            case 0: wrong.acceptance = Acceptance(storeID: "1")
            case 1: wrong.acceptance = Acceptance(mode: .live)
            case 2: wrong.refundUnits = wrong.refundUnits == .take ? .keep : .take
            default: wrong.upgradeUnits = wrong.upgradeUnits == .atOnce ? .whenPaid : .atOnce
            }
            for step in stretch {
                guard case .consume(let units, let task) = step.step else {
                    try await store.adopt(wrong, host: "wrong")
                    try await deliver([step.step.body], to: stores[Int(random.next() % 2)])
                    continue
                }
                try await consume(units, task, life, times: 2)
            }
            try await store.adopt(life.policy, host: "right")
            _ = try await Tick(stores[1], policy: wrong).run()
        }
    }

    /// With a clock that runs ahead after each stretch of events, and is put right again.
    func withClockAhead(_ life: Life, _ random: inout SplitMix) async throws {
        for stretch in life.stretches {
            let now = stretch[stretch.count - 1].at
            try await act(life, by: now)
            clock.set(now)
            for step in stretch {
                if case .consume(let units, let task) = step.step {
                    try await consume(units, task, life, times: 1)
                } else {
                    try await deliver([step.step.body], to: store)
                }
            }
            clock.set(now.addingTimeInterval(Double(Int.random(in: 1...90, using: &random)) * 86_400))
            _ = try await Tick(stores[1], policy: own).run()
            clock.set(now)
            _ = try await Tick(stores[0], policy: own).run()
        }
    }

    /// What operators do by a moment, each at its own.
    private func act(_ life: Life, by moment: Date) async throws {
        let acts = life.grants.flatMap { grant in
            [(grant.at, Optional(grant))] + (grant.endedAt.map { [($0, nil)] } ?? [])
        }
        let before = try await store.operatorRecords(user: life.user, subscription: nil)
            .count { $0.kind == .grant || $0.kind == .grantEnd }
        for (at, grant) in acts.sorted(by: { $0.0 < $1.0 }).dropFirst(before) where at <= moment {
            clock.set(at)
            if let grant {
                try await store.grant(grant.plan, to: life.user, until: grant.until, reason: "life", policy: own)
            } else {
                try await store.endGrants(of: life.user, reason: nil, policy: own)
            }
        }
    }

    private func deliver(_ bodies: [[UInt8]], to store: Store) async throws {
        let events = bodies.map {
            InboxEvent(Delivery(body: $0, signature: "", matchedSecret: .current))
        }
        _ = try await store.transaction { try await Fold($0, policy: own).receive(events) }
    }

    /// By all instances at once: it must count once.
    private func consume(_ units: Int, _ task: UUID, _ life: Life, times: Int) async throws {
        let request = UnitRequest(userID: life.user, kind: .consume(task: task, inFull: false), units: units)
        try await withThrowingTaskGroup { group in
            for index in 0..<times {
                group.addTask {
                    _ = try await stores[index % stores.count].transaction {
                        try await Fold($0, policy: own).grant(request)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    // MARK: What is there

    /// All that R0 says must be the same, as it is stored, at the life's end.
    func outcome(of life: Life) async throws -> String {
        try await act(life, by: life.end)
        clock.set(life.end)
        _ = try await store.transaction { try await Fold($0, policy: own).refresh(users: [life.user]) }
        guard let user = try await store.user(id: life.user) else { return "no account" }
        let buckets = try await store.buckets(user: life.user).map { "\($0)" }
        let subscriptions = try await store.primary.subscriptions(user: life.user, limit: 100, before: nil)
            .sorted { ($0.lemonSqueezySubscriptionID ?? "") < ($1.lemonSqueezySubscriptionID ?? "") }
            .map { subscription in
                var subscription = subscription
                subscription.id = life.user
                (subscription.createdAt, subscription.updatedAt) = (life.createdAt, life.createdAt)
                return "\(subscription)"
            }
        let account = "\(user.subscriptionTier) \(user.computeUnitsRemaining) \(user.computeUnitsResetDate)"
        // The ids of grants are made anew each time.
        return ([account] + buckets + subscriptions).map { $0.replacing(/grant:[0-9a-f-]{36}/, with: "grant") }
            .sorted().joined(separator: "\n")
    }

    /// What must hold after every step; nil if it does.
    func violation(of life: Life) async throws -> String? {
        guard let user = try await store.user(id: life.user) else { return "no account" }
        let ledger = try await store.ledger(user: life.user)
        let sum = ledger.reduce(0) { $0 + $1.entry.units }
        if let last = ledger.last, last.entry.balance != user.computeUnitsRemaining || sum != last.entry.balance {
            return "sum \(sum), balance \(last.entry.balance), shown \(user.computeUnitsRemaining)"
        }
        let buckets = try await store.buckets(user: life.user)
        let months = Set(buckets.map { "\($0.line.rawValue) \($0.begin)" })
        if months.count != buckets.count { return "two buckets a month" }
        if let last = ledger.last?.entry {
            let current = buckets.first { $0.line == last.line && $0.begin == last.begin }
            if current?.shown != user.computeUnitsRemaining {
                let found = current.map { "\($0)" } ?? "missing"
                return "the current bucket is \(found), shown \(user.computeUnitsRemaining)"
            }
        }
        let releasable = try await store.transaction {
            try await $0.releasable(limit: 10, matchByEmail: false, except: [])
        }
        return releasable.isEmpty ? nil : "parked, but could be released: \(releasable)"
    }

    /// Where the view and the rules differ at a moment; nil if they do not.
    func disagreement(of life: Life, at moment: Date) async throws -> String? {
        clock.set(moment)
        guard let view = try await store.entitlement(user: life.user) else { return "not in the view" }
        let state = try await store.transaction { transaction in
            let events = try await transaction.events(Relations(), users: [life.user])
            let lines = Set(events.compactMap(\.event.subscriptionID).map(BucketSeries.subscription))
            let charges = try await transaction.charges(users: [life.user], lines: lines)
            return Account(
                userID: life.user, createdAt: life.createdAt, events: events.map(\.event),
                charges: charges.map(\.charge), usage: try await transaction.usage(lines: lines),
                grants: try await transaction.grants(of: [life.user])[life.user] ?? []
            ).state(at: moment, catalog: try await transaction.catalog(), policy: life.policy)
        }
        let rules = "\(state.tier) \(state.effective != nil) \(state.unitsRemaining) \(state.resetDate)"
        let sql = "\(view.planID) \(view.hasAccess) \(view.computeUnitsRemaining) \(view.computeUnitsResetDate)"
        return rules == sql ? nil : "at \(moment) the view says \(sql), the rules \(rules)"
    }
}

extension Life.Step {
    fileprivate var body: [UInt8] {
        if case .event(let body) = self { body } else { [] }
    }
}

extension Life {
    /// The settings that it is lived under.
    var policy: BillingPolicy {
        BillingPolicy(
            upgradeUnits: choices.upgradeWhenPaid ? .whenPaid : .atOnce,
            downgradeUnits: choices.downgradeNextMonth ? .nextMonth : .atOnce,
            refundUnits: choices.takeRefunds ? .take : .keep)
    }
}

public import Foundation
import Selextract

/// All that an account's state depends on (R0): its events, its recorded consumption, and when it began.
public struct Account: Sendable, Hashable {
    public var userID: UUID
    /// Whole seconds, UTC: the free plan's months begin here (R11).
    public var createdAt: Date
    /// Of the subscriptions that are this account's (R5), and its orders, in any order.
    public var events: [BillingEvent]
    public var charges: [Charge]
    /// When the charges' units were used; needed only where a refund takes units (R18).
    public var usage: [Usage]
    public var grants: [GrantedPlan]
    /// By subscription: what stands for events that are not among ``events``.
    public var checkpoints: [String: Checkpoint]

    public init(
        userID: UUID, createdAt: Date, events: [BillingEvent], charges: [Charge], usage: [Usage] = [],
        grants: [GrantedPlan] = [], checkpoints: [String: Checkpoint] = [:]
    ) {
        self.userID = userID
        self.createdAt = createdAt.wholeSeconds
        self.events = events
        self.charges = charges
        self.usage = usage
        self.grants = grants
        self.checkpoints = checkpoints
    }

    /// Its subscriptions, from the events that count at a moment.
    func histories(at now: Date) -> [SubscriptionHistory] {
        let events = events.filter { !$0.isAhead(of: now) }
        let orders = events.compactMap { event in if case .order(let order) = event.fact { order } else { nil } }
        return Dictionary(grouping: events.filter { $0.subscriptionID != nil }) { $0.subscriptionID ?? "" }
            .compactMap { id, events in SubscriptionHistory(id: id, events: events, orders: orders) }
    }
}

extension [SubscriptionHistory] {
    /// The subscription with the account's first trial, the only one that gives units.
    var firstTrial: String? {
        filter { $0.trial != nil }.min { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }?.id
    }
}

/// An account at a moment.
public struct AccountState: Sendable, Hashable {
    /// The moment looked at: never earlier than the account's newest event.
    public var moment: Date
    /// Those whose plan is known, by id.
    public var subscriptions: [SubscriptionState]
    /// R10; nil: none gives access.
    public var effective: SubscriptionState?
    /// The free plan's: the present month, the next, and those in which something was charged or is owed.
    public var freeBuckets: [Bucket]
    /// R14.
    public var current: Bucket
    /// When this may change by itself.
    public var nextChange: Date
    /// The subscriptions whose checkpoint does not hold at this moment. If there are any, nothing else here is sure.
    public var voidCheckpoints: Set<String> = []

    /// Those that give access and units of their own, but do not count now because another comes first (R14).
    public var waiting: [SubscriptionState] {
        guard let effective else { return [] }
        return subscriptions.filter {
            $0.id != effective.id && $0.hasAccess(at: moment) && $0.presentBucket(at: moment) != nil
        }
    }

    /// `users.subscription_tier`.
    public var tier: String { effective?.plan.id ?? SubscriptionPlan.freeID }
    /// `users.compute_units_remaining`.
    public var unitsRemaining: Int { current.shown }
    /// `users.compute_units_reset_date`; in the past it means: waiting for payment.
    public var resetDate: Date { current.end }

    public var buckets: [Bucket] { freeBuckets + subscriptions.flatMap(\.buckets) }
}

extension Account {
    /// Computes the state at a moment (R0). It depends on the account's facts, the moment, the catalogue and the
    /// policy, and on nothing else.
    public func state(at now: Date, catalog: PlanCatalog, policy: BillingPolicy = BillingPolicy()) -> AccountState {
        let histories = histories(at: now)
        let moment = max(now.wholeSeconds, createdAt, histories.map(\.latestEventAt).max() ?? createdAt)
        let firstTrial = histories.firstTrial
        let provided = histories.compactMap { history in
            let line = BucketSeries.subscription(history.id)
            return SubscriptionState(
                history: history, trialCounts: history.id == firstTrial, charges: charges.filter { $0.line == line },
                usage: usage.filter { $0.line == line }, checkpoint: checkpoints[history.id], catalog: catalog,
                policy: policy, moment: moment)
        }
        let granted = grants.compactMap { grant in
            SubscriptionState(
                grant: grant, charges: charges.filter { $0.line == .grant(grant.id) }, catalog: catalog,
                moment: moment)
        }
        let subscriptions = (provided + granted).sorted { $0.id < $1.id }
        let effective = subscriptions.filter { $0.hasAccess(at: moment) }
            .max { $1.outranks($0, at: moment) }
        let free = freeBuckets(at: moment, catalog: catalog)
        let presentFree = free.last { $0.begin <= moment } ?? free[0]
        let refunds = policy.refundUnits == .take ? histories.flatMap { $0.refundsThatTake + $0.refundsOfChanges } : []
        let turningPoints = subscriptions.flatMap(\.turningPoints) + refunds.map(\.at) + [presentFree.end]
        let waiting = events.compactMap(\.countsFrom).filter { $0 > now }
        return AccountState(
            moment: moment, subscriptions: subscriptions, effective: effective, freeBuckets: free,
            current: effective?.latestBucket(at: moment) ?? presentFree,
            nextChange: (turningPoints.filter { $0 > moment } + waiting).min() ?? presentFree.end,
            voidCheckpoints: voidCheckpoints(provided, firstTrial: firstTrial, at: moment)
        )
    }

    /// The checkpoints that do not hold: another trial is the account's first, or no month that is computed gives
    /// units, so that the one shown would be closed.
    private func voidCheckpoints(
        _ subscriptions: [SubscriptionState], firstTrial: String?, at moment: Date
    ) -> Set<String> {
        Set(
            checkpoints.values.filter { checkpoint in
                let id = checkpoint.subscriptionID
                return checkpoint.trialCounts != (firstTrial == id)
                    || subscriptions.first { $0.id == id }?.latestBucket(at: moment) == nil
            }.map(\.subscriptionID))
    }

    /// Every month of the free line is unlocked. Kept are the present one, the next, and those in which something was
    /// charged or is owed.
    private func freeBuckets(at moment: Date, catalog: PlanCatalog) -> [Bucket] {
        let charges = charges.filter { $0.line == .free }
        let present = createdAt.months(until: moment)
        let first = charges.map { max(0, createdAt.months(until: $0.begin)) }.min() ?? present
        var chain = BucketChain(line: .free, charges: charges)
        for index in min(first, present)...(present + 1) {
            let month = Month(begin: createdAt.adding(months: index), end: createdAt.adding(months: index + 1))
            chain.append(
                month, unlockedAt: month.begin,
                granted: catalog.units(plan: SubscriptionPlan.freeID, monthBeginning: month.begin))
        }
        let presentBegin = createdAt.adding(months: present)
        return chain.buckets.filter {
            $0.begin >= presentBegin || $0.carried != 0 || $0.consumed != 0 || $0.adjusted != 0
        }
    }
}

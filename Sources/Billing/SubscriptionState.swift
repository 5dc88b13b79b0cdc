public import Foundation
public import LemonSqueezy
public import Selextract

/// A subscription at a moment: what `user_subscriptions` says of it (R8), its access (R9) and its buckets (R13).
public struct SubscriptionState: Sendable, Hashable {
    public var id: String
    public var plan: SubscriptionPlan
    /// As the provider spells it.
    public var status: SubscriptionStatus
    public var currentPeriodStart: Date
    public var currentPeriodEnd: Date
    public var cancelAtPeriodEnd: Bool
    public var customerID: String?
    public var orderID: String?
    public var orderItemID: String?
    public var productID: String?
    public var variantID: String
    public var createdAt: Date
    public var updatedAt: Date
    public var renewsAt: Date?
    public var endsAt: Date?
    /// The last one known: the provider clears it when the trial is over.
    public var trialEndsAt: Date?
    public var pause: Snapshot.Pause?
    /// The newest of its events.
    public var latestEventAt: Date
    /// Those known, also ahead; in order.
    public var buckets: [Bucket]

    public init(
        id: String, plan: SubscriptionPlan, status: SubscriptionStatus, currentPeriodStart: Date,
        currentPeriodEnd: Date, cancelAtPeriodEnd: Bool, customerID: String?, orderID: String?,
        orderItemID: String?, productID: String?, variantID: String, createdAt: Date, updatedAt: Date,
        renewsAt: Date?, endsAt: Date?, trialEndsAt: Date?, pause: Snapshot.Pause?, latestEventAt: Date,
        buckets: [Bucket]
    ) {
        self.id = id
        self.plan = plan
        self.status = status
        self.currentPeriodStart = currentPeriodStart
        self.currentPeriodEnd = currentPeriodEnd
        self.cancelAtPeriodEnd = cancelAtPeriodEnd
        self.customerID = customerID
        self.orderID = orderID
        self.orderItemID = orderItemID
        self.productID = productID
        self.variantID = variantID
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.renewsAt = renewsAt
        self.endsAt = endsAt
        self.trialEndsAt = trialEndsAt
        self.pause = pause
        self.latestEventAt = latestEventAt
        self.buckets = buckets
    }

    /// R9: judged by the clock when read, even if no further event ever comes.
    public func hasAccess(at moment: Date) -> Bool {
        switch status {
        case .onTrial, .active, .pastDue: true
        case .paused: pause?.mode == "free" || (pause?.resumesAt.map { $0 <= moment } ?? false)
        case .cancelled: moment < currentPeriodEnd
        default: false
        }
    }

    /// The unlocked bucket of the month that `moment` lies in.
    public func presentBucket(at moment: Date) -> Bucket? {
        buckets.last { $0.begin <= moment && moment < $0.end && $0.isUnlocked(at: moment) }
    }

    /// R14: the latest month unlocked by `moment`, which may lie in the past: waiting for payment.
    func latestBucket(at moment: Date) -> Bucket? {
        buckets.last { $0.isUnlocked(at: moment) }
    }

    /// Whether it is active while its present month has been locked for longer than `grace` (R17).
    public func isRenewalOverdue(at moment: Date, grace: TimeInterval) -> Bool {
        guard status == .active, presentBucket(at: moment) == nil else { return false }
        let lockedSince = buckets.last { $0.end <= moment }?.end ?? createdAt
        return moment.timeIntervalSince(lockedSince) > grace
    }

    /// The moments at which what it gives can change by itself.
    var turningPoints: [Date] {
        var moments = buckets.flatMap { [$0.unlockedAt, $0.end] }
        if status == .cancelled { moments.append(currentPeriodEnd) }
        if let resumesAt = pause?.resumesAt { moments.append(resumesAt) }
        return moments
    }

    /// R10: whether this one comes before `other` as the effective subscription of their account.
    func outranks(_ other: SubscriptionState, at moment: Date) -> Bool {
        let present = (presentBucket(at: moment) != nil, other.presentBucket(at: moment) != nil)
        if present.0 != present.1 { return present.0 }
        if plan.monthlyComputeUnits != other.plan.monthlyComputeUnits {
            return plan.monthlyComputeUnits > other.plan.monthlyComputeUnits
        }
        if plan.priceCents != other.plan.priceCents { return plan.priceCents > other.plan.priceCents }
        if createdAt != other.createdAt { return createdAt > other.createdAt }
        // The ids are numbers of any length: the longer is the greater.
        let lengths = (id.utf8.count, other.id.utf8.count)
        return lengths.0 != lengths.1 ? lengths.0 > lengths.1 : other.id.utf8.lexicographicallyPrecedes(id.utf8)
    }
}

extension SubscriptionState {
    /// nil while no variant of it is mapped to a plan (R3).
    init?(
        history: SubscriptionHistory, trialCounts: Bool, charges: [Charge], catalog: PlanCatalog,
        upgradeUnits: UpgradeUnits, moment: Date
    ) {
        guard let plan = PlanTimeline.present(history, catalog) else { return nil }
        let evidence = Evidence(history: history, trialCounts: trialCounts, charges: charges)
        let timeline = PlanTimeline(history: history, catalog: catalog, upgradeUnits: upgradeUnits)
        var chain = BucketChain(line: .subscription(history.id), charges: charges)
        let limit = min(evidence.horizon, moment.adding(months: Self.monthsAhead))
        for month in history.months(beginningBy: limit) {
            guard let unlockedAt = evidence.unlocked(month) else { continue }
            chain.append(month, unlockedAt: unlockedAt, granted: timeline.granted(month, catalog: catalog))
        }
        let present = history.present
        let paidThrough = evidence.paidThrough ?? chain.buckets.last?.end ?? history.start.adding(months: 1)
        let periodEnd: Date =
            switch present.status {
            case .cancelled, .expired: present.endsAt ?? paidThrough
            case .onTrial: present.trialEndsAt ?? history.start
            default: paidThrough
            }
        self.init(
            id: history.id, plan: plan, status: present.status,
            currentPeriodStart: history.paidInvoices.map(\.createdAt).filter { $0 <= periodEnd }.max()
                ?? history.createdAt,
            currentPeriodEnd: periodEnd,
            cancelAtPeriodEnd: present.status == .cancelled && moment < periodEnd,
            customerID: present.customerID, orderID: present.orderID, orderItemID: present.orderItemID,
            productID: present.productID, variantID: present.variantID, createdAt: history.createdAt,
            updatedAt: present.updatedAt, renewsAt: present.renewsAt, endsAt: present.endsAt,
            trialEndsAt: history.trialEndsAt,
            pause: present.pause.map { Snapshot.Pause(mode: $0.mode ?? "void", resumesAt: $0.resumesAt) },
            latestEventAt: history.latestEventAt,
            buckets: chain.buckets
        )
    }

    /// How far ahead months are known: a yearly plan's, and one more. Longer ones follow by the clock.
    static let monthsAhead = 13
}

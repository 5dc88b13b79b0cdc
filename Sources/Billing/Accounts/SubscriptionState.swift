public import Foundation
public import LemonSqueezy
public import Selextract

/// A subscription at a moment: what `user_subscriptions` says of it (R8), its access (R9) and its buckets (R13).
public struct SubscriptionState: Sendable, Hashable {
    /// The provider's, or `grant:` and the grant's id; the buckets' line.
    public var id: String
    /// An operator gave the plan (R19); nil: it is the provider's.
    public var grant: UUID?
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
    /// nil: the present snapshot names none.
    public var variantID: String?
    public var createdAt: Date
    public var updatedAt: Date
    public var renewsAt: Date?
    public var endsAt: Date?
    /// The last one known: the provider clears it when the trial is over.
    public var trialEndsAt: Date?
    public var pause: Snapshot.Pause?
    /// The newest of its events.
    public var latestEventAt: Date
    /// Until when its months follow each other unlocked, from the present one on; of a present one that is locked, since
    /// when it is (R17).
    public var unitsUntil: Date
    /// Those known, also ahead; in order. Beside a checkpoint, without those that are closed.
    public var buckets: [Bucket]

    public init(
        id: String, grant: UUID? = nil, plan: SubscriptionPlan, status: SubscriptionStatus, currentPeriodStart: Date,
        currentPeriodEnd: Date, cancelAtPeriodEnd: Bool, customerID: String?, orderID: String?,
        orderItemID: String?, productID: String?, variantID: String?, createdAt: Date, updatedAt: Date,
        renewsAt: Date?, endsAt: Date?, trialEndsAt: Date?, pause: Snapshot.Pause?, latestEventAt: Date,
        unitsUntil: Date, buckets: [Bucket]
    ) {
        self.id = id
        self.grant = grant
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
        self.unitsUntil = unitsUntil
        self.buckets = buckets
    }

    /// R9: judged by the clock when read, even if no further event ever comes.
    public func hasAccess(at moment: Date) -> Bool {
        Access(
            status: status.rawValue, isGranted: grant != nil, currentPeriodEnd: currentPeriodEnd, endsAt: endsAt,
            pauseMode: pause?.mode, pauseResumesAt: pause?.resumesAt
        ).isGiven(at: moment)
    }

    /// The unlocked bucket of the month that `moment` lies in.
    public func presentBucket(at moment: Date) -> Bucket? {
        buckets.last { $0.begin <= moment && moment < $0.end && $0.isUnlocked(at: moment) }
    }

    /// R14: the latest month unlocked by `moment`, which may lie in the past: waiting for payment.
    func latestBucket(at moment: Date) -> Bucket? {
        buckets.last { $0.isUnlocked(at: moment) }
    }

    /// Whether it is active while its present month has been locked for longer than `grace`, in seconds (R17).
    public func isRenewalOverdue(at moment: Date, grace: TimeInterval) -> Bool {
        status == .active && moment.timeIntervalSince(unitsUntil) > grace
    }

    /// The moments at which what it gives can change by itself.
    var turningPoints: [Date] {
        var moments = buckets.flatMap { [$0.unlockedAt, $0.end] }
        if status == .cancelled { moments.append(currentPeriodEnd) }
        if grant != nil, let endsAt { moments.append(endsAt) }
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
        history: SubscriptionHistory, trialCounts: Bool, charges: [Charge], usage: [Usage],
        checkpoint: Checkpoint? = nil, catalog: PlanCatalog, policy: BillingPolicy, moment: Date
    ) {
        guard let plan = PlanTimeline.present(history, catalog) else { return nil }
        let closedBefore = checkpoint?.closedBefore ?? .distantPast
        let open = charges.filter { $0.begin >= closedBefore }
        let takes = policy.refundUnits == .take
        let refunds = takes ? history.refundsThatTake.filter { $0.at <= moment } : []
        let undone = takes ? history.refundsOfChanges.filter { $0.at <= moment } : []
        var unlocking = MonthUnlocking(history: history, trialCounts: trialCounts, charges: open, refunds: refunds)
        // From the present month's begin, so that what is known ahead changes with the months and not in between.
        let ahead = history.months.begin(at: moment).adding(months: Self.monthsAhead)
        let months = history.months.months(beginningBy: min(unlocking.horizon, ahead))
        let line = BucketSeries.subscription(history.id)
        var charges = open.map { $0.within(months, adopted: history.adopted) }
        var usage = usage.map { $0.within(months, adopted: history.adopted) }
        unlocking.charges = charges
        if let adopted = history.adopted {
            charges.append(adopted.charge(line, catalog).within(months, adopted: nil))
            usage.append(adopted.usage(line, catalog).within(months, adopted: nil))
        }
        let timeline = PlanTimeline(
            history: history, unlocking: unlocking, catalog: catalog, policy: policy, refunds: undone)
        let unlocked = months.filter { $0.begin >= closedBefore }.compactMap { month in
            unlocking.unlocked(month).map { (month, $0) }
        }
        var chain = BucketChain(
            line: line, charges: charges, carried: checkpoint?.carried ?? 0)
        for (index, (month, since)) in unlocked.enumerated() {
            var granted = timeline.granted(month, catalog: catalog)
            if !since.inFull { granted = min(granted, charges.used(in: month)) }
            for refund in refunds where unlocked.lastIndex(where: { $0.1.at <= refund.at }) == index {
                granted = min(granted, usage.used(in: month, by: refund.at))
            }
            chain.append(month, unlockedAt: since.at, granted: granted)
        }
        let present = history.present
        let paidThrough = unlocking.paidThrough ?? chain.buckets.last?.end ?? history.start.adding(months: 1)
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
            // All months before a checkpoint are unlocked.
            unitsUntil: chain.buckets.end(
                at: moment, orElse: checkpoint?.closedBefore ?? history.createdAt),
            buckets: chain.buckets)
    }

    /// How far ahead months are known: a yearly plan's, and one more. Longer ones follow by the clock.
    static let monthsAhead = 13
}

extension [Bucket] {
    /// Where those end that follow each other from the present one on; without a present one, where the last one ended.
    func end(at moment: Date, orElse start: Date) -> Date {
        var end = last { $0.end <= moment }?.end ?? start
        var reached = moment
        for bucket in self where bucket.end > moment {
            guard bucket.begin <= reached, bucket.isUnlocked(at: reached) else { break }
            (end, reached) = (bucket.end, bucket.end)
        }
        return end
    }
}

extension Charge {
    /// The same charge, counted for one of these months: the one that contains the begin it was charged under, which may
    /// differ from its month since the billing day moved, else the first (R15).
    fileprivate func within(_ months: [Month], adopted: AdoptedPeriod?) -> Charge {
        var charge = self
        charge.begin = months.place(of: adopted?.moment(of: begin) ?? begin)
        return charge
    }
}

extension Usage {
    fileprivate func within(_ months: [Month], adopted: AdoptedPeriod?) -> Usage {
        var usage = self
        usage.begin = months.place(of: adopted?.moment(of: begin) ?? begin)
        return usage
    }
}

extension [Month] {
    fileprivate func place(of begin: Date) -> Date {
        contains { $0.contains(begin) } ? begin : first?.begin ?? begin
    }
}

extension [Charge] {
    fileprivate func used(in month: Month) -> Int {
        filter { month.contains($0.begin) }.reduce(0) { $0 + $1.used }
    }
}

extension [Usage] {
    /// Never less than nothing.
    fileprivate func used(in month: Month, by moment: Date) -> Int {
        Swift.max(0, filter { month.contains($0.begin) && $0.at <= moment }.reduce(0) { $0 + $1.units })
    }
}

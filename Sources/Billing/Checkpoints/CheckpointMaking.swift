import Foundation
import LemonSqueezy
import Selextract

/// Makes a subscription's checkpoint from its whole history, as late a one as is sound. Whatever is unusual makes none:
/// then the whole history goes on being read.
struct CheckpointMaking {
    let id: String
    /// All of the subscription, and the account's orders.
    let stored: [StoredEvent]
    let account: Account
    let circumstances: Checkpoint.Circumstances
    /// Of the account's first trial.
    let firstTrial: String?

    private var policy: BillingPolicy { circumstances.inForce.policy }
    private var catalog: PlanCatalog { circumstances.catalog }

    func latest() -> Checkpoint? {
        let own = stored.filter { $0.event.subscriptionID == id && !$0.event.isOrder }
        guard own.count > Checkpoint.fewestLeftOut, let owner = circumstances.owner,
            // What another program had counts as long as the subscription lives, and is not among its dates.
            own.allSatisfy({
                !$0.event.isAdopted && $0.event.updatedAt != nil && !$0.isUndecodable && $0.counts(for: owner)
            }),
            policy.refundUnits == .keep || !stored.contains(where: \.event.isFullRefund)
        else { return nil }
        guard let whole = look(stored.map(\.event), nil), let shown = whole.state.latestBucket(at: whole.moment) else {
            return nil
        }
        let months = whole.history.months.months(beginningBy: whole.moment)
        let undecided = own.filter { !$0.isDecided }.compactMap(\.event.updatedAt).min() ?? .distantFuture
        let unlocking = MonthUnlocking(
            history: whole.history, trialCounts: firstTrial == id,
            charges: account.charges.filter { $0.line == .subscription(id) })
        let unlocked = months.map { $0.isTrial ? $0.begin : unlocking.evidenced($0) }
        for index in months.indices.dropLast(Checkpoint.openMonths).suffix(Self.monthsTried).reversed()
        where index > 0 && !months[index - 1].isTrial {
            let closedBefore = months[index].begin
            let completeUntil = closedBefore.addingTimeInterval(Checkpoint.margin)
            guard closedBefore <= shown.begin, undecided > completeUntil,
                months[index + Checkpoint.openMonths].begin <= circumstances.now,
                unlocked[..<index].allSatisfy({ $0.map { $0 <= completeUntil } ?? false })
            else { continue }
            if let checkpoint = checkpoint(whole, own, closedBefore: closedBefore, owner: owner) { return checkpoint }
        }
        return nil
    }

    /// How far back one is looked for: an older one would leave much to be read, and the search costs as much as a fold
    /// for each month.
    private static let monthsTried = 24

    // MARK: One candidate

    /// A subscription as a set of events shows it.
    private struct Look {
        var history: SubscriptionHistory
        var state: SubscriptionState
        var moment: Date
    }

    private func look(_ events: [BillingEvent], _ checkpoint: Checkpoint?) -> Look? {
        let events = events.filter { !$0.isAhead(of: circumstances.now) }
        let orders = events.compactMap { event in if case .order(let order) = event.fact { order } else { nil } }
        guard
            let history = SubscriptionHistory(
                id: id, events: events.filter { $0.subscriptionID == id && !$0.isOrder }, orders: orders)
        else { return nil }
        let moment = max(circumstances.now.wholeSeconds, account.createdAt, history.latestEventAt)
        let state = SubscriptionState(
            history: history, trialCounts: firstTrial == id,
            charges: account.charges.filter { $0.line == .subscription(id) }, usage: [], checkpoint: checkpoint,
            catalog: catalog, policy: policy, moment: moment)
        return state.map { Look(history: history, state: $0, moment: moment) }
    }

    private func checkpoint(
        _ whole: Look, _ own: [StoredEvent], closedBefore: Date, owner: UUID
    ) -> Checkpoint? {
        let readAfter = closedBefore.addingTimeInterval(-Checkpoint.margin)
        guard
            let kept = EarlierEvents(
                whole.history, own.map(\.event), readAfter: readAfter, closedBefore: closedBefore, catalog: catalog)?
                .kept
        else { return nil }
        let earlier = own.count { $0.event.updatedAt.map { $0 <= readAfter } ?? false }
        guard earlier - kept.count >= Checkpoint.fewestLeftOut else { return nil }
        let checkpoint = Checkpoint(
            subscriptionID: id, userID: owner, closedBefore: closedBefore, readAfter: readAfter,
            kept: kept.sorted { $0.uuidString < $1.uuidString },
            carried: min(0, whole.state.buckets.last { $0.begin < closedBefore }?.remaining ?? 0),
            trialCounts: firstTrial == id, revision: circumstances.inForce.revision,
            catalogVersion: circumstances.catalogVersion, events: earlier)
        let read = stored.filter { $0.event.isOrder || checkpoint.reads($0.event) }
        guard !checkpoint.isVoid(read, arriving: [], circumstances), saysTheSame(checkpoint, read, whole) else {
            return nil
        }
        return checkpoint
    }

    /// Whether what it reads gives what the whole history gives, and later events find all that they build upon.
    private func saysTheSame(_ checkpoint: Checkpoint, _ read: [StoredEvent], _ whole: Look) -> Bool {
        guard let reduced = look(read.map(\.event), checkpoint) else { return false }
        var expected = whole.state
        expected.buckets.removeAll { $0.begin < checkpoint.closedBefore }
        guard reduced.state == expected, reduced.history.months.runs == whole.history.months.runs,
            reduced.history.createdAt == whole.history.createdAt
        else { return false }
        let (known, all) = (standing(reduced, by: checkpoint.readAfter), standing(whole, by: checkpoint.readAfter))
        return known == all && all?.plan == all?.told
    }

    /// What later events build upon: what is paid, and which plan is in force.
    private struct Standing: Hashable {
        var saidAt: Date
        var paidThrough: Date
        var toldAt: Date
        var told: String
        var plan: String
    }

    /// nil: a pause is not over, or something is missing.
    private func standing(_ look: Look, by moment: Date) -> Standing? {
        let history = look.history
        guard let earlier = history.with(snapshots: history.snapshots.filter { $0.updatedAt <= moment }) else {
            return nil
        }
        let unlocking = MonthUnlocking(history: earlier, trialCounts: true, charges: [])
        let timeline = PlanTimeline(
            history: history, unlocking: MonthUnlocking(history: history, trialCounts: true, charges: []),
            catalog: catalog, policy: policy, refunds: [])
        guard !unlocking.isResuming, let saidAt = unlocking.lastSaidAt, let paidThrough = unlocking.paidThrough,
            let told = PlanTimeline.told(earlier.snapshots, catalog).last, let change = timeline.change(at: moment)
        else { return nil }
        return Standing(
            saidAt: saidAt, paidThrough: paidThrough, toldAt: told.at, told: told.plan.id, plan: change.plan.id)
    }
}

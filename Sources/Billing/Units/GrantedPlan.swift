public import Foundation
import LemonSqueezy
import Selextract

/// A plan that an operator gave (R19): a subscription of its own that no event takes back.
public struct GrantedPlan: Sendable, Hashable, Identifiable {
    /// Of the operator's action.
    public var id: UUID
    public var planID: String
    /// Whole seconds, UTC.
    public var from: Date
    /// nil: until an operator ends it.
    public var until: Date?

    /// - Parameters:
    ///   - until: what was said at the grant.
    ///   - endedAt: when an operator ended it.
    public init(id: UUID, planID: String, from: Date, until: Date?, endedAt: Date? = nil) {
        self.id = id
        self.planID = planID
        self.from = from.wholeSeconds
        self.until = [until, endedAt].compactMap(\.self).min()?.wholeSeconds
    }
}

extension SubscriptionState {
    /// nil if there is no such plan any more.
    init?(grant: GrantedPlan, charges: [Charge], catalog: PlanCatalog, moment: Date) {
        guard let plan = catalog.plans[grant.planID] else { return nil }
        let end = grant.until ?? .distantFuture
        let run = MonthRun(start: grant.from)
        let present = max(0, run.number(at: min(moment, end.addingTimeInterval(-1))))
        var chain = BucketChain(line: .grant(grant.id), charges: charges)
        for number in 0...(present + Self.monthsAhead) where number == 0 || run.begin(number) < end {
            let month = Month(begin: run.begin(number), end: run.begin(number + 1))
            chain.append(
                month, unlockedAt: month.begin, granted: catalog.units(plan: plan.id, monthBeginning: month.begin))
        }
        self.init(
            id: BucketSeries.grant(grant.id).rawValue, grant: grant.id, plan: plan,
            status: moment < end ? .active : .expired, currentPeriodStart: run.begin(present),
            currentPeriodEnd: run.begin(present + 1), cancelAtPeriodEnd: false, customerID: nil, orderID: nil,
            orderItemID: nil, productID: nil, variantID: nil, createdAt: grant.from, updatedAt: grant.from,
            renewsAt: nil, endsAt: grant.until, trialEndsAt: nil, pause: nil, latestEventAt: grant.from,
            unitsUntil: chain.buckets.end(at: moment, orElse: grant.from), buckets: chain.buckets)
    }
}

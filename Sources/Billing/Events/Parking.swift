public import Foundation
import LemonSqueezy

/// Which of some subscriptions' events wait for something, and for what (R3).
public struct Parking: Sendable {
    private let catalog: PlanCatalog
    private let now: Date
    /// Subscriptions of which a snapshot is stored.
    private var known: Set<String> = []
    /// Subscriptions of which a snapshot with a plan is stored.
    private var planned: Set<String> = []

    /// - Parameters:
    ///   - events: all stored ones of the subscriptions concerned.
    ///   - now: by the database's clock.
    public init(catalog: PlanCatalog, events: some Sequence<BillingEvent>, now: Date) {
        self.catalog = catalog
        self.now = now
        for event in events where !event.isAhead(of: now) {
            guard case .snapshot(let snapshot) = event.fact else { continue }
            known.insert(snapshot.subscriptionID)
            if catalog.plan(of: snapshot) != nil { planned.insert(snapshot.subscriptionID) }
        }
    }

    /// - Returns: nil if the event waits for nothing.
    public func reason(_ event: BillingEvent, owner: Ownership) -> ParkingReason? {
        // An order is ignored, and has nothing to wait for (R18); one that is dated ahead counts from its hour.
        if event.isOrder { return nil }
        let subscription = event.subscriptionID ?? ""
        switch owner {
        case .ambiguous: return .ambiguousAccount
        // Without a snapshot nothing but a claim could name the account: the snapshot is what is missing first.
        case .unknown:
            return known.contains(subscription) || event.claimedUserID != nil ? .unknownAccount : .unknownSubscription
        case .account: break
        }
        if event.isAhead(of: now) { return .aheadOfTime }
        switch event.fact {
        case .order: return nil
        case .none: return .undecodable
        case .snapshot(let snapshot):
            if !snapshot.status.isKnown { return .unknownStatus }
            return catalog.plan(of: snapshot) == nil ? .unknownPlan : nil
        case .invoice:
            if !known.contains(subscription) { return .unknownSubscription }
            return planned.contains(subscription) ? nil : .unknownPlan
        }
    }
}

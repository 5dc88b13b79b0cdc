import LemonSqueezy

/// Which of some subscriptions' events wait for something, and for what (R3).
public struct Parking: Sendable {
    private let catalog: PlanCatalog
    /// Subscriptions of which a snapshot is stored.
    private var known: Set<String> = []
    /// Subscriptions of which a snapshot with a plan is stored.
    private var planned: Set<String> = []

    /// - Parameter events: all stored ones of the subscriptions concerned.
    public init(catalog: PlanCatalog, events: some Sequence<BillingEvent>) {
        self.catalog = catalog
        for case .snapshot(let snapshot) in events.lazy.map(\.fact) {
            known.insert(snapshot.subscriptionID)
            if catalog.plan(variant: snapshot.variantID) != nil { planned.insert(snapshot.subscriptionID) }
        }
    }

    /// - Returns: nil if the event waits for nothing.
    public func reason(_ event: BillingEvent, owner: Ownership) -> ParkingReason? {
        let subscription = event.subscriptionID ?? ""
        switch owner {
        case .ambiguous: return .ambiguousAccount
        // Without a snapshot nothing but a claim could name the account: the snapshot is what is missing first.
        case .unknown:
            return known.contains(subscription) || event.claimedUserID != nil ? .unknownAccount : .unknownSubscription
        case .account: break
        }
        switch event.fact {
        case .none: return .undecodable
        case .snapshot(let snapshot):
            if !snapshot.status.isKnown { return .unknownStatus }
            return catalog.plan(variant: snapshot.variantID) == nil ? .unknownPlan : nil
        case .invoice:
            if !known.contains(subscription) { return .unknownSubscription }
            return planned.contains(subscription) ? nil : .unknownPlan
        }
    }
}

import LemonSqueezy

/// Which of an account's, or of nobody's, events wait for something, and for what (R3).
public struct Parking: Sendable {
    private let catalog: PlanCatalog

    public init(catalog: PlanCatalog) {
        self.catalog = catalog
    }

    /// - Parameters:
    ///   - siblings: the stored events of the same subscription, this one among them.
    /// - Returns: nil if the event waits for nothing.
    public func reason(_ event: BillingEvent, owner: Ownership, siblings: [BillingEvent]) -> ParkingReason? {
        let snapshots = siblings.compactMap { sibling -> Snapshot? in
            if case .snapshot(let snapshot) = sibling.fact { snapshot } else { nil }
        }
        switch owner {
        case .ambiguous: return .ambiguousAccount
        // Without a snapshot nothing but a claim could name the account: the snapshot is what is missing first.
        case .unknown: return snapshots.isEmpty && event.claimedUserID == nil ? .unknownSubscription : .unknownAccount
        case .account: break
        }
        switch event.fact {
        case .none: return .undecodable
        case .snapshot(let snapshot):
            if !snapshot.status.isKnown { return .unknownStatus }
            return catalog.plan(variant: snapshot.variantID) == nil ? .unknownPlan : nil
        case .invoice:
            if snapshots.isEmpty { return .unknownSubscription }
            return snapshots.contains { catalog.plan(variant: $0.variantID) != nil } ? nil : .unknownPlan
        }
    }
}

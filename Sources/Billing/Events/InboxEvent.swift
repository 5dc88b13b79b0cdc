public import Foundation
public import LemonSqueezy

/// A delivery decoded, as the inbox stores it: once, so that computing an account parses no bodies.
public struct InboxEvent: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        case subscription, invoice, order, other, undecodable, rejected
    }

    /// Counts up when more is read of the same bytes: what an older version has stored is read again then.
    public static let decoder = 2

    public var delivery: Delivery
    /// SHA-256 of the bytes: the same bytes are the same event.
    public var digest: [UInt8]
    public var kind: Kind
    public var name: EventName?
    public var webhookID: String?
    public var testMode: Bool?
    public var storeID: String?
    public var dataType: String?
    public var dataID: String?
    public var subscriptionID: String?
    public var customerID: String?
    public var claimedUserID: UUID?
    public var email: String?
    public var snapshot: Snapshot?
    public var invoice: Invoice?
    public var order: Order?
    /// What is known of the outcome before any account is looked at.
    public var outcome: Outcome
    public var reason: String?

    /// Never fails: what cannot be read is stored as such (R2, R3). Whether it is accepted is judged where it is
    /// stored.
    public init(_ delivery: Delivery) {
        self.delivery = delivery
        digest = SHA256.digest(delivery.body)
        do {
            let event = try WebhookEvent(body: delivery.body)
            name = event.name
            webhookID = event.webhookID
            testMode = event.testMode
            storeID = event.storeID
            dataType = event.dataType
            dataID = event.dataID
            subscriptionID = event.subscriptionID
            customerID = event.customerID
            claimedUserID = event.customUserID.flatMap(UUID.init(uuidString:))
            email = event.email
            kind = .other
            outcome = .ignored
            switch event.object {
            case .subscription(let snapshot):
                // Only what is made here may say it: a delivery of that name is read as any other.
                self.snapshot = delivery.source == .adopted ? snapshot : snapshot.withoutAdoption
                (kind, outcome) = (.subscription, .parked)
            case .invoice(let invoice):
                self.invoice = invoice
                (kind, outcome) = (.invoice, .parked)
            case .order(let order):
                self.order = order
                kind = .order
            case .undecodable(let path):
                (kind, outcome) = (.undecodable, .parked)
                reason = "\(ParkingReason.undecodable.rawValue): \(path)"
            case .other: break
            }
        } catch {
            (kind, outcome, reason) = (.rejected, .rejected, error.rawValue)
        }
    }

    /// The same, quarantined if it is not accepted (R4). A row of another program names no store and no mode.
    public func judged(by acceptance: Acceptance) -> InboxEvent {
        guard kind != .rejected, delivery.source != .adopted,
            let refusal = acceptance.quarantine(storeID: storeID, testMode: testMode)
        else { return self }
        var event = self
        (event.outcome, event.reason) = (.quarantined, refusal.description)
        return event
    }

    /// Whether it is decided together with accounts: the rules read something of it, and it is not put aside.
    public var concernsAccounts: Bool {
        switch kind {
        case .subscription, .invoice: outcome == .parked
        case .order: outcome == .ignored
        case .other, .undecodable, .rejected: false
        }
    }

    /// What the rules read of it, as a store gives it back; nil: nothing.
    public func billingEvent(id: UUID) -> BillingEvent? {
        let fact: BillingEvent.Fact
        switch kind {
        case .subscription: fact = snapshot.map(BillingEvent.Fact.snapshot) ?? .none
        case .invoice: fact = invoice.map(BillingEvent.Fact.invoice) ?? .none
        case .order: fact = order.map(BillingEvent.Fact.order) ?? .none
        case .undecodable: fact = .none
        case .other, .rejected: return nil
        }
        guard let name, let dataType else { return nil }
        return BillingEvent(
            id: id, digest: digest, name: name, dataType: dataType, claimedUserID: claimedUserID,
            customerID: customerID, subscriptionID: subscriptionID, email: email, fact: fact)
    }
}

public import Foundation
public import LemonSqueezy

/// A stored event: what the rules read of it. Quarantined and rejected events are none.
///
/// A value, for it never changes; but a class, since a fold looks at each event of an account several times over, and a copy of
/// some twenty strings each time is what took longest.
public final class BillingEvent: Sendable, Identifiable {
    public let id: UUID
    /// SHA-256 of its bytes.
    public let digest: [UInt8]
    public let name: EventName
    /// `data.type`.
    public let dataType: String
    /// `meta.custom_data.user_id`: a claim, set by whoever opened the checkout.
    public let claimedUserID: UUID?
    public let customerID: String?
    public let subscriptionID: String?
    public let email: String?
    public let fact: Fact

    public enum Fact: Sendable, Hashable {
        case snapshot(Snapshot)
        case invoice(Invoice)
        /// It belongs to the subscription that was bought with it (R18).
        case order(Order)
        /// Authentic, but the rules read nothing of it.
        case none
    }

    public init(
        id: UUID, digest: [UInt8], name: EventName, dataType: String, claimedUserID: UUID?, customerID: String?,
        subscriptionID: String?, email: String?, fact: Fact
    ) {
        self.id = id
        self.digest = digest
        self.name = name
        self.dataType = dataType
        self.claimedUserID = claimedUserID
        self.customerID = customerID
        self.subscriptionID = subscriptionID
        self.email = email
        self.fact = fact
    }

    /// The provider's `updated_at` of what it is about, whole seconds, UTC.
    public var updatedAt: Date? {
        switch fact {
        case .snapshot(let snapshot): snapshot.updatedAt
        case .invoice(let invoice): invoice.updatedAt
        case .order(let order): order.updatedAt
        case .none: nil
        }
    }

    /// From when on it counts: an hour before its date, which is more than clocks differ by. Earlier it waits, so that
    /// a wrong date does not move the account's state into the future (R3). nil: always.
    public var countsFrom: Date? { updatedAt?.addingTimeInterval(-.hour) }

    /// Whether it is dated so far ahead that it has to wait (R3).
    public func isAhead(of now: Date) -> Bool { countsFrom.map { $0 > now } ?? false }

    /// Of a snapshot or an order: what was bought.
    public var orderID: String? {
        switch fact {
        case .snapshot(let snapshot): snapshot.orderID
        case .order(let order): order.orderID
        case .invoice, .none: nil
        }
    }

    /// Made from a row of another program (R21).
    public var isAdopted: Bool { if case .snapshot(let snapshot) = fact { snapshot.adoption != nil } else { false } }

    public var isOrder: Bool { if case .order = fact { true } else { false } }
}

extension BillingEvent: Hashable {
    public static func == (left: BillingEvent, right: BillingEvent) -> Bool {
        left === right
            || left.id == right.id && left.digest == right.digest && left.name == right.name
                && left.dataType == right.dataType && left.claimedUserID == right.claimedUserID
                && left.customerID == right.customerID && left.subscriptionID == right.subscriptionID
                && left.email == right.email && left.fact == right.fact
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(id) }
}

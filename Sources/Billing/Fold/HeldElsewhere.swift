public import Foundation
import LemonSqueezy

/// What other transactions hold at the moment: accounts, and names by which events are told whose they are. What hangs
/// together with it can be decided only when it is free again; everything else can be now.
public struct HeldElsewhere: Sendable, Hashable {
    public var accounts: Set<UUID> = []
    /// By the provider's ids.
    public var customers: Set<String> = []
    public var subscriptions: Set<String> = []
    public var orders: Set<String> = []
    /// E-mails in lower case; only where they are claims (R5).
    public var emails: Set<String> = []
    /// SHA-256 of events that name nothing.
    public var digests: Set<[UInt8]> = []
    /// Stored events that hang together with it.
    public var events: Set<UUID> = []

    public init() {}

    public var isEmpty: Bool { self == HeldElsewhere() }

    /// Whether an event that came has to wait until it is free.
    public func concerns(_ event: InboxEvent) -> Bool {
        digests.contains(event.digest)
            || touches(
                account: event.claimedUserID, customer: event.customerID, subscription: event.subscriptionID,
                orders: [event.order?.orderID, event.snapshot?.orderID], email: event.email)
    }

    fileprivate func touches(
        account: UUID?, customer: String?, subscription: String?, orders: [String?], email: String?
    ) -> Bool {
        account.map(accounts.contains) ?? false || customer.map(customers.contains) ?? false
            || subscription.map(subscriptions.contains) ?? false
            || orders.contains { $0.map(self.orders.contains) ?? false }
            || email.map { emails.contains($0.lowercased()) } ?? false
    }
}

extension LoadedAccounts {
    /// Adds everything that hangs together with what is held: it may be the same customer's, or change hands with it.
    public func connected(to held: HeldElsewhere) -> HeldElsewhere {
        var held = held
        var before: HeldElsewhere
        repeat {
            before = held
            for stored in related + others where !held.events.contains(stored.id) && held.touches(stored) {
                held.add(stored, matchByEmail: inForce.policy.matchByEmail)
            }
            for named in [attributions.bindings, attributions.matches] {
                for (subscription, user) in named { held.join(subscription, user) }
            }
            for row in subscriptions { held.join(row.state.id, row.userID) }
            if inForce.policy.matchByEmail {
                held.emails.formUnion(
                    accounts.filter { held.accounts.contains($0.userID) }.map { $0.email.lowercased() })
                held.accounts.formUnion(
                    accounts.filter { held.emails.contains($0.email.lowercased()) }.map(\.userID))
            }
        } while held != before
        return held
    }
}

extension HeldElsewhere {
    fileprivate func touches(_ stored: StoredEvent) -> Bool {
        let event = stored.event
        return stored.userID.map(accounts.contains) ?? false
            || touches(
                account: event.claimedUserID, customer: event.customerID, subscription: event.subscriptionID,
                orders: [event.orderID], email: event.email)
    }

    fileprivate mutating func add(_ stored: StoredEvent, matchByEmail: Bool) {
        let event = stored.event
        events.insert(stored.id)
        accounts.formUnion([stored.userID, event.claimedUserID].compactMap(\.self))
        customers.formUnion([event.customerID].compactMap(\.self))
        subscriptions.formUnion([event.subscriptionID].compactMap(\.self))
        orders.formUnion([event.orderID].compactMap(\.self))
        if matchByEmail { emails.formUnion([event.email?.lowercased()].compactMap(\.self)) }
    }

    fileprivate mutating func join(_ subscription: String, _ user: UUID) {
        guard subscriptions.contains(subscription) || accounts.contains(user) else { return }
        subscriptions.insert(subscription)
        accounts.insert(user)
    }
}

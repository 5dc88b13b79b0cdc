public import Foundation
import LemonSqueezy

/// Whose a subscription is (R5).
public enum Ownership: Sendable, Hashable {
    case account(UUID)
    /// The customer's other subscriptions, or the e-mail, lead to more than one account.
    case ambiguous
    case unknown
}

/// The accounts that claims may name, as far as they exist.
public struct KnownAccounts: Sendable {
    public var ids: Set<UUID>
    /// By e-mail in lower case.
    public var byEmail: [String: Set<UUID>]

    public init(ids: Set<UUID>, byEmail: [String: Set<UUID>] = [:]) {
        self.ids = ids
        self.byEmail = byEmail
    }
}

/// The claims on a group of subscriptions, judged over all their stored events, strongest first: an operator's binding,
/// custom data, the customer's other subscriptions, the e-mail.
public struct Claims: Sendable {
    /// By subscription id, in the order in which the first that names an account wins.
    private let events: [String: [BillingEvent]]
    /// What operators said, by subscription id: the newest binding.
    private let bindings: [String: UUID]
    private let accounts: KnownAccounts
    private let matchByEmail: Bool
    private let direct: [String: UUID]

    /// - Parameters:
    ///   - events: all stored ones of all the subscriptions of the customers concerned.
    public init(events: [BillingEvent], bindings: [String: UUID], accounts: KnownAccounts, matchByEmail: Bool) {
        let grouped = Dictionary(grouping: events.filter { $0.subscriptionID != nil && $0.updatedAt != nil }) {
            $0.subscriptionID ?? ""
        }
        self.events = grouped.mapValues { $0.sorted(by: Self.precedes) }
        self.bindings = bindings.filter { accounts.ids.contains($0.value) }
        self.accounts = accounts
        self.matchByEmail = matchByEmail
        var direct = self.events.compactMapValues { events in
            events.lazy.compactMap(\.claimedUserID).first { accounts.ids.contains($0) }
        }
        direct.merge(self.bindings) { _, binding in binding }
        self.direct = direct
    }

    public var subscriptions: some Sequence<String> { events.keys }

    public func owner(of subscription: String) -> Ownership {
        if let account = direct[subscription] { return .account(account) }
        let customers = Set(customers(of: subscription))
        let siblings = events.keys.filter { !customers.isDisjoint(with: self.customers(of: $0)) }
        let reached = Set(siblings.compactMap { direct[$0] })
        if let only = reached.first { return reached.count == 1 ? .account(only) : .ambiguous }
        guard matchByEmail else { return .unknown }
        for event in events[subscription] ?? [] {
            guard let email = event.email?.lowercased(), let found = accounts.byEmail[email], let first = found.first
            else { continue }
            return found.count == 1 ? .account(first) : .ambiguous
        }
        return .unknown
    }

    private func customers(of subscription: String) -> [String] {
        (events[subscription] ?? []).compactMap(\.customerID)
    }

    /// `updated_at`, type, SHA-256: an order that no arrival can change.
    private static func precedes(_ left: BillingEvent, _ right: BillingEvent) -> Bool {
        if left.updatedAt != right.updatedAt {
            return (left.updatedAt ?? .distantPast) < (right.updatedAt ?? .distantPast)
        }
        if left.dataType != right.dataType { return left.dataType < right.dataType }
        return left.digest.lexicographicallyPrecedes(right.digest)
    }
}

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

/// What is stored of whose subscriptions are, by subscription id (R5).
public struct Attributions: Sendable {
    /// What operators said: the newest binding.
    public var bindings: [String: UUID]
    /// Matches that were made by e-mail, the newest of each.
    public var matches: [String: UUID]

    public init(bindings: [String: UUID] = [:], matches: [String: UUID] = [:]) {
        self.bindings = bindings
        self.matches = matches
    }

    /// - Parameter actions: of operators, the newest first.
    public init(actions: [OperatorAction]) {
        self.init()
        for action in actions {
            switch action.kind {
            case .bind(let subscription): bindings[subscription] = bindings[subscription] ?? action.userID
            case .match(let subscription): matches[subscription] = matches[subscription] ?? action.userID
            case .adjust, .grant, .endGrants: break
            }
        }
    }
}

/// The claims on a group of subscriptions, judged over all their stored events, strongest first: an operator's binding,
/// custom data, the customer's other subscriptions, the e-mail.
public struct OwnershipClaims: Sendable {
    /// By subscription id, in the order in which the first that names an account wins.
    private let events: [String: [BillingEvent]]
    /// Of accounts that exist.
    private let matches: [String: UUID]
    private let accounts: KnownAccounts
    private let matchByEmail: Bool
    private let direct: [String: UUID]

    /// - Parameters:
    ///   - events: all stored ones of all the subscriptions of the customers concerned.
    ///   - matchByEmail: whether a match may be made. One that was made holds in any case.
    public init(events: [BillingEvent], attributions: Attributions, accounts: KnownAccounts, matchByEmail: Bool) {
        let grouped = Dictionary(grouping: events.filter { $0.subscriptionID != nil && $0.updatedAt != nil }) {
            $0.subscriptionID ?? ""
        }
        self.events = grouped.mapValues { $0.sorted(by: Self.precedes) }
        self.matches = attributions.matches.filter { accounts.ids.contains($0.value) }
        self.accounts = accounts
        self.matchByEmail = matchByEmail
        var direct = self.events.compactMapValues { events in
            events.lazy.compactMap(\.claimedUserID).first { accounts.ids.contains($0) }
        }
        direct.merge(attributions.bindings.filter { accounts.ids.contains($0.value) }) { _, binding in binding }
        self.direct = direct
    }

    public var subscriptions: some Sequence<String> { events.keys }

    public func owner(of subscription: String) -> Ownership {
        claimed(subscription) ?? matches[subscription].map(Ownership.account) ?? matched(subscription)
    }

    /// Matches by e-mail that are made now, and are to be remembered: changing an account's e-mail later neither loses
    /// nor gives away a plan.
    public var newMatches: [(subscription: String, user: UUID)] {
        events.keys.sorted().compactMap { subscription in
            guard claimed(subscription) == nil, matches[subscription] == nil,
                case .account(let user) = matched(subscription)
            else { return nil }
            return (subscription, user)
        }
    }

    /// By a binding, custom data, or the customer's other subscriptions; nil: by none of these.
    private func claimed(_ subscription: String) -> Ownership? {
        if let account = direct[subscription] { return .account(account) }
        let customers = Set(customers(of: subscription))
        let siblings = events.keys.filter { !customers.isDisjoint(with: self.customers(of: $0)) }
        let reached = Set(siblings.compactMap { direct[$0] })
        return reached.first.map { reached.count == 1 ? .account($0) : .ambiguous }
    }

    private func matched(_ subscription: String) -> Ownership {
        guard matchByEmail else { return .unknown }
        for event in events[subscription] ?? [] {
            guard let email = event.email?.comparedAsEmail, let found = accounts.byEmail[email], let first = found.first
            else { continue }
            return found.count == 1 ? .account(first) : .ambiguous
        }
        return .unknown
    }

    private func customers(of subscription: String) -> [String] {
        (events[subscription] ?? []).compactMap(\.customerID)
    }

    /// `updated_at`, type, SHA-256: an order that does not depend on when events arrived.
    static func precedes(_ left: BillingEvent, _ right: BillingEvent) -> Bool {
        // What another program had was there before (R21).
        if left.isAdopted != right.isAdopted { return left.isAdopted }
        if left.updatedAt != right.updatedAt {
            return (left.updatedAt ?? .distantPast) < (right.updatedAt ?? .distantPast)
        }
        if left.dataType != right.dataType { return left.dataType < right.dataType }
        return left.digest.lexicographicallyPrecedes(right.digest)
    }
}

/// Which account an order belongs to (R18): that of the subscription that was bought with it, else the one that its
/// custom data names. An order is no claim on a subscription.
public struct OrderOwners: Sendable {
    private let subscriptions: [String: Ownership]
    private let existing: Set<UUID>
    /// All accounts that an order belongs to.
    public private(set) var accounts: Set<UUID> = []

    /// - Parameters:
    ///   - events: the orders, and the snapshots of the subscriptions.
    ///   - owners: of the subscriptions, by id.
    public init(events: [BillingEvent], owners: [String: Ownership], accounts: KnownAccounts) {
        // Of several subscriptions of one order the first by its id, whichever came first.
        var first: [String: String] = [:]
        for event in events where !event.isOrder {
            guard let order = event.orderID, let id = event.subscriptionID, case .account? = owners[id] else {
                continue
            }
            first[order] = min(first[order] ?? id, id)
        }
        subscriptions = first.compactMapValues { owners[$0] }
        existing = accounts.ids
        self.accounts = Set(events.filter(\.isOrder).compactMap(owner))
    }

    /// nil: nobody's yet.
    public func owner(of event: BillingEvent) -> UUID? {
        if case .account(let user)? = event.orderID.flatMap({ subscriptions[$0] }) { return user }
        return event.claimedUserID.flatMap { existing.contains($0) ? $0 : nil }
    }
}

extension String {
    /// As which an e-mail is compared with others: case does not count (R5). nil: with none, since it has letters beyond
    /// ASCII's, of whose case each database thinks differently.
    var comparedAsEmail: String? { utf8.allSatisfy { $0 < 0x80 } ? lowercased() : nil }
}

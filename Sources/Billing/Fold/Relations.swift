import LemonSqueezy

/// What events are about, by the provider's ids: what has to be locked and loaded to decide them.
public struct Relations: Sendable, Hashable {
    public var customers: Set<String>
    public var subscriptions: Set<String>
    /// They lead to the subscriptions that were bought with them (R18).
    public var orders: Set<String>
    /// Orders that snapshots name: loaded, but they lead to no further subscription.
    public var purchases: Set<String>

    public init(
        customers: Set<String> = [], subscriptions: Set<String> = [], orders: Set<String> = [],
        purchases: Set<String> = []
    ) {
        self.customers = customers
        self.subscriptions = subscriptions
        self.orders = orders
        self.purchases = purchases
    }

    public init(of events: [InboxEvent]) {
        self.init(
            customers: Set(events.compactMap(\.customerID)), subscriptions: Set(events.compactMap(\.subscriptionID)),
            orders: Set(events.compactMap(\.order?.orderID)), purchases: Set(events.compactMap(\.snapshot?.orderID)))
    }

    public var isEmpty: Bool {
        customers.isEmpty && subscriptions.isEmpty && orders.isEmpty && purchases.isEmpty
    }

    public mutating func formUnion(_ other: Relations) {
        customers.formUnion(other.customers)
        subscriptions.formUnion(other.subscriptions)
        orders.formUnion(other.orders)
        purchases.formUnion(other.purchases)
    }

    public func union(_ other: Relations) -> Relations {
        var union = self
        union.formUnion(other)
        return union
    }
}

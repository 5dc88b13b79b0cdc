public import Foundation

/// A subscription as one event tells it: of its attributes, those the rules read. Times are whole seconds, UTC.
public struct Snapshot: Hashable, Sendable {
    public var subscriptionID: String
    public var customerID: String?
    /// Which plan, by ``variantID`` only (R6); the product is kept for people.
    public var productID: String?
    public var variantID: String
    public var orderID: String?
    public var orderItemID: String?
    public var email: String?
    public var status: SubscriptionStatus
    public var pause: Pause?
    /// Set only while `on_trial`: the provider clears it afterwards.
    public var trialEndsAt: Date?
    /// The next charge; for `past_due` the next attempt.
    public var renewsAt: Date?
    /// Set only when cancelled or expired.
    public var endsAt: Date?
    public var createdAt: Date
    public var order: SnapshotOrder

    public var updatedAt: Date { order.updatedAt }

    public init(
        subscriptionID: String, customerID: String?, productID: String?, variantID: String, orderID: String?,
        orderItemID: String?, email: String?, status: SubscriptionStatus, pause: Pause?, trialEndsAt: Date?,
        renewsAt: Date?, endsAt: Date?, createdAt: Date, order: SnapshotOrder
    ) {
        self.subscriptionID = subscriptionID
        self.customerID = customerID
        self.productID = productID
        self.variantID = variantID
        self.orderID = orderID
        self.orderItemID = orderItemID
        self.email = email
        self.status = status
        self.pause = pause
        self.trialEndsAt = trialEndsAt
        self.renewsAt = renewsAt
        self.endsAt = endsAt
        self.createdAt = createdAt
        self.order = order
    }

    /// How a paused subscription is paused. No mode counts as `void` (R9).
    public struct Pause: Hashable, Sendable {
        /// `void`: no access; `free`: access without charge.
        public var mode: String?
        public var resumesAt: Date?

        public init(mode: String?, resumesAt: Date?) {
            self.mode = mode
            self.resumesAt = resumesAt
        }
    }
}

extension Snapshot {
    init(id: JSONValue?, attributes: Attributes, name: EventName) throws(Undecodable) {
        guard let subscriptionID = id?.identifier else { throw Undecodable(path: "data.id", value: id) }
        let updatedAt = try attributes.required(date: "updated_at")
        self.init(
            subscriptionID: subscriptionID,
            customerID: attributes.identifier("customer_id"),
            productID: attributes.identifier("product_id"),
            variantID: try attributes.required(identifier: "variant_id"),
            orderID: attributes.identifier("order_id"),
            orderItemID: attributes.identifier("order_item_id"),
            email: attributes.email,
            status: SubscriptionStatus(rawValue: try attributes.required(word: "status")),
            pause: try attributes.pause(),
            trialEndsAt: try attributes.optional(date: "trial_ends_at"),
            renewsAt: try attributes.optional(date: "renews_at"),
            endsAt: try attributes.optional(date: "ends_at"),
            createdAt: try attributes.required(date: "created_at"),
            order: SnapshotOrder(
                updatedAt: updatedAt,
                snapshotSecond: attributes.snapshotSecond,
                rank: name.snapshotRank,
                digest: SHA256.digest(attributes.value.canonicalBytes(without: "urls"))
            )
        )
    }
}

extension Attributes {
    /// Null, an empty array and an empty object all say "not paused": the provider's language encodes an empty map as
    /// an array.
    fileprivate func pause() throws(Undecodable) -> Snapshot.Pause? {
        switch value["pause"] {
        case nil, .null, .array([]), .object([]): return nil
        case .object(let members)?:
            let pause = Attributes(value: .object(members), path: path + ".pause")
            return Snapshot.Pause(
                mode: try pause.optional(word: "mode"), resumesAt: try pause.optional(date: "resumes_at"))
        case let other: throw Undecodable(path: path + ".pause", value: other)
        }
    }

    fileprivate var snapshotSecond: Int {
        guard case .string(let url)? = value["urls"]?["customer_portal"] else { return 0 }
        return ExpiringURL(url)?.expires ?? 0
    }
}

public import Foundation

/// A subscription as one event tells it: of its attributes, those the rules read. Times are whole seconds, UTC.
public struct Snapshot: Hashable, Sendable {
    public var subscriptionID: String
    public var customerID: String?
    /// Which plan, by ``variantID`` only (R6); the product is kept for people.
    public var productID: String?
    /// nil: the provider names none, as it may once the subscription is over. Then the last plan known stays (R3).
    public var variantID: String?
    public var orderID: String?
    public var orderItemID: String?
    public var email: String?
    public var status: SubscriptionStatus
    public var pause: Pause?
    /// After a trial the provider sometimes keeps it, sometimes clears it.
    public var trialEndsAt: Date?
    /// The next charge; for `past_due` the next attempt.
    public var renewsAt: Date?
    /// Set only when cancelled or expired.
    public var endsAt: Date?
    /// The day of the month, 1 to 31, on which the provider bills.
    public var billingAnchor: Int?
    public var createdAt: Date
    public var order: SnapshotOrder
    /// nil: it is the provider's own word.
    public var adoption: Adoption?

    public var updatedAt: Date { order.updatedAt }

    public init(
        subscriptionID: String, customerID: String?, productID: String?, variantID: String?, orderID: String?,
        orderItemID: String?, email: String?, status: SubscriptionStatus, pause: Pause?, trialEndsAt: Date?,
        renewsAt: Date?, endsAt: Date?, billingAnchor: Int? = nil, createdAt: Date, order: SnapshotOrder,
        adoption: Adoption? = nil
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
        self.billingAnchor = billingAnchor
        self.createdAt = createdAt
        self.order = order
        self.adoption = adoption
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
    /// Needs no more than the id, the status and `updated_at` (R3): what else is missing or cannot be read is nil, and
    /// a missing `created_at` is taken for `updated_at`.
    init(id: JSONValue?, attributes: Attributes, name: EventName) throws(Undecodable) {
        guard let subscriptionID = id?.identifier else { throw Undecodable(path: "data.id", value: id) }
        let updatedAt = try attributes.required(date: "updated_at")
        let status = SubscriptionStatus(rawValue: try attributes.required(word: "status"))
        let adoption = name == .subscriptionAdopted ? try Adoption(attributes) : nil
        self.init(
            subscriptionID: subscriptionID,
            customerID: attributes.identifier("customer_id"),
            productID: attributes.identifier("product_id"),
            variantID: attributes.identifier("variant_id"),
            orderID: attributes.identifier("order_id"),
            orderItemID: attributes.identifier("order_item_id"),
            email: attributes.email,
            status: status,
            pause: try attributes.pause(),
            trialEndsAt: try attributes.optional(date: "trial_ends_at"),
            renewsAt: try attributes.optional(date: "renews_at"),
            endsAt: try attributes.optional(date: "ends_at"),
            billingAnchor: attributes.int("billing_anchor").flatMap { (1...31).contains($0) ? $0 : nil },
            createdAt: try attributes.optional(date: "created_at") ?? updatedAt,
            order: SnapshotOrder(
                updatedAt: updatedAt,
                snapshotSecond: attributes.snapshotSecond,
                rank: name.snapshotRank,
                statusRank: status.snapshotRank,
                digest: SHA256.digest(attributes.value.canonicalBytes(without: "urls")),
                isAdopted: adoption != nil
            ),
            adoption: adoption
        )
        // Each month becomes a row. Dates that lie a century apart are a mistake, and must not become 1,200 of them.
        let latest = [updatedAt, trialEndsAt, renewsAt, endsAt, pause?.resumesAt].compactMap(\.self).max() ?? updatedAt
        guard latest.timeIntervalSince(createdAt) < Self.longestLife else {
            throw Undecodable(reason: "\(attributes.path): its dates lie more than 1,200 months apart")
        }
    }

    /// 1,200 months, in seconds.
    private static let longestLife = 1200 * 365.2425 / 12 * 86_400
}

extension Attributes {
    /// nil unless it is an object with members: not paused. The provider encodes an empty object as an array.
    fileprivate func pause() throws(Undecodable) -> Snapshot.Pause? {
        switch value["pause"] {
        case .object(let members)? where !members.isEmpty:
            let pause = Attributes(value: .object(members), path: path + ".pause")
            return Snapshot.Pause(mode: pause.word("mode"), resumesAt: try pause.optional(date: "resumes_at"))
        default: return nil
        }
    }

    fileprivate var snapshotSecond: Int {
        guard case .string(let url)? = value["urls"]?["customer_portal"] else { return 0 }
        return ExpiringURL(url)?.expires ?? 0
    }
}

public import Foundation

/// An order as one event tells it. Money is in minor units of ``currency``; times are whole seconds, UTC.
///
/// The rules take nothing from an order but that it was refunded (R18), so only its id is required, and whatever else
/// cannot be read, or lies after the year 2199, is nil.
public struct Order: Hashable, Sendable {
    public var orderID: String
    public var customerID: String?
    public var email: String?
    /// `pending`, `failed`, `paid`, `refunded`, `partial_refund` or `fraudulent`.
    public var status: String?
    /// True only when refunded in full.
    public var refunded: Bool
    public var refundedAt: Date?
    public var currency: String?
    public var total: Int?
    public var refundedAmount: Int?
    /// The variant of `first_order_item`.
    public var variantID: String?
    public var createdAt: Date?
    public var updatedAt: Date?

    public init(
        orderID: String, customerID: String?, email: String?, status: String?, refunded: Bool, refundedAt: Date?,
        currency: String?, total: Int?, refundedAmount: Int?, variantID: String?, createdAt: Date?, updatedAt: Date?
    ) {
        self.orderID = orderID
        self.customerID = customerID
        self.email = email
        self.status = status
        self.refunded = refunded
        self.refundedAt = refundedAt
        self.currency = currency
        self.total = total
        self.refundedAmount = refundedAmount
        self.variantID = variantID
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}

extension Order {
    init(id: JSONValue?, attributes: Attributes) throws(Undecodable) {
        guard let orderID = id?.identifier else { throw Undecodable(path: "data.id", value: id) }
        self.init(
            orderID: orderID,
            customerID: attributes.identifier("customer_id"),
            email: attributes.email,
            status: attributes.word("status"),
            refunded: attributes.bool("refunded") ?? false,
            refundedAt: try? attributes.optional(date: "refunded_at"),
            currency: attributes.word("currency"),
            total: attributes.int("total"),
            refundedAmount: attributes.int("refunded_amount"),
            variantID: attributes.value["first_order_item"]?["variant_id"]?.identifier,
            createdAt: try? attributes.optional(date: "created_at"),
            updatedAt: try? attributes.optional(date: "updated_at")
        )
    }
}

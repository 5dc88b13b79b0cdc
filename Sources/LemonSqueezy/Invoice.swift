public import Foundation

/// A subscription invoice as one event tells it. Money is in minor units of ``currency``; times are whole seconds, UTC.
public struct Invoice: Hashable, Sendable {
    /// `data.id` of the event: the invoice's, not the subscription's.
    public var invoiceID: String
    public var subscriptionID: String
    public var customerID: String?
    public var email: String?
    /// `initial`, `renewal` or `updated`.
    public var billingReason: String?
    /// `pending`, `paid`, `void`, `refunded`, `partial_refund` or `partial_refunded`.
    public var status: String?
    /// True only when refunded in full.
    public var refunded: Bool
    public var refundedAt: Date?
    public var currency: String?
    public var total: Int?
    public var refundedAmount: Int?
    public var createdAt: Date
    public var updatedAt: Date

    public init(
        invoiceID: String, subscriptionID: String, customerID: String?, email: String?, billingReason: String?,
        status: String?, refunded: Bool, refundedAt: Date?, currency: String?, total: Int?, refundedAmount: Int?,
        createdAt: Date, updatedAt: Date
    ) {
        self.invoiceID = invoiceID
        self.subscriptionID = subscriptionID
        self.customerID = customerID
        self.email = email
        self.billingReason = billingReason
        self.status = status
        self.refunded = refunded
        self.refundedAt = refundedAt
        self.currency = currency
        self.total = total
        self.refundedAmount = refundedAmount
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}

extension Invoice {
    /// Status and billing reason decide whether units are given (R12): when present they must be readable.
    init(id: JSONValue?, attributes: Attributes) throws(Undecodable) {
        guard let invoiceID = id?.identifier else { throw Undecodable(path: "data.id", value: id) }
        self.init(
            invoiceID: invoiceID,
            subscriptionID: try attributes.required(identifier: "subscription_id"),
            customerID: attributes.identifier("customer_id"),
            email: attributes.email,
            billingReason: try attributes.optional(word: "billing_reason"),
            status: try attributes.optional(word: "status"),
            refunded: attributes.bool("refunded") ?? false,
            refundedAt: try attributes.optional(date: "refunded_at"),
            currency: attributes.word("currency"),
            total: attributes.int("total"),
            refundedAmount: attributes.int("refunded_amount"),
            createdAt: try attributes.required(date: "created_at"),
            updatedAt: try attributes.required(date: "updated_at")
        )
    }
}

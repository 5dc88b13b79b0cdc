public import Foundation
import LemonSqueezy

/// A subscription as the provider holds it, to make deliveries of: change what changes, then ask for the event.
public struct ProviderSubscription: Sendable, Hashable {
    public var id = "910001"
    public var customerID = "515001"
    public var storeID = "4242"
    /// `custom_data.user_id`; nil: nothing was passed at the checkout.
    public var userID: UUID?
    public var email = "ada@example.com"
    public var orderID = "616001"
    /// nil: the provider names none.
    public var variantID: String? = "101"
    public var status = "active"
    public var pauseMode: String?
    public var resumesAt: Date?
    public var trialEndsAt: Date?
    public var renewsAt: Date?
    public var endsAt: Date?
    public var billingAnchor: Int?
    public var createdAt: Date
    public var updatedAt: Date
    public var testMode = true

    public init(userID: UUID?, createdAt: Date, renewsAt: Date?) {
        self.userID = userID
        self.createdAt = createdAt
        self.updatedAt = createdAt
        self.renewsAt = renewsAt
    }

    /// The body of a subscription event, as it is now.
    ///
    /// - Parameters:
    ///   - name: the event's, for example `subscription_updated`.
    ///   - at: when it changed; from now on its `updated_at`. nil: as before.
    ///   - snapshotAt: the second in which the provider looked at it; nil: that of the change.
    ///   - delivery: another number makes other bytes of the same event.
    /// - Returns: JSON as the provider spells it.
    public mutating func event(
        _ name: String, at: Date? = nil, snapshotAt: Date? = nil, delivery: Int = 0
    ) -> [UInt8] {
        updatedAt = at ?? updatedAt
        let expires = Int((snapshotAt ?? updatedAt).timeIntervalSince1970) + 6 * 3600
        let portal = "https://selextract.lemonsqueezy.com/billing?expires=\(expires)&test_mode=1&signature=00"
        let pause: JSONValue =
            status == "paused"
            ? .object([
                .init("mode", pauseMode.map(JSONValue.string) ?? .null), .init("resumes_at", Self.time(resumesAt)),
            ]) : .null
        return envelope(
            name, type: "subscriptions", dataID: id, delivery: delivery,
            attributes: [
                .init("store_id", .number(storeID)), .init("customer_id", .number(customerID)),
                .init("order_id", .number(orderID)), .init("order_item_id", .number("626001")),
                .init("product_id", .number("71")), .init("variant_id", variantID.map(JSONValue.number) ?? .null),
                .init("user_email", .string(email)), .init("status", .string(status)), .init("pause", pause),
                .init("cancelled", .bool(status == "cancelled")), .init("trial_ends_at", Self.time(trialEndsAt)),
                .init("urls", .object([.init("customer_portal", .string(portal))])),
                .init("billing_anchor", billingAnchor.map { .number(String($0)) } ?? .null),
                .init("renews_at", Self.time(renewsAt)), .init("ends_at", Self.time(endsAt)),
                .init("created_at", Self.time(createdAt)), .init("updated_at", Self.time(updatedAt)),
                .init("test_mode", .bool(testMode)),
            ])
    }

    /// The body of an invoice event.
    public func invoice(
        _ name: String = "subscription_payment_success", id: Int, reason: String = "renewal", status: String = "paid",
        createdAt: Date, updatedAt: Date? = nil, refundedAt: Date? = nil, delivery: Int = 0
    ) -> [UInt8] {
        envelope(
            name, type: "subscription-invoices", dataID: String(id), delivery: delivery,
            attributes: [
                .init("store_id", .number(storeID)), .init("subscription_id", .number(self.id)),
                .init("customer_id", .number(customerID)), .init("user_email", .string(email)),
                .init("billing_reason", .string(reason)), .init("status", .string(status)),
                .init("currency", .string("USD")), .init("total", .number("1900")),
                .init("refunded", .bool(status == "refunded")), .init("refunded_at", Self.time(refundedAt)),
                .init("created_at", Self.time(createdAt)), .init("updated_at", Self.time(updatedAt ?? createdAt)),
                .init("test_mode", .bool(testMode)),
            ])
    }

    /// The body of an event of the order that it was bought with.
    public func order(
        _ name: String = "order_created", status: String = "paid", createdAt: Date? = nil, updatedAt: Date? = nil,
        refundedAt: Date? = nil, delivery: Int = 0
    ) -> [UInt8] {
        let createdAt = createdAt ?? self.createdAt
        return envelope(
            name, type: "orders", dataID: orderID, delivery: delivery,
            attributes: [
                .init("store_id", .number(storeID)), .init("customer_id", .number(customerID)),
                .init("user_email", .string(email)), .init("status", .string(status)),
                .init("currency", .string("USD")), .init("total", .number("1900")),
                .init("refunded", .bool(status == "refunded")), .init("refunded_at", Self.time(refundedAt)),
                .init("created_at", Self.time(createdAt)), .init("updated_at", Self.time(updatedAt ?? createdAt)),
                .init("test_mode", .bool(testMode)),
            ])
    }

    private func envelope(
        _ name: String, type: String, dataID: String, delivery: Int, attributes: [JSONValue.Member]
    ) -> [UInt8] {
        var meta: [JSONValue.Member] = [
            .init("test_mode", .bool(testMode)), .init("event_name", .string(name)),
        ]
        if let userID {
            meta.append(.init("custom_data", .object([.init("user_id", .string(userID.uuidString.lowercased()))])))
        }
        let webhookID = "00000000-0000-4000-8000-" + String(1_000_000_000_000 + delivery).suffix(12)
        meta.append(.init("webhook_id", .string(webhookID)))
        let data: JSONValue = .object([
            .init("type", .string(type)), .init("id", .string(dataID)), .init("attributes", .object(attributes)),
        ])
        return JSONValue.object([.init("meta", .object(meta)), .init("data", data)]).wireBytes()
    }

    private static func time(_ date: Date?) -> JSONValue {
        guard let date else { return .null }
        return .string(date.formatted(.iso8601.dateSeparator(.dash)).dropLast() + ".000000Z")
    }
}

extension Date {
    /// A moment written as `2026-10-12 09:30:04`, UTC; a test that misspells one cannot go on.
    public static func utc(_ text: String) -> Date {
        guard let date = try? Date(text.replacing(" ", with: "T") + "Z", strategy: .iso8601) else {
            preconditionFailure("“\(text)” is no moment")
        }
        return date
    }
}

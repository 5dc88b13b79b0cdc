public import Databases
public import Foundation

extension Lists {
    /// What operators did, and matches that are remembered like it; newest first.
    public func acts(limit: Int, before: Cursor?) async throws -> Listing<OperatorRecord> {
        try await driver.list(
            Query<OperatorRecord>(
                select: """
                    from operator_actions where \(.behind(before, in: "operator_actions"))
                    order by created_at desc, id desc limit \(limit)
                    """))
    }

    /// The last act about something; nil: there is none. Whatever is about several things is about each.
    public func lastAct(
        user: UUID? = nil, subscription: String? = nil, events: [UUID] = []
    ) async throws -> UUID? {
        let (ofUser, ofSubscription, ofEvents) = try await driver.fetch(
            Query<OperatorRecord>.lastAct("user_id = \(user)"),
            Query<OperatorRecord>.lastAct("subscription_id = \(subscription)"),
            Query<OperatorRecord>.lastAct("event_id is not null and \("event_id", in: events)"))
        return (ofUser + ofSubscription + ofEvents).max { ($0.at, $0.id.text) < ($1.at, $1.id.text) }?.id
    }

    /// What an event changed, oldest first.
    public func ledger(event: UUID) async throws -> Listing<LedgerRecord> {
        // By an expression, else the whole ledger may be walked in its order for the few entries of an event.
        try await driver.list(
            Query<LedgerRecord>(
                select: "from compute_unit_ledger where event_id = \(event) order by +id limit 100"))
    }

    /// Invoices of a subscription as they were last told, newest first.
    public func invoices(subscription: String, limit: Int) async throws -> [InvoiceRecord] {
        try await driver.fetch(
            Query<InvoiceRecord>(
                """
                select id, data_id, billing_reason, status, currency, total, refunded_amount, source_created_at, received_at
                from webhook_events
                where subscription_id = \(subscription) and kind = 'invoice'
                order by source_updated_at desc limit \(limit)
                """
            ) { row in
                InvoiceRecord(
                    eventID: try row["id"], id: try row["data_id"], reason: try row["billing_reason"],
                    status: try row["status"], currency: try row["currency"], total: try row["total"],
                    refunded: try row["refunded_amount"], createdAt: try row["source_created_at"],
                    receivedAt: try row["received_at"])
            })
    }
}

/// An invoice as an event told of it.
public struct InvoiceRecord: Sendable, Hashable {
    public var eventID: UUID
    /// The provider's.
    public var id: String?
    /// `initial`, `renewal` or `updated`.
    public var reason: String?
    public var status: String?
    public var currency: String?
    /// In cents.
    public var total: Int?
    /// In cents.
    public var refunded: Int?
    /// The provider's time.
    public var createdAt: Date?
    public var receivedAt: Date
}

extension Query where Result == OperatorRecord {
    fileprivate static func lastAct(_ condition: SQL) -> Query {
        Query(select: "from operator_actions where \(condition) order by created_at desc, id desc limit 1")
    }
}

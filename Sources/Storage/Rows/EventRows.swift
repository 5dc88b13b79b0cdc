public import Billing
public import Databases
public import Foundation
import LemonSqueezy
import Selextract

// Rows of `webhook_events`: an event as it is stored, as the rules read it, and as an operator sees it.

extension Outcome: StoredValue {}
extension InboxEvent.Kind: StoredValue {}
extension SecretMatch: StoredValue {}
extension Delivery.Source: StoredValue {}
extension EventName: StoredValue {}
extension SubscriptionStatus: StoredValue {}

/// An event with all that is stored of it at once.
struct NewEventRow: Sendable {
    var new: DeliveryBatch.New
    var decision: EventDecision
    var at: Date

    private var redeliveries: Redeliveries? { new.again.isEmpty ? nil : Redeliveries(new.again, at: at) }
    private var attempts: Int { decision.outcome == .failed ? 1 : 0 }
    private var nextAttemptAt: Date? {
        decision.outcome == .failed ? at.addingTimeInterval(RetryDelay.first(reason: decision.reason)) : nil
    }

    static let table = Table<NewEventRow>(
        "webhook_events", key: ["id"],
        [
            Column("id", \.new.id), Column("body", \.new.event.delivery.body),
            Column("body_sha256", \.new.event.digest), Column("source", \.new.event.delivery.source),
            Column("signature", \.new.event.delivery.signature),
            Column("matched_secret", \.new.event.delivery.matchedSecret),
            Column("deliveries", \.new.deliveries), Column("redeliveries", \.redeliveries), Column("received_at", \.at),
            Column("last_received_at", \.at), Column("outcome", \.decision.outcome),
            Column("reason", \.decision.reason), Column("user_id", \.decision.userID),
            Column("attempts", \.attempts), Column("next_attempt_at", \.nextAttemptAt),
        ] + DecodedColumns.all(\.new.event))
}

/// A line each, about so many: whoever repeats an event a thousand times must not make it long.
struct Redeliveries: StoredValue {
    private static let kept = 20

    var all: [Redelivery]

    init(_ origins: [String], at moment: Date) {
        all = origins.prefix(Self.kept).map { Redelivery(at: moment, origin: $0) }
    }

    /// What becomes of the stored ones when `new` are added.
    static let addition = """
        case when length(coalesce(webhook_events.redeliveries, '')) < \(kept * 33)
            then coalesce(webhook_events.redeliveries, '') || new.redeliveries else webhook_events.redeliveries end
        """

    static var sqlType: SQLType { .text }
    var sqlValue: SQLValue { .text(all.map { "\($0)\n" }.joined()) }

    init?(sqlValue: SQLValue) {
        guard let text = String(sqlValue: sqlValue) else { return nil }
        all = text.split(separator: "\n").compactMap { line in
            let parts = line.split(separator: " ", maxSplits: 1)
            guard parts.count == 2, let at = ISOTime.date(from: String(parts[0])) else { return nil }
            return Redelivery(at: at, origin: String(parts[1]))
        }
    }
}

/// A stored event whose bytes were read again.
struct RereadEventRow: Sendable {
    var id: UUID
    var event: InboxEvent

    static let table = Table<RereadEventRow>(
        "webhook_events", key: ["id"],
        [Column("id", \.id)] + DecodedColumns.all(\.event)
            + [Column("outcome", \.event.outcome), Column("reason", \.event.reason)])

    /// The outcome stays, unless the event turns out to be of another kind, or was put aside or discarded.
    static func update(_ rows: [RereadEventRow]) -> SQL {
        func staying(_ column: String) -> String {
            """
            case when webhook_events.kind = new.kind and webhook_events.outcome <> 'quarantined'
                and (webhook_events.outcome <> 'ignored' or coalesce(webhook_events.reason, '') <> 'discarded')
                then webhook_events.\(column) else new.\(column) end
            """
        }
        return table.update(rows, changes: ["outcome": staying("outcome"), "reason": staying("reason")])
    }
}

/// The columns that hold what was decoded of an event, so that computing an account parses no bodies.
private enum DecodedColumns {
    static func all<Row>(_ event: @escaping @Sendable (Row) -> InboxEvent) -> [Column<Row>] {
        func column<Value: StoredValue>(
            _ name: String, _ value: @escaping @Sendable (InboxEvent) -> Value
        ) -> Column<Row> {
            Column(name) { value(event($0)) }
        }
        return [
            column("decoder") { _ in InboxEvent.decoder }, column("event_name", \.name),
            column("webhook_id", \.webhookID), column("test_mode", \.testMode), column("store_id", \.storeID),
            column("data_type", \.dataType), column("data_id", \.dataID), column("kind", \.kind),
            column("subscription_id", \.subscriptionID), column("customer_id", \.customerID),
            column("claimed_user_id", \.claimedUserID), column("email", \.email),
            column("status") { $0.snapshot?.status.rawValue ?? $0.invoice?.status ?? $0.order?.status },
            column("variant_id") { $0.snapshot?.variantID ?? $0.order?.variantID },
            column("order_id") { $0.snapshot?.orderID ?? $0.order?.orderID },
            column("order_item_id") { $0.snapshot?.orderItemID }, column("product_id") { $0.snapshot?.productID },
            // A pause that names no mode is told from none by the empty string.
            column("pause_mode") { $0.snapshot?.pause.map { $0.mode ?? "" } },
            column("pause_resumes_at") { $0.snapshot?.pause?.resumesAt },
            column("trial_ends_at") { $0.snapshot?.trialEndsAt }, column("renews_at") { $0.snapshot?.renewsAt },
            column("ends_at") { $0.snapshot?.endsAt }, column("billing_anchor") { $0.snapshot?.billingAnchor },
            column("source_created_at") { $0.snapshot?.createdAt ?? $0.invoice?.createdAt ?? $0.order?.createdAt },
            column("source_updated_at") { $0.snapshot?.updatedAt ?? $0.invoice?.updatedAt ?? $0.order?.updatedAt },
            column("snapshot_second") { $0.snapshot?.order.snapshotSecond },
            column("attributes_sha256") { $0.snapshot?.order.digest },
            column("adopted_plan_id") { $0.snapshot?.adoption?.planID },
            column("adopted_units") { $0.snapshot?.adoption?.unitsLeft },
            column("adopted_at") { $0.snapshot?.adoption?.observedAt },
            column("billing_reason") { $0.invoice?.billingReason },
            column("refunded") { $0.invoice?.refunded ?? $0.order?.refunded },
            column("refunded_at") { $0.invoice?.refundedAt ?? $0.order?.refundedAt },
            column("currency") { $0.invoice?.currency ?? $0.order?.currency },
            column("total") { $0.invoice?.total ?? $0.order?.total },
            column("refunded_amount") { $0.invoice?.refundedAmount ?? $0.order?.refundedAmount },
        ]
    }
}

extension StoredEvent: Record {
    static let tableName = "webhook_events"
    static let columns: Columns = [
        "id", "body_sha256", "event_name", "data_type", "data_id", "kind", "claimed_user_id", "customer_id",
        "subscription_id", "email", "status", "variant_id", "order_id", "order_item_id", "product_id", "pause_mode",
        "pause_resumes_at", "trial_ends_at", "renews_at", "ends_at", "billing_anchor", "source_created_at",
        "source_updated_at", "snapshot_second", "attributes_sha256", "billing_reason", "refunded", "refunded_at",
        "currency", "total", "refunded_amount", "adopted_plan_id", "adopted_units", "adopted_at", "outcome", "reason",
        "user_id",
    ]

    /// A condition for events that the rules read.
    static let readable = """
        kind in ('subscription', 'invoice', 'order', 'undecodable') and outcome not in ('quarantined', 'rejected')
        and not (outcome = 'ignored' and coalesce(reason, '') = 'discarded')
        """

    init(row: inout RowReader) throws {
        let (id, digest): (UUID, [UInt8]) = (try row["id"], try row["body_sha256"])
        let (name, dataType): (EventName, String) = (try row["event_name"], try row["data_type"])
        let dataID: String? = try row["data_id"]
        let kind: InboxEvent.Kind = try row["kind"]
        let claimed: UUID? = try row["claimed_user_id"]
        let customer: String? = try row["customer_id"]
        let subscription: String? = try row["subscription_id"]
        let email: String? = try row["email"]
        let status: String? = try row["status"]
        // Of the other columns only those that the kind has: most are empty.
        let fact: BillingEvent.Fact? =
            switch kind {
            case .subscription:
                try Snapshot(&row, name, subscription, customer: customer, email: email, status: status)
                    .map(BillingEvent.Fact.snapshot)
            case .invoice:
                try Invoice(&row, dataID, subscription, customer: customer, email: email, status: status)
                    .map(BillingEvent.Fact.invoice)
            case .order:
                try Order(&row, dataID, customer: customer, email: email, status: status).map(BillingEvent.Fact.order)
            case .other, .undecodable, .rejected: nil
            }
        self.init(
            event: BillingEvent(
                id: id, digest: digest, name: name, dataType: dataType, claimedUserID: claimed, customerID: customer,
                subscriptionID: subscription, email: email, fact: fact ?? .none),
            isUndecodable: fact == nil, outcome: try row["outcome"], reason: try row["reason"],
            userID: try row["user_id"])
    }
}

extension Snapshot {
    /// nil: a column that it needs is empty.
    fileprivate init?(
        _ row: inout RowReader, _ name: EventName, _ subscription: String?, customer: String?, email: String?,
        status: String?
    ) throws {
        let variant: String? = try row["variant_id"]
        let order: String? = try row["order_id"]
        let orderItem: String? = try row["order_item_id"]
        let product: String? = try row["product_id"]
        let pauseMode: String? = try row["pause_mode"]
        let pauseResumes: Date? = try row["pause_resumes_at"]
        let trialEnds: Date? = try row["trial_ends_at"]
        let renews: Date? = try row["renews_at"]
        let ends: Date? = try row["ends_at"]
        let anchor: Int? = try row["billing_anchor"]
        let created: Date? = try row["source_created_at"]
        let updated: Date? = try row["source_updated_at"]
        let second: Int? = try row["snapshot_second"]
        let attributes: [UInt8]? = try row["attributes_sha256"]
        let plan: String? = try row["adopted_plan_id"]
        let units: Int? = try row["adopted_units"]
        let observed: Date? = try row["adopted_at"]
        guard let subscription, let created, let updated, let attributes,
            let status = status.map(SubscriptionStatus.init(rawValue:))
        else { return nil }
        let adoption = plan.flatMap { plan in
            observed.map { Snapshot.Adoption(planID: plan, unitsLeft: units, observedAt: $0) }
        }
        self.init(
            subscriptionID: subscription, customerID: customer, productID: product, variantID: variant, orderID: order,
            orderItemID: orderItem, email: email, status: status,
            pause: pauseMode.map { Snapshot.Pause(mode: $0.isEmpty ? nil : $0, resumesAt: pauseResumes) },
            trialEndsAt: trialEnds, renewsAt: renews, endsAt: ends, billingAnchor: anchor, createdAt: created,
            order: SnapshotOrder(
                updatedAt: updated, snapshotSecond: second ?? 0, rank: name.snapshotRank,
                statusRank: status.snapshotRank, digest: attributes, isAdopted: adoption != nil),
            adoption: adoption)
    }
}

extension Invoice {
    /// nil: a column that it needs is empty.
    fileprivate init?(
        _ row: inout RowReader, _ id: String?, _ subscription: String?, customer: String?, email: String?,
        status: String?
    ) throws {
        let created: Date? = try row["source_created_at"]
        let updated: Date? = try row["source_updated_at"]
        let billingReason: String? = try row["billing_reason"]
        let money = try Money(&row)
        guard let id, let subscription, let created, let updated else { return nil }
        self.init(
            invoiceID: id, subscriptionID: subscription, customerID: customer, email: email,
            billingReason: billingReason, status: status, refunded: money.refunded, refundedAt: money.refundedAt,
            currency: money.currency, total: money.total, refundedAmount: money.refundedAmount, createdAt: created,
            updatedAt: updated)
    }
}

extension Order {
    /// nil: it has no id.
    fileprivate init?(
        _ row: inout RowReader, _ id: String?, customer: String?, email: String?, status: String?
    ) throws {
        let variant: String? = try row["variant_id"]
        let created: Date? = try row["source_created_at"]
        let updated: Date? = try row["source_updated_at"]
        let money = try Money(&row)
        guard let id else { return nil }
        self.init(
            orderID: id, customerID: customer, email: email, status: status, refunded: money.refunded,
            refundedAt: money.refundedAt, currency: money.currency, total: money.total,
            refundedAmount: money.refundedAmount, variantID: variant, createdAt: created, updatedAt: updated)
    }
}

/// What was paid and given back.
private struct Money {
    var refunded: Bool
    var refundedAt: Date?
    var currency: String?
    var total: Int?
    var refundedAmount: Int?

    init(_ row: inout RowReader) throws {
        refunded = try row["refunded", as: Bool?.self] ?? false
        refundedAt = try row["refunded_at"]
        currency = try row["currency"]
        total = try row["total"]
        refundedAmount = try row["refunded_amount"]
    }
}

/// A stored delivery, beside what was decoded of it.
public struct InboxRow: Sendable {
    public var id: UUID
    /// The place in the order of arrival; greater is later, with gaps.
    public var arrival: Int
    public var delivery: Delivery
    /// What the rules read of it; nil: nothing, or it is quarantined or discarded.
    public var event: BillingEvent?
    public var kind: InboxEvent.Kind
    public var outcome: Outcome
    /// Short and machine-readable (R2).
    public var reason: String?
    /// Its bytes were erased (R20): only what was decoded of it is left.
    public var isErased: Bool
}

extension InboxRow: Record {
    static let tableName = "webhook_events"
    static let columns: Columns = [
        "id", "arrival", "body", "source", "signature", "matched_secret", "kind", "outcome", "reason", "erased_at",
    ]

    init(row: inout RowReader) throws {
        self.init(
            id: try row["id"], arrival: try row["arrival"],
            delivery: Delivery(
                body: try row["body"], source: try row["source"], signature: try row["signature"],
                matchedSecret: try row["matched_secret"]),
            event: nil, kind: try row["kind"], outcome: try row["outcome"], reason: try row["reason"],
            isErased: try row["erased_at", as: Date?.self] != nil)
    }
}

extension InboxRow {
    /// An operator has discarded it (R3).
    public var isDiscarded: Bool { EventDecision.isDiscarded(outcome, reason) }
}

extension EventDecision {
    /// Writes the outcomes of stored events. Only a failed one keeps the time of its next attempt.
    static let table = Table<EventDecision>(
        "webhook_events", key: ["id"],
        [
            Column("id", \.eventID), Column("outcome", \.outcome), Column("reason", \.reason),
            Column("user_id", \.userID), Column("next_attempt_at") { _ in Date?.none },
        ])

    static func update(_ decisions: [EventDecision]) -> SQL {
        table.update(
            decisions,
            changes: ["next_attempt_at": "case new.outcome when 'failed' then webhook_events.next_attempt_at end"])
    }
}

/// An event of the inbox, as an operator sees it.
public struct EventRecord: Sendable, Hashable, Codable, Identifiable {
    public var id: UUID
    public var name: String?
    public var dataType: String?
    public var dataID: String?
    public var subscriptionID: String?
    public var customerID: String?
    public var claimedUserID: UUID?
    public var email: String?
    public var testMode: Bool?
    public var storeID: String?
    public var webhookID: String?
    public var status: String?
    public var variantID: String?
    /// The provider's `updated_at`.
    public var sourceUpdatedAt: Date?
    public var outcome: Outcome
    public var reason: String?
    public var userID: UUID?
    public var deliveries: Int
    public var receivedAt: Date
    public var lastReceivedAt: Date
    /// Those after the first, about twenty of them.
    public var redeliveries: [Redelivery]
    public var attempts: Int
    public var nextAttemptAt: Date?
    public var source: Delivery.Source
    /// nil: it did not come by webhook, and is not signed.
    public var matchedSecret: String?
    /// As `matchedSecret`.
    public var signature: String?
    /// Bytes of the body; 0 if it was erased.
    public var size: Int
    /// When what is personal was removed (R20); nil: it was not.
    public var erasedAt: Date?
}

extension EventRecord {
    /// An operator has discarded it (R3).
    public var isDiscarded: Bool { EventDecision.isDiscarded(outcome, reason) }
}

extension EventRecord: Record {
    static let tableName = "webhook_events"
    static let columns: Columns = [
        "id", "event_name", "data_type", "data_id", "subscription_id", "customer_id", "claimed_user_id", "email",
        "test_mode", "store_id", "webhook_id", "status", "variant_id", "source_updated_at", "outcome", "reason",
        "user_id", "deliveries", "received_at", "last_received_at", "redeliveries", "attempts",
        "next_attempt_at", "source", "matched_secret", "signature", "length(body) as size", "erased_at",
    ]

    init(row: inout RowReader) throws {
        self.init(
            id: try row["id"], name: try row["event_name"], dataType: try row["data_type"],
            dataID: try row["data_id"], subscriptionID: try row["subscription_id"],
            customerID: try row["customer_id"], claimedUserID: try row["claimed_user_id"], email: try row["email"],
            testMode: try row["test_mode"], storeID: try row["store_id"], webhookID: try row["webhook_id"],
            status: try row["status"], variantID: try row["variant_id"],
            sourceUpdatedAt: try row["source_updated_at"], outcome: try row["outcome"], reason: try row["reason"],
            userID: try row["user_id"], deliveries: try row["deliveries"], receivedAt: try row["received_at"],
            lastReceivedAt: try row["last_received_at"],
            redeliveries: try row["redeliveries", as: Redeliveries?.self]?.all ?? [], attempts: try row["attempts"],
            nextAttemptAt: try row["next_attempt_at"], source: try row["source"],
            matchedSecret: try row["matched_secret"], signature: try row["signature"], size: try row["size"],
            erasedAt: try row["erased_at"])
    }
}

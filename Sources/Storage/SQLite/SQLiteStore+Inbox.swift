import Billing
public import Foundation

extension EventRecord {
    init(row: SQLiteRow) throws {
        let (
            id, name, type, dataID, subscription, customer, claimed, email, testMode, store, webhook, status, variant,
            source, outcome, reason, user, deliveries, received, lastReceived, attempts, next, secret, signature, size,
            erased
        ) = try row.decode(
            UUID.self, String?.self, String?.self, String?.self, String?.self, String?.self, UUID?.self, String?.self,
            Bool?.self, String?.self, String?.self, String?.self, String?.self, Date?.self, Outcome.self,
            String?.self, UUID?.self, Int.self, Date.self, Date.self, Int.self, Date?.self, String.self, String.self,
            Int.self, Date?.self)
        self.init(
            id: id, name: name, dataType: type, dataID: dataID, subscriptionID: subscription, customerID: customer,
            claimedUserID: claimed, email: email, testMode: testMode, storeID: store, webhookID: webhook,
            status: status, variantID: variant, sourceUpdatedAt: source, outcome: outcome, reason: reason, userID: user,
            deliveries: deliveries, receivedAt: received, lastReceivedAt: lastReceived, attempts: attempts,
            nextAttemptAt: next, matchedSecret: secret, signature: signature, size: size, erasedAt: erased)
    }
}

extension SQLiteStore {
    static let eventColumns = """
        id, event_name, data_type, data_id, subscription_id, customer_id, claimed_user_id, email, test_mode, store_id,
        webhook_id, status, variant_id, source_updated_at, outcome, reason, user_id, deliveries, received_at,
        last_received_at, attempts, next_attempt_at, matched_secret, signature, length(body), erased_at
        """

    public func eventRecords(
        _ filter: EventFilter, limit: Int, before: Cursor?
    ) async throws -> [EventRecord] {
        try await query(Self.eventsQuery(filter, limit: limit, before: before)).map(EventRecord.init(row:))
    }

    /// A condition for what is given, and none for what is not: `$1 is null or …` would keep indexes out of a plan.
    private static func eventsQuery(_ filter: EventFilter, limit: Int, before: Cursor?) -> SQLiteQuery {
        var text = SQLiteQuery.StringInterpolation(literalCapacity: 800, interpolationCount: 8)
        text.appendLiteral("select \(eventColumns) from webhook_events where true")
        if let outcome = filter.outcome {
            text.appendLiteral(" and outcome = ")
            text.appendInterpolation(outcome)
            // The words of the index.
            if outcome.isRare { text.appendLiteral(" and outcome not in ('applied', 'unchanged')") }
        }
        if let reason = filter.reason {
            text.appendLiteral(" and (reason = ")
            text.appendInterpolation(reason)
            text.appendLiteral(" or substr(reason, 1, instr(reason || ':', ':') - 1) = ")
            text.appendInterpolation(reason)
            text.appendLiteral(")")
        }
        if let name = filter.name {
            text.appendLiteral(" and event_name = ")
            text.appendInterpolation(name)
        }
        if let subscription = filter.subscriptionID {
            // With the orders that it was bought with (R18).
            text.appendLiteral(" and id in (select id from webhook_events where subscription_id = ")
            text.appendInterpolation(subscription)
            text.appendLiteral(
                """
                 union select o.id from webhook_events s join webhook_events o on o.order_id = s.order_id
                where o.kind = 'order' and s.order_id is not null and s.subscription_id =
                """)
            text.appendLiteral(" ")
            text.appendInterpolation(subscription)
            text.appendLiteral(")")
        }
        if let user = filter.userID {
            text.appendLiteral(" and user_id = ")
            text.appendInterpolation(user)
        }
        if let before {
            text.appendLiteral(" and (received_at, arrival) < (")
            text.appendInterpolation(before.at)
            text.appendLiteral(", coalesce((select arrival from webhook_events where id = ")
            text.appendInterpolation(before.id)
            text.appendLiteral("), 9223372036854775807))")
        }
        text.appendLiteral(" order by received_at desc, arrival desc limit ")
        text.appendInterpolation(limit)
        return SQLiteQuery(stringInterpolation: text)
    }

    public func eventRecord(_ id: UUID) async throws -> EventRecord? {
        try await query("select \(unescaped: Self.eventColumns) from webhook_events where id = \(id)")
            .map(EventRecord.init(row:)).first
    }

    public func digests(of ids: [UUID]) async throws -> [UUID: [UInt8]] {
        let rows = try await query("select id, body_sha256 from webhook_events where id in \(each: ids)")
            .map { try $0.decode(UUID.self, Data.self) }
        return Dictionary(uniqueKeysWithValues: rows.map { ($0.0, Array($0.1)) })
    }

    public func eventBody(_ id: UUID) async throws -> [UInt8]? {
        try await query("select body from webhook_events where id = \(id)").values(Data.self).first.map(Array.init)
    }
}

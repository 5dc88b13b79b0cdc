import Billing
import Foundation
import LemonSqueezy

extension SQLiteTransaction {
    /// Whoever writes is alone.
    func holdsClock() async throws -> Bool { true }

    func entry(task: UUID) async throws -> LedgerEntry? {
        try await connection.query(
            """
            select \(unescaped: SQLiteStore.ledgerColumns) from compute_unit_ledger where task_id = \(task)
            """
        ).map(LedgerRecord.init(row:)).first?.entry
    }

    func postpone(_ events: [UUID], at now: Date) async throws {
        try await connection.query(
            """
            update webhook_events set attempts = attempts + 1,
                next_attempt_at = strftime('%Y-%m-%dT%H:%M:%fZ', \(now), '+' || min(1 << min(attempts, 6), 60) || ' minutes')
            where id in \(each: events) and outcome = 'failed'
            """)
    }

    func accounts(after id: UUID?, limit: Int) async throws -> [UUID] {
        try await connection.query(
            "select id from users where id > coalesce(\(id), '') order by id limit \(limit)"
        ).values()
    }

    func parkedSubscriptions(after id: String?, limit: Int) async throws -> [String] {
        try await connection.query(
            """
            select distinct subscription_id from webhook_events
            where outcome = 'parked' and subscription_id > \(id ?? "")
            order by subscription_id limit \(limit)
            """
        ).values()
    }

    func inbox(after arrival: Int, limit: Int) async throws -> [InboxRow] {
        try await inbox(
            ids: connection.query(
                "select id from webhook_events where arrival > \(arrival) order by arrival limit \(limit)"
            ).values())
    }

    func inbox(ids: [UUID]) async throws -> [InboxRow] {
        let rows = try await connection.query(
            """
            select id, arrival, body, signature, matched_secret, kind, outcome, erased_at is not null
            from webhook_events where id in \(each: ids) order by arrival
            """
        ).map {
            try $0.decode(
                UUID.self, Int.self, Data.self, String.self, SecretMatch.self, InboxEvent.Kind.self, Outcome.self,
                Bool.self)
        }
        let events = try await events(ids: rows.map(\.0))
        return rows.map { id, arrival, body, signature, secret, kind, outcome, isErased in
            InboxRow(
                id: id, arrival: arrival,
                delivery: Delivery(body: Array(body), signature: signature, matchedSecret: secret), event: events[id],
                kind: kind, outcome: outcome, isErased: isErased)
        }
    }

    func outdated(limit: Int, except: [UUID]) async throws -> [UUID] {
        try await connection.query(
            """
            select id from webhook_events where decoder < 2 and id not in \(each: except)
            order by decoder, arrival limit \(limit)
            """
        ).values()
    }

    func markDecoded(_ ids: [UUID]) async throws {
        try await connection.query(
            "update webhook_events set decoder = \(InboxEvent.decoder) where id in \(each: ids)")
    }

    /// Those of these that the rules read something of. A row that cannot be read is left out: its bytes are what counts.
    private func events(ids: [UUID]) async throws -> [UUID: BillingEvent] {
        let rows = try await connection.query("\(unescaped: Self.select) and id in \(each: ids)")
        let events = rows.compactMap { try? Self.event($0) }
        return Dictionary(uniqueKeysWithValues: events.map { ($0.id, $0.event) })
    }

    func redecode(_ events: [UUID: InboxEvent]) async throws {
        // A column may be read on the right as it was before: only outcome and reason are.
        let stays = "kind = ?3 and outcome <> 'quarantined'"
        let columns = InboxEvent.inboxColumnNames.enumerated().map { index, name in
            switch name {
            case "outcome", "reason": "\(name) = case when \(stays) then \(name) else ?\(index + 4) end"
            default: "\(name) = ?\(index + 4)"
            }
        }.joined(separator: ", ")
        let sets = events.map { id, event in
            [id.sqliteValue, InboxEvent.decoder.sqliteValue, event.kind.sqliteValue] + event.inboxColumns
        }
        _ = try await connection.transact { connection in
            try connection.query("update webhook_events set \(columns), decoder = ?2 where id = ?1", forEach: sets)
        }
    }
}

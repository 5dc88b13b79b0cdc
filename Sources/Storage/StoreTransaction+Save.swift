package import Billing
import Databases
package import Foundation
import Selextract

extension StoreTransaction {
    /// Saves what a batch of deliveries and its fold led to, in one flight: each event once, with its outcome.
    package func save(_ batch: DeliveryBatch, _ folded: FoldedAccounts) async throws {
        let at = folded.changes.at
        var statements: [SQL] = []
        if !batch.accepted.isEmpty {
            statements.append(
                RereadEventRow.update(batch.accepted.map { RereadEventRow(id: $0.key, event: $0.value) }))
        }
        if !batch.new.isEmpty {
            let rows = batch.new.map { new in
                let decision =
                    folded.decisions[new.id]
                    ?? EventDecision(eventID: new.id, outcome: new.event.outcome, reason: new.event.reason)
                return NewEventRow(new: new, decision: decision, at: at)
            }
            statements.append(NewEventRow.table.insert(rows))
        }
        if !batch.repeated.isEmpty {
            statements.append(RepeatedEventRow.update(batch.repeated.map { RepeatedEventRow(event: $0, at: at) }))
        }
        let inserted = Set(batch.new.map(\.id))
        try await run(statements + changes(folded) { !inserted.contains($0) })
    }

    /// Saves what a fold led to, in one flight.
    package func save(_ folded: FoldedAccounts) async throws { try await run(changes(folded) { _ in true }) }

    /// - Parameter removed: subscriptions whose checkpoint does not hold any more.
    package func save(_ checkpoints: [Checkpoint], removing removed: Set<String>) async throws {
        if !removed.isEmpty {
            try await run("delete from subscription_checkpoints where \("subscription_id", in: removed)")
        }
        if !checkpoints.isEmpty { try await run(Checkpoint.table.upsert(checkpoints)) }
    }

    package func save(_ decisions: [EventDecision]) async throws { try await run(EventDecision.update(decisions)) }

    /// Stores events as they are, without a look at accounts, or counts a further delivery of those that are stored.
    ///
    /// - Returns: one decision an event, in the order given.
    package func insert(_ events: [InboxEvent]) async throws -> [EventDecision] {
        let related = try await lockRelated(Relations(), digests: events.map(\.digest))
        let batch = DeliveryBatch(events, known: related.known) { UUID() }
        try await save(batch, FoldedAccounts(at: related.now))
        return batch.decisions([:])
    }

    /// The statements that save a fold: each changes one table, whatever the number of accounts, in an order that
    /// violates no foreign key.
    private func changes(_ folded: FoldedAccounts, _ isStored: (UUID) -> Bool) -> [SQL] {
        let changes = folded.changes
        var statements: [SQL] = []
        // A match by e-mail is stored in the transaction that makes it, so that it holds if the e-mail changes later
        // (R5).
        if !folded.matches.isEmpty { statements.append(actions(folded.matches, at: changes.at)) }
        if !changes.accounts.isEmpty { statements.append(AccountRow.table.update(changes.accounts)) }
        if !changes.removedSubscriptions.isEmpty {
            let grants = changes.removedSubscriptions.compactMap { BucketSeries(rawValue: $0).grantID }
            statements += [
                """
                delete from user_subscriptions
                where source = 'provider' and \("lemon_squeezy_subscription_id", in: changes.removedSubscriptions)
                """,
                "delete from user_subscriptions where source = 'granted' and \("id", in: grants)",
            ]
        }
        let provided = changes.subscriptions.filter { $0.state.grant == nil }
        if !provided.isEmpty {
            statements.append(SubscriptionRow.provided.upsert(provided, changes: SubscriptionRow.changes))
        }
        let granted = changes.subscriptions.filter { $0.state.grant != nil }
        if !granted.isEmpty {
            statements.append(SubscriptionRow.granted.upsert(granted, changes: SubscriptionRow.changes))
        }
        if !changes.removedBuckets.isEmpty { statements.append(BucketRow.Key.table.delete(changes.removedBuckets)) }
        if !changes.buckets.isEmpty { statements.append(BucketRow.table.upsert(changes.buckets)) }
        if !changes.charges.isEmpty { statements.append(ChargeRow.add(changes.charges)) }
        if !changes.entries.isEmpty {
            let rows = changes.entries.map { NewLedgerRow(entry: $0, createdAt: changes.at) }
            statements.append(NewLedgerRow.table.insert(rows))
        }
        let decisions = folded.decisions.values.filter { isStored($0.eventID) }
        if !decisions.isEmpty { statements.append(EventDecision.update(decisions)) }
        return statements
    }

    private func actions(_ actions: [OperatorAction], at moment: Date) -> SQL {
        NewActionRow.table.insert(actions.map { NewActionRow($0, at: moment) })
    }

    package func insert(_ action: OperatorAction) async throws {
        try await run(actions([action], at: try await now()))
    }

    /// Deletes an account with all that is its; its events wait from now on (R3).
    ///
    /// - Returns: whether there was one.
    package func deleteUser(_ id: UUID) async throws -> Bool {
        try await !fetch(Query<Int>("delete from users where id = \(id) returning 1")).isEmpty
    }

    /// Removes what is personal from the events that counted for an account, or claim it: bodies, names, e-mails.
    /// Hashes, ids, facts and times stay (R20).
    ///
    /// - Returns: how many.
    package func eraseEvents(of user: UUID, at now: Date) async throws -> Int {
        let own = try await fetch(
            Query<(id: UUID, subscription: String?, customer: String?)>(
                """
                select id, subscription_id, customer_id from webhook_events
                where user_id = \(user)
                    or user_id is null and (claimed_user_id = \(user) or deleted_user_id = \(user))
                """
            ) { (try $0.next(), try $0.next(), try $0.next()) })
        let customers = Set(own.compactMap(\.customer))
        let others = try await fetch(
            Query<String>(
                """
                select distinct customer_id from \("webhook_events", as: "e", where: "customer_id", in: customers)
                where user_id <> \(user)
                """))
        let alone = customers.subtracting(others)
        // Each by an index of its own: a single statement for all of them reads the whole inbox.
        let (bySubscription, byCustomer, ofCustomer) = try await fetch(
            Query<UUID>(
                """
                select id from \(
                    "webhook_events", as: "e", where: "subscription_id", in: Set(own.compactMap(\.subscription)),
                    and: "user_id is null")
                """),
            Query<UUID>(
                """
                select id from \(
                    "webhook_events", as: "e", where: "customer_id", in: alone, and: "user_id is null and kind = 'other'")
                """),
            Query<UUID>(
                """
                select id from \(
                    "webhook_events", as: "e", where: "data_id", in: alone,
                    and: "data_type = 'customers' and user_id is null and kind = 'other'")
                """))
        let ids = Set(own.map(\.id)).union(bySubscription).union(byCustomer).union(ofCustomer)
        return try await fetch(
            Query<Int>(
                """
                update webhook_events set body = \([UInt8]()), email = null, erased_at = \(now)
                where \("id", in: ids) and erased_at is null
                returning 1
                """)
        ).count
    }
}

/// A further delivery of a stored event.
private struct RepeatedEventRow: Sendable {
    var event: DeliveryBatch.Repeated
    var at: Date

    private static let table = Table<RepeatedEventRow>(
        "webhook_events", key: ["id"],
        [
            Column("id", \.event.id), Column("deliveries", \.event.deliveries), Column("last_received_at", \.at),
            Column("redeliveries") { Redeliveries($0.event.again, at: $0.at) },
            Column("attempts") { $0.event.failures == nil ? 0 : 1 },
            Column("next_attempt_at") { row in
                row.event.failures.map { row.at.addingTimeInterval(RetryDelay.after(failures: $0)) }
            },
        ])

    static func update(_ rows: [RepeatedEventRow]) -> SQL {
        table.update(
            rows,
            changes: [
                "deliveries": "webhook_events.deliveries + new.deliveries",
                "redeliveries": Redeliveries.addition,
                "attempts": "webhook_events.attempts + new.attempts",
                "next_attempt_at": "coalesce(new.next_attempt_at, webhook_events.next_attempt_at)",
            ])
    }
}

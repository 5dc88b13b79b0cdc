import Billing
public import Databases
import Foundation
import LemonSqueezy

extension Store {
    /// Asks the database whether it takes what a delivery writes, and whether the schema is the program's: writes an event
    /// on a connection such as deliveries use, and rolls back.
    ///
    /// - Throws: ``StoreError`` if it does not, within two seconds on PostgreSQL.
    public func health() async throws -> DatabaseHealth {
        struct RolledBack: Error {}
        let start = ContinuousClock.now
        let limits = TransactionLimits(deadline: start + .seconds(2), statement: .seconds(2), lock: .seconds(1))
        do {
            try await transaction(limits) { transaction in
                try requireAll(try await transaction.fetch(MigrationPlan.applied))
                try await transaction.tryWriting()
                throw RolledBack()
            }
        } catch is RolledBack {}
        try await driver.tryDisk()
        return DatabaseHealth(latency: .now - start, pool: pool)
    }
}

extension StoreTransaction {
    /// Writes an event, and no rows of an account by the statements that write them: whoever may not, or whose tables only
    /// look like ours, cannot.
    fileprivate func tryWriting() async throws {
        // Bytes that no delivery has: it could not be stored twice.
        let body = Array("{\"probe\":\"\(UUID().text)\"}".utf8)
        let new = DeliveryBatch.New(
            id: UUID(), event: InboxEvent(Delivery(body: body, signature: "", matchedSecret: .current)))
        let decision = EventDecision(eventID: new.id, outcome: new.event.outcome, reason: new.event.reason)
        let row = NewEventRow(new: new, decision: decision, at: try await now())
        try await run([
            NewEventRow.table.insert([row]) + " on conflict (body_sha256) do nothing",
            AccountRow.table.update([]), SubscriptionRow.provided.upsert([]), BucketRow.table.upsert([]),
            ChargeRow.add([]), NewLedgerRow.table.insert([]),
        ])
        // What waits for the next statements is sent with these.
        _ = try await fetch(.catalogVersion)
    }
}

import Billing
public import Foundation

extension SQLiteStore {
    public func eventRecords(ids: [UUID]) async throws -> [EventRecord] {
        try await query(
            "select \(unescaped: Self.eventColumns) from webhook_events where id in \(each: ids) order by arrival"
        ).map(EventRecord.init(row:))
    }

    public func operatorRecords(user: UUID?, subscription: String?) async throws -> [OperatorRecord] {
        try await query(
            """
            select created_at, kind, user_id, subscription_id, plan_id, until, reason from operator_actions
            where kind <> 'adjust' and (user_id = \(user) or subscription_id = \(subscription))
            order by created_at, id
            """
        ).map { row in
            let (at, kind, user, subscription, plan, until, reason) = try row.decode(
                Date.self, OperatorRecord.Kind.self, UUID.self, String?.self, String?.self, Date?.self, String?.self)
            return OperatorRecord(
                at: at, kind: kind, user: user, subscription: subscription, plan: plan, until: until, reason: reason)
        }
    }

    static let ledgerColumns = """
        id, user_id, kind, units, balance, line, begins_at, event_id, task_id, shortfall, reason, created_at
        """

    public func ledger(user: UUID) async throws -> [LedgerRecord] {
        try await query(
            """
            select \(unescaped: Self.ledgerColumns) from compute_unit_ledger where user_id = \(user) order by id
            """
        ).map(LedgerRecord.init(row:))
    }
}

extension LedgerRecord {
    init(row: SQLiteRow) throws {
        let (id, user, kind, units, balance, line, begin, event, task, shortfall, reason, created) = try row.decode(
            Int.self, UUID.self, LedgerEntry.Kind.self, Int.self, Int.self, Line.self, Date.self, UUID?.self,
            UUID?.self,
            Int.self, String?.self, Date.self)
        self.init(
            id: id,
            entry: LedgerEntry(
                userID: user, kind: kind, units: units, balance: balance, line: line, begin: begin,
                eventID: event, taskID: task, shortfall: shortfall, reason: reason),
            createdAt: created)
    }
}

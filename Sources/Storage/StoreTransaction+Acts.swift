package import Billing
import Databases
package import Foundation

/// What an operator does that no rule reads: it is recorded for people.
package struct RecordedAct: Sendable {
    package var kind: OperatorRecord.Kind
    package var user: UUID?
    package var subscription: String?
    package var event: UUID?
    package var plan: String?
    package var variant: String?
    package var key: UUID?
    /// In the operator's words.
    package var reason: String?

    package init(
        _ kind: OperatorRecord.Kind, user: UUID? = nil, subscription: String? = nil, event: UUID? = nil,
        plan: String? = nil, variant: String? = nil, key: UUID? = nil, reason: String? = nil
    ) {
        self.kind = kind
        self.user = user
        self.subscription = subscription
        self.event = event
        self.plan = plan
        self.variant = variant
        self.key = key
        self.reason = reason
    }
}

extension StoreTransaction {
    /// Waits for whoever else acts by the same form, before anything else is locked.
    ///
    /// - Throws: `StoreError.conflict` if the act has been done: by the same form nothing is done twice.
    package func once(_ operator: Operator) async throws {
        guard let form = `operator`.form else { return }
        let (_, before) = try await fetch(
            Query<Void>(.lock(ofForm: form)),
            Query<OperatorRecord>(select: "from operator_actions where form = \(form)"))
        guard let before = before.first else { return }
        let who = before.by.map { ", by \($0.name) from \($0.origin)" } ?? ""
        throw StoreError.conflict("that was done already at \(before.at.formatted(.iso8601))\(who)")
    }

    /// Adds acts to the record, which nothing is ever taken from. Those of one form are one act.
    package func record(_ acts: [RecordedAct], by operator: Operator) async throws {
        let at = try await now()
        try await run(
            NewActionRow.table.insert(
                acts.enumerated().map { index, act in
                    NewActionRow(act, by: `operator`, form: index == 0 ? `operator`.form : nil, at: at)
                }))
    }
}

extension SQL {
    /// On SQLite whoever writes is alone.
    fileprivate static func lock(ofForm form: UUID) -> SQL {
        SQL(postgreSQL: { PostgresDialect.lock(["form:\(form.text)"], waits: true) }, sqlite: { .nothing })
    }
}

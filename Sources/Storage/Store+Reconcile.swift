public import Billing
public import Databases
public import Foundation
import Selextract

/// A comparison with what the provider's API shows, and what it found.
public struct ReconcileRun: Sendable, Hashable, Identifiable {
    public var id: UUID
    public var startedAt: Date
    /// nil: it is under way, or was cut short.
    public var endedAt: Date?
    /// Nothing was stored.
    public var isDryRun: Bool
    /// Invoices and orders were read down to this moment; nil: all were.
    public var since: Date?
    /// nil: the service itself began it.
    public var by: Operator?
    /// Of the API.
    public var calls: Int
    /// Objects that were looked at.
    public var seen: Int
    /// Those that told something new.
    public var stored: Int
    public var findings: ReconcileFindings?
    /// Why it ended early.
    public var failure: String?
}

/// What a run found, as far as it is shown.
public struct ReconcileFindings: Sendable, Hashable, Codable {
    public struct Waiting: Sendable, Hashable, Codable {
        /// The subscription's, or the object's.
        public var id: String
        public var reason: String

        public init(id: String, reason: String) {
            self.id = id
            self.reason = reason
        }
    }

    /// An account before and after. It is named by its id alone: what is personal is kept in one place.
    public struct Difference: Sendable, Hashable, Codable {
        public var account: UUID
        public var tierBefore: String
        public var tierAfter: String
        public var unitsBefore: Int
        public var unitsAfter: Int

        public init(account: UUID, tierBefore: String, tierAfter: String, unitsBefore: Int, unitsAfter: Int) {
            self.account = account
            self.tierBefore = tierBefore
            self.tierAfter = tierAfter
            self.unitsBefore = unitsBefore
            self.unitsAfter = unitsAfter
        }
    }

    /// So many of each are kept.
    public static let limit = 200

    public var outcomes: [String: Int]
    public var waiting: [Waiting]
    /// Of a dry run.
    public var differences: [Difference]

    public init(outcomes: [String: Int], waiting: [Waiting], differences: [Difference]) {
        self.outcomes = outcomes
        self.waiting = Array(waiting.prefix(Self.limit))
        self.differences = Array(differences.prefix(Self.limit))
    }
}

extension ReconcileRun: Record {
    static let tableName = "reconcile_runs"
    static let columns: Columns = [
        "id", "started_at", "ended_at", "dry_run", "since", "acted_by", "acted_from", "calls", "seen", "stored",
        "findings", "failure",
    ]

    init(row: inout RowReader) throws {
        self.init(
            id: try row["id"], startedAt: try row["started_at"], endedAt: try row["ended_at"],
            isDryRun: try row["dry_run"], since: try row["since"], by: try row.actor(), calls: try row["calls"],
            seen: try row["seen"], stored: try row["stored"],
            findings: try row["findings", as: String?.self].flatMap {
                try? JSONDecoder().decode(ReconcileFindings.self, from: Data($0.utf8))
            }, failure: try row["failure"])
    }
}

extension Lists {
    /// Newest first.
    public func reconcileRuns(limit: Int, before: Cursor?) async throws -> Listing<ReconcileRun> {
        try await driver.list(
            Query<ReconcileRun>(
                select: """
                    from reconcile_runs where \(.behind(before, in: "reconcile_runs", by: "started_at"))
                    order by started_at desc, id desc limit \(limit)
                    """))
    }

    public func reconcileRun(_ id: UUID) async throws -> ReconcileRun? {
        try await driver.fetch(Query<ReconcileRun>(select: "from reconcile_runs where id = \(id)")).first
    }
}

extension Store {
    /// Records that a comparison begins.
    ///
    /// - Parameter operator: who wants it, for the record; nil: the service itself.
    /// - Returns: its id.
    /// - Throws: `StoreError.conflict` if the operator's form was acted by before.
    public func beginReconcile(dryRun: Bool, since: Date?, by operator: Operator?) async throws -> UUID {
        let id = UUID()
        try await transaction { transaction in
            if let `operator` {
                try await transaction.once(`operator`)
                try await transaction.record(
                    [RecordedAct(.reconcile, reason: dryRun ? "dry run" : nil)], by: `operator`)
            }
            try await transaction.run(
                """
                insert into reconcile_runs (id, started_at, dry_run, since, acted_by, acted_from)
                values (
                    \(id), \(try await transaction.now()), \(dryRun), \(since), \(`operator`?.name), \(`operator`?.origin)
                )
                """)
        }
        return id
    }

    /// Records what became of it.
    ///
    /// - Parameter failure: why it ended early, without values; nil: it did not.
    public func endReconcile(
        _ id: UUID, calls: Int, seen: Int, stored: Int, findings: ReconcileFindings?, failure: String?
    ) async throws {
        let json = try findings.map { try MetadataValue(json: JSONEncoder().encode($0)) }
        try await transaction { transaction in
            try await transaction.run(
                """
                update reconcile_runs set
                    ended_at = \(try await transaction.now()), calls = \(calls), seen = \(seen), stored = \(stored),
                    findings = \(json), failure = \(failure)
                where id = \(id)
                """)
        }
    }

    /// Records that an operator has a subscription fetched.
    ///
    /// - Throws: `StoreError.conflict` if the form was acted by before.
    public func recordFetch(of subscription: String, by operator: Operator) async throws {
        try await transaction { transaction in
            try await transaction.once(`operator`)
            try await transaction.record([RecordedAct(.fetch, subscription: subscription)], by: `operator`)
        }
    }
}

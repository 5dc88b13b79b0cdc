public import Billing
public import Databases
public import Foundation
import Selextract

// Rows of `compute_unit_buckets`, `compute_unit_charges` and `compute_unit_ledger`.

extension BucketSeries: StoredValue {}
extension LedgerEntry.Kind: StoredValue {}

extension BucketRow: Record {
    static let tableName = "compute_unit_buckets"
    static let keyName = "user_id"
    static let columns: Columns = [
        "user_id", "line", "begins_at", "ends_at", "unlocked_at", "granted", "consumed", "adjusted", "carried",
    ]

    init(row: inout RowReader) throws {
        self.init(
            userID: try row["user_id"],
            bucket: Bucket(
                line: try row["line"], begin: try row["begins_at"], end: try row["ends_at"],
                unlockedAt: try row["unlocked_at"], granted: try row["granted"], consumed: try row["consumed"],
                adjusted: try row["adjusted"], carried: try row["carried"]))
    }

    static let table = Table<BucketRow>(
        "compute_unit_buckets", key: ["user_id", "line", "begins_at"],
        [
            Column("user_id", \.userID), Column("line", \.bucket.line), Column("begins_at", \.bucket.begin),
            Column("ends_at", \.bucket.end), Column("unlocked_at", \.bucket.unlockedAt),
            Column("granted", \.bucket.granted), Column("consumed", \.bucket.consumed),
            Column("adjusted", \.bucket.adjusted), Column("carried", \.bucket.carried),
        ])
}

extension BucketRow.Key {
    static let table = Table<BucketRow.Key>(
        BucketRow.table.name, key: BucketRow.table.key,
        [Column("user_id", \.userID), Column("line", \.line), Column("begins_at", \.begin)])
}

extension ChargeRow: Record {
    static let tableName = "compute_unit_charges"
    static let keyName = "user_id"
    static let columns: Columns = ["user_id", "line", "begins_at", "consumed", "adjusted", "first_at"]

    init(row: inout RowReader) throws {
        self.init(
            userID: try row["user_id"],
            charge: Charge(
                line: try row["line"], begin: try row["begins_at"], consumed: try row["consumed"],
                adjusted: try row["adjusted"], firstAt: try row["first_at"]))
    }

    static let table = Table<ChargeRow>(
        "compute_unit_charges", key: ["line", "user_id", "begins_at"],
        [
            Column("user_id", \.userID), Column("line", \.charge.line), Column("begins_at", \.charge.begin),
            Column("consumed", \.charge.consumed), Column("adjusted", \.charge.adjusted),
            Column("first_at", \.charge.firstAt),
        ])

    /// Adds to what was charged before.
    static func add(_ rows: [ChargeRow]) -> SQL {
        table.upsert(
            rows.added,
            changes: [
                "consumed": "compute_unit_charges.consumed + excluded.consumed",
                "adjusted": "compute_unit_charges.adjusted + excluded.adjusted",
                "first_at": """
                case when excluded.first_at < compute_unit_charges.first_at
                    then excluded.first_at else compute_unit_charges.first_at end
                """,
            ])
    }
}

extension [ChargeRow] {
    /// One for each key: a statement cannot change a row twice.
    fileprivate var added: [ChargeRow] {
        var places: [BucketRow.Key: Int] = [:]
        var rows: [ChargeRow] = []
        for row in self {
            let key = BucketRow.Key(userID: row.userID, line: row.charge.line, begin: row.charge.begin)
            guard let place = places[key] else {
                places[key] = rows.count
                rows.append(row)
                continue
            }
            rows[place].charge.consumed += row.charge.consumed
            rows[place].charge.adjusted += row.charge.adjusted
            rows[place].charge.firstAt = Swift.min(rows[place].charge.firstAt, row.charge.firstAt)
        }
        return rows
    }
}

/// A ledger entry as it is stored.
public struct LedgerRecord: Sendable, Hashable {
    public var id: Int
    public var entry: LedgerEntry
    public var createdAt: Date
    /// Who adjusted, where that is told beside it; nil: nobody did, or it is not told.
    public var by: Operator?

    public init(id: Int, entry: LedgerEntry, createdAt: Date) {
        self.id = id
        self.entry = entry
        self.createdAt = createdAt
    }
}

extension LedgerRecord: Record {
    static let tableName = "compute_unit_ledger"
    static let columns: Columns = [
        "id", "user_id", "kind", "units", "balance", "line", "begins_at", "event_id", "task_id", "shortfall", "reason",
        "created_at",
    ]

    init(row: inout RowReader) throws {
        self.init(
            id: try row["id"],
            entry: LedgerEntry(
                userID: try row["user_id"], kind: try row["kind"], units: try row["units"],
                balance: try row["balance"], line: try row["line"], begin: try row["begins_at"],
                eventID: try row["event_id"], taskID: try row["task_id"], shortfall: try row["shortfall"],
                reason: try row["reason"]),
            createdAt: try row["created_at"])
    }
}

/// A ledger entry that is to be added.
struct NewLedgerRow: Sendable {
    var entry: LedgerEntry
    var createdAt: Date

    static let table = Table<NewLedgerRow>(
        "compute_unit_ledger", key: ["id"],
        [
            Column("user_id", \.entry.userID), Column("kind", \.entry.kind), Column("units", \.entry.units),
            Column("balance", \.entry.balance), Column("line", \.entry.line), Column("begins_at", \.entry.begin),
            Column("event_id", \.entry.eventID), Column("task_id", \.entry.taskID),
            Column("shortfall", \.entry.shortfall), Column("reason", \.entry.reason), Column("created_at", \.createdAt),
        ])
}

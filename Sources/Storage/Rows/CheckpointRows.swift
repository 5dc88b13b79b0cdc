import Billing
import Databases
import Foundation

// Rows of `subscription_checkpoints`.

/// The ids of the events that a checkpoint reads, as a JSON array.
private struct EventIDs: StoredValue {
    var ids: [UUID]

    static var sqlType: SQLType { .json }
    var sqlValue: SQLValue { .json("[\(ids.map { "\"\($0.text)\"" }.joined(separator: ","))]") }

    init(_ ids: [UUID]) { self.ids = ids }

    init?(sqlValue: SQLValue) {
        guard let text = String(sqlValue: sqlValue),
            let texts = try? JSONDecoder().decode([String].self, from: Data(text.utf8))
        else { return nil }
        ids = texts.compactMap(UUID.init(uuidString:))
        // Fewer would make another history of it.
        if ids.count != texts.count { return nil }
    }
}

extension Checkpoint: Record {
    static let tableName = "subscription_checkpoints"
    static let keyName = "subscription_id"
    static let columns: Columns = [
        "subscription_id", "user_id", "closed_before", "read_after", "kept", "carried", "trial_counts", "revision",
        "catalog_version", "events",
    ]

    init(row: inout RowReader) throws {
        self.init(
            subscriptionID: try row["subscription_id"], userID: try row["user_id"],
            closedBefore: try row["closed_before"], readAfter: try row["read_after"],
            kept: try row["kept", as: EventIDs.self].ids, carried: try row["carried"],
            trialCounts: try row["trial_counts"], revision: try row["revision"],
            catalogVersion: try row["catalog_version"], events: try row["events"])
    }

    static let table = Table<Checkpoint>(
        "subscription_checkpoints", key: ["subscription_id"],
        [
            Column("subscription_id", \.subscriptionID), Column("user_id", \.userID),
            Column("closed_before", \.closedBefore), Column("read_after", \.readAfter),
            Column("kept") { EventIDs($0.kept) }, Column("carried", \.carried), Column("trial_counts", \.trialCounts),
            Column("revision", \.revision), Column("catalog_version", \.catalogVersion), Column("events", \.events),
        ])
}

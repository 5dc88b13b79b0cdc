import Accounts
import ArgumentParser
import Billing
import Foundation
import ServiceSettings
import Storage

/// What `migrate --adopt` found and did, as it is printed.
struct AdoptionPrinting {
    var adoption: SchemaAdoption
    /// nil: rows stand in the way, and nothing was done.
    var report: AdoptionReport?
    var mends: Bool
    var dryRun: Bool

    func write(to document: inout Document, isText: Bool) {
        if !isText || !adoption.refusals.isEmpty {
            document.list("refused", Self.refusalColumns, adoption.refusals.flatMap(rows))
        }
        if !isText || !adoption.migrations.isEmpty {
            document.list("migrations", Self.migrationColumns, adoption.migrations)
        }
        let taken =
            (report?.adopted.map { Taken(row: $0, becomes: "stored event") } ?? [])
            + (report?.granted.map { Taken(row: $0, becomes: "granted plan") } ?? [])
            + (report?.complimentary.map { Taken(row: $0, becomes: "nothing: see --grants, or `subscriptions adopt`") }
                ?? [])
        if !isText || !taken.isEmpty { document.list("subscriptions", Self.columns, taken) }
        if isText { document.note(end) }
    }

    private var end: String {
        if report == nil {
            let rest = mends && adoption.refusals.contains { $0.mend == nil }
            return rest
                ? "Nothing was changed: rows without a mend have to be decided by a person."
                : "Nothing was changed: with --mend, what is listed is done."
        }
        return dryRun ? "Nothing was changed: without --dry-run, this is done." : "The database is taken over."
    }

    private struct Refused {
        var refusal: SchemaAdoption.Refusal
        var id: String
    }

    private func rows(_ refusal: SchemaAdoption.Refusal) -> [Refused] {
        refusal.ids.map { Refused(refusal: refusal, id: $0) }
    }

    private static let refusalColumns: [Column<Refused>] = [
        Column("table") { Cell($0.refusal.table) },
        Column("id") { Cell($0.id) },
        Column("problem") { Cell($0.refusal.problem) },
        Column("mend") { Cell($0.refusal.mend) },
    ]

    private static let migrationColumns: [Column<AppliedMigration>] = [
        Column("version") { Cell($0.version) },
        Column("name") { Cell($0.name) },
    ]

    private struct Taken {
        var row: ForeignSubscription
        var becomes: String
    }

    private static let columns: [Column<Taken>] = [
        Column("id") { Cell($0.row.id) },
        Column("subscription") { Cell($0.row.subscriptionID) },
        Column("account") { Cell($0.row.email) },
        Column("plan") { Cell($0.row.planID) },
        Column("status") { Cell($0.row.status) },
        Column("becomes") { Cell($0.becomes) },
    ]
}

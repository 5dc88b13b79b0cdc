import Accounts
import ArgumentParser
import Billing
import Databases
import Foundation
import Selextract
import ServiceSettings
import Storage

struct Users: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Creates, shows, changes and deletes accounts, gives and takes units.",
        subcommands: [
            UsersCreate.self, UsersList.self, UsersShow.self, UsersSet.self, UsersAdjust.self, UsersGrant.self,
            UsersDelete.self,
        ]
    )

    static let columns: [Column<User>] = [
        Column("id") { Cell($0.id) },
        Column("email") { Cell($0.email) },
        Column("full_name", inTable: false) { Cell($0.fullName) },
        Column("google_id", inTable: false) { Cell($0.googleID) },
        Column("is_active", inTable: false) { Cell($0.isActive) },
        Column("subscription_tier", title: "tier") { Cell($0.subscriptionTier) },
        Column("compute_units_remaining", title: "units left") { Cell($0.computeUnitsRemaining) },
        Column("compute_units_reset_date", title: "reset date") { Cell($0.computeUnitsResetDate) },
        Column("created_at") { Cell($0.createdAt) },
        Column("updated_at", inTable: false) { Cell($0.updatedAt) },
    ]
}

struct UsersList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Accounts, newest first.")

    @OptionGroup var paging: PageOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let page = try await withStore { store, _ in
            try await paging.read {
                try await store.lists.users(limit: $0, before: $1)
            } cursor: {
                Cursor(at: $0.createdAt, id: $0.id)
            }
        }
        try output.print { $0.page("users", Users.columns, page) }
        try page.unreadable.failIfAny()
    }
}

struct UsersShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "An account: what it is entitled to now, its subscriptions, its months of units, its ledger.")

    @Argument(help: "The account: id or e-mail.")
    var who: String
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let (account, ledger) = try await withStore { store, settings in
            let id = try await store.user(named: who).id
            return (
                try await TimeLine(account: id, store: store, policy: settings.policy),
                try await store.ledger(user: id).rows
            )
        }
        try output.print {
            $0.record("user", Users.columns, account.user)
            $0.record("entitlement", Self.entitlementColumns, account.entitlement)
            $0.list("subscriptions", Subscriptions.columns.filter { $0.key != "user_id" }, account.subscriptions)
            $0.list("buckets", Self.bucketColumns, account.buckets)
            $0.list("ledger", Self.ledgerColumns, ledger)
            for case .pending(let pending) in account.items.map(\.item) {
                $0.note(
                    "Another program has changed the units from \(pending.balance) to \(pending.remaining): the ledger "
                        + "tells it when the clock runs next.")
            }
            for (line, units) in account.waiting {
                $0.note("\(line) is paid, too: its \(units) units wait, since another subscription counts.")
            }
            for row in account.subscriptions where row.source == nil {
                $0.note(
                    "The subscription \(row.id.text) (\(row.planID)) was made by another program: it gives nothing.")
            }
            $0.unreadable(account.unreadable)
        }
        try account.unreadable.failIfAny()
    }

    static let entitlementColumns: [Column<Entitlement>] = [
        Column("plan_id", title: "plan") { Cell($0.planID) },
        Column("has_access") { Cell($0.hasAccess) },
        Column("lemon_squeezy_subscription_id", title: "subscription") { Cell($0.lemonSqueezySubscriptionID) },
        Column("status") { Cell($0.status) },
        Column("access_until") { Cell($0.accessUntil) },
        Column("compute_units_remaining", title: "units left") { Cell($0.computeUnitsRemaining) },
        Column("compute_units_reset_date", title: "reset date") { Cell($0.computeUnitsResetDate) },
    ]

    static let bucketColumns: [Column<Bucket>] = [
        Column("line") { Cell($0.line.rawValue) },
        Column("begins_at") { Cell($0.begin) },
        Column("ends_at") { Cell($0.end) },
        Column("unlocked_at") { Cell($0.unlockedAt) },
        Column("granted") { Cell($0.granted) },
        Column("consumed") { Cell($0.consumed) },
        Column("adjusted") { Cell($0.adjusted) },
        Column("carried") { Cell($0.carried) },
        Column("remaining") { Cell($0.remaining) },
    ]

    static let ledgerColumns: [Column<LedgerRecord>] = [
        Column("created_at") { Cell($0.createdAt) },
        Column("kind") { Cell($0.entry.kind.rawValue) },
        Column("units") { Cell($0.entry.units) },
        Column("balance") { Cell($0.entry.balance) },
        Column("line") { Cell($0.entry.line.rawValue) },
        Column("begins_at") { Cell($0.entry.begin) },
        Column("event_id", inTable: false) { Cell($0.entry.eventID) },
        Column("task_id", inTable: false) { Cell($0.entry.taskID) },
        Column("shortfall", inTable: false) { Cell($0.entry.shortfall) },
        Column("reason") { Cell($0.entry.reason) },
    ]
}

import Accounts
import ArgumentParser
import Billing
import Foundation
import Selextract
import ServiceSettings
import Storage

struct Explain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Why an account has the units it has: what came, what it meant, what it changed.",
        discussion: "The rules are named by their numbers; all times are UTC.")

    @Argument(help: "An account (id or e-mail), or a subscription's id at Lemon Squeezy.")
    var who: String
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let timeLine = try await withStore(use: .decide) { store, settings in
            // An id of Lemon Squeezy's is a number; accounts' ids and e-mails are none.
            who.allSatisfy(\.isNumber)
                ? try await TimeLine(subscription: who, store: store, policy: settings.policy)
                : try await TimeLine(
                    account: try await store.user(named: who).id, store: store, policy: settings.policy)
        }
        switch output.format {
        case .json: try output.print { timeLine.write(to: &$0) }
        case .text: try FileHandle.standardOutput.write(contentsOf: Data(timeLine.story.utf8))
        }
        try timeLine.unreadable.failIfAny()
    }
}

extension TimeLine {
    /// For programs.
    fileprivate func write(to document: inout Document) {
        document.record("user", Users.columns, user)
        document.record("entitlement", UsersShow.entitlementColumns, entitlement)
        document.list("subscriptions", Subscriptions.columns, subscriptions)
        document.value("overdue", .list(overdue.sorted()))
        document.value("waiting", .list(waiting.map(\.line)))
        document.value(
            "doublings", .list(doublings.map { "\($0.entry.units) units at \($0.createdAt.formatted(.iso8601))" }))
        document.list("buckets", UsersShow.bucketColumns, buckets)
        document.list("items", Self.columns, items.map { ItemRow(at: $0.at, item: $0.item) })
        document.unreadable(unreadable)
    }

    private struct ItemRow {
        var at: Date
        var item: Item
    }

    private static let columns: [Column<ItemRow>] = [
        Column("at") { Cell($0.at) },
        Column("event_id") { row in
            if case .event(let record, _, _) = row.item { Cell(record.id) } else { .none }
        },
        Column("what") { Cell($0.item.title) },
        Column("outcome") { row in
            if case .event(let record, _, _) = row.item { .text(record.outcome.rawValue) } else { .none }
        },
        Column("reason") { row in
            if case .event(let record, _, _) = row.item { Cell(record.reason) } else { .none }
        },
        Column("rules") { .list($0.item.rules) },
        Column("changes") { .list($0.item.changes) },
        Column("balance") { Cell($0.item.entries.last?.entry.balance) },
    ]

    /// For people.
    fileprivate var story: String {
        var lines: [String] = []
        if let user {
            lines.append("\(user.email) (\(user.id.text))")
            if let entitlement {
                let access = entitlement.hasAccess ? "plan \(entitlement.planID)" : "no paid plan"
                lines.append(
                    "Now: \(access), \(entitlement.computeUnitsRemaining) units, until "
                        + entitlement.computeUnitsResetDate.formatted(.iso8601))
            }
        } else {
            lines.append("The subscription belongs to no account yet.")
        }
        for id in overdue.sorted() {
            lines.append("Renewal overdue (R17): subscription \(id) is active, but its present month is not paid.")
        }
        for (line, units) in waiting {
            lines.append(
                "Two are paid (R14): \(entitlement?.lemonSqueezySubscriptionID ?? "a granted plan") counts; \(units) units "
                    + "of \(line) wait.")
        }
        for record in doublings {
            let units = record.entry.units
            lines.append(
                "Given twice? Another program gave \(units) units at \(record.createdAt.formatted(.iso8601)), right beside "
                    + "an event that gives them: only one program may handle the webhooks. If so: "
                    + "`users adjust \(user?.email ?? "WHO") -\(units) --reason …`")
        }
        for subscription in subscriptions {
            lines.append(
                "Subscription \(subscription.name): \(subscription.planID), "
                    + "\(subscription.status), period to \(subscription.currentPeriodEnd.formatted(.iso8601))")
        }
        for bucket in buckets {
            lines.append("Month \(bucket.line.rawValue) from \(bucket.begin.formatted(.iso8601)): \(bucket.account)")
        }
        lines += unreadable.map { "Not shown, and not reckoned with: \($0)" }
        for (at, item) in items {
            lines.append("")
            lines.append("\(at.formatted(.iso8601))  \(item.title)")
            lines += (item.rules + item.changes).map { "    \($0)" }
        }
        return lines.map { $0.printable + "\n" }.joined()
    }
}

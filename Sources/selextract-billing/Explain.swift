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

extension TimeLine.Item {
    fileprivate var title: String {
        switch self {
        case .event(let record, _, _):
            let times = record.deliveries > 1 ? ", delivered \(record.deliveries) times" : ""
            let reason = record.reason.map { " (\($0))" } ?? ""
            let source = record.sourceUpdatedAt.map { ", of \($0.formatted(.iso8601))" } ?? ""
            return
                "\(record.name ?? "event") \(record.dataID ?? "")\(source)\(times): \(record.outcome.rawValue)\(reason)"
        case .entry(let record):
            switch record.entry.kind {
            case .consume: return "task \(record.entry.taskID?.text ?? "-")"
            case .adjust: return "adjusted by an operator: \(record.entry.reason ?? "")"
            case .external: return "changed by another program"
            // The first entry of an account: the units that it was created with.
            case .grant where record.entry.units == record.entry.balance: return "the account's first units"
            case .grant, .planChange, .switch, .correction: return "the clock, or another account's event"
            }
        case .act(let record): return record.title
        case .pending: return "changed by another program, not in the ledger yet"
        case .overwrite(let record):
            let which = record.subscriptionID.map { "subscription \($0)" } ?? "a granted plan"
            return "another program wrote into the row of \(which): \(record.what)"
        }
    }

    fileprivate var entries: [LedgerRecord] {
        switch self {
        case .event(_, _, let entries): entries
        case .entry(let record): [record]
        case .act, .pending, .overwrite: []
        }
    }

    /// Which rules applied to it and why, and what it waits for if it is parked.
    fileprivate var rules: [String] {
        switch self {
        case .event(let record, let reasons, _):
            let remedy = record.reason.flatMap { ParkingReason(rawValue: String($0.prefix { $0 != ":" })) }
                .filter { _ in record.outcome == .parked }
            let erased =
                record.erasedAt.map { ["R20 erased at \($0.formatted(.iso8601)): its facts are all there is"] } ?? []
            return erased + reasons.map { $0.rule.padding(toLength: 4, withPad: " ", startingAt: 0) + $0.text }
                + (remedy.map { ["R3  waits for " + $0.remedy] } ?? [])
        case .entry: return []
        case .act(let record): return [record.rule]
        case .pending: return ["R15 taken over as external when the clock runs next"]
        case .overwrite(let record):
            let when =
                record.putRightAt.map { "put right at \($0.formatted(.iso8601))" } ?? "the clock will put it right"
            return ["R8  the row follows from events: \(when)"]
        }
    }

    fileprivate var changes: [String] {
        if case .pending(let pending) = self { return ["pending: \(pending.balance) → \(pending.remaining) units"] }
        return entries.map { record in
            let entry = record.entry
            let shortfall = entry.shortfall > 0 ? ", \(entry.shortfall) more than there were" : ""
            return "\(entry.kind.rawValue): \(entry.balance - entry.units) → \(entry.balance) units"
                + " (\(entry.line.rawValue), month from \(entry.begin.formatted(.iso8601)))\(shortfall)"
        }
    }
}

extension SubscriptionOverwrite {
    fileprivate var what: String {
        let changes = [
            statusBefore == statusWritten ? nil : "status \(statusBefore) became \(statusWritten)",
            planBefore == planWritten ? nil : "plan \(planBefore) became \(planWritten)",
        ].compactMap(\.self)
        return changes.isEmpty ? "its period, or its account" : changes.joined(separator: ", ")
    }
}

extension OperatorRecord {
    fileprivate var title: String {
        let why = reason.map { ": \($0)" } ?? ""
        return switch kind {
        case .bind: "subscription \(subscription ?? "-") bound to \(user?.text ?? "-") by an operator\(why)"
        case .match: "subscription \(subscription ?? "-") matched to \(user?.text ?? "-") by its e-mail"
        case .discard: "event \(event?.text ?? "-") discarded by an operator\(why)"
        case .grant:
            "\(plan ?? "a plan") granted by an operator\(until.map { " until \($0.formatted(.iso8601))" } ?? "")\(why)"
        case .grantEnd: "granted plans ended by an operator\(why)"
        }
    }

    fileprivate var rule: String {
        switch kind {
        case .bind: "R5  an operator's word is the strongest claim"
        case .match: "R5  remembered: a change of the account's e-mail changes nothing"
        case .discard: "R3  it counts for nothing until it is retried"
        case .grant, .grantEnd: "R19 it acts as a subscription of its own"
        }
    }
}

extension UserSubscription {
    fileprivate var name: String {
        lemonSqueezySubscriptionID
            ?? (source == .granted ? "granted" : "\(id.text) of another program, which gives nothing")
    }
}

extension Bucket {
    /// A sentence that adds up its remaining units.
    fileprivate var account: String {
        var parts = ["\(granted) granted"]
        if consumed != 0 { parts.append("\(consumed) consumed") }
        if adjusted != 0 { parts.append("\(adjusted) adjusted") }
        if carried != 0 { parts.append("\(carried) carried over") }
        return parts.joined(separator: ", ") + ": \(remaining) left"
    }
}

extension Optional {
    fileprivate func filter(_ isIncluded: (Wrapped) -> Bool) -> Wrapped? { flatMap { isIncluded($0) ? $0 : nil } }
}

package import Billing
import Foundation
package import Selextract
package import Storage

// What a time line says, for people: the same words wherever it is shown.

extension TimeLine.Item {
    /// What it is, in a line.
    package var title: String {
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
            case .adjust: return "adjusted by an operator: \(record.entry.reason ?? "")\(record.by.words)"
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

    /// The ledger's entries that it brought.
    package var entries: [LedgerRecord] {
        switch self {
        case .event(_, _, let entries): entries
        case .entry(let record): [record]
        case .act, .pending, .overwrite: []
        }
    }

    /// Which rules applied to it and why, and what it waits for if it is parked.
    package var rules: [String] {
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

    /// What it changed in the ledger, a line each.
    package var changes: [String] {
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

extension Operator? {
    /// Nothing, where it is not known who.
    fileprivate var words: String { map { " (\($0.name), from \($0.origin))" } ?? "" }
}

extension OperatorRecord {
    /// What was done, in a line.
    package var title: String {
        let why = (reason.map { ": \($0)" } ?? "") + by.words
        return switch kind {
        case .bind: "subscription \(subscription ?? "-") bound to \(user?.text ?? "-") by an operator\(why)"
        case .match: "subscription \(subscription ?? "-") matched to \(user?.text ?? "-") by its e-mail"
        case .adjust: "\(units ?? 0) units by an operator\(why)"
        case .map: "variant \(variant ?? "-") mapped to \(plan ?? "-") by an operator\(why)"
        case .retry: "event \(event?.text ?? "-") decided again by an operator\(why)"
        case .revoke: "key \(key?.text ?? "-") revoked by an operator\(why)"
        case .fetch: "subscription \(subscription ?? "-") fetched from Lemon Squeezy by an operator\(why)"
        case .reconcile: "compared with Lemon Squeezy by an operator\(why)"
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
        case .adjust: "R15 an entry of its own in the ledger"
        case .discard: "R3  it counts for nothing until it is retried"
        case .map: "R6  the variant means the plan from now on"
        case .retry: "R3  as if it had just come"
        case .revoke: "    the key opens nothing from then on"
        case .fetch, .reconcile: "R21 what is new there is stored as an event"
        case .grant, .grantEnd: "R19 it acts as a subscription of its own"
        }
    }
}

extension UserSubscription {
    /// As a list names it.
    package var name: String {
        lemonSqueezySubscriptionID
            ?? (source == .granted ? "granted" : "\(id.text) of another program, which gives nothing")
    }
}

extension Bucket {
    /// A sentence that adds up its remaining units.
    package var account: String {
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

public import Billing
import Databases
import Foundation
public import Storage

/// Computes everything afresh from what is stored: the events from their bytes, the accounts from their events, charges
/// and operator actions (R0). Pages through, so that memory does not grow with the number of events.
public struct Rebuild: Sendable {
    private let store: Store
    private let policy: BillingPolicy
    /// Accounts or events a transaction.
    private let chunk: Int

    public init(_ store: Store, policy: BillingPolicy, chunk: Int = 1000) {
        self.store = store
        self.policy = policy
        self.chunk = chunk
    }

    /// Where what is stored differs from what the events say.
    public struct Difference: Sendable, Hashable, Codable {
        public enum Subject: String, Sendable, Hashable, Codable {
            case event, account, subscription, bucket
        }

        public var subject: Subject
        /// The event's or account's id, or the provider's of the subscription.
        public var id: String
        public var detail: String
    }

    public struct Report: Sendable, Hashable, Codable {
        public var events = 0
        public var accounts = 0
        public var differences: [Difference] = []
        /// What could not be computed, and stays as it is. All else was.
        public var failures: [Difference] = []
    }

    /// - Parameter check: only compares. An account that merely waits for the clock is not different.
    public func run(check: Bool) async throws -> Report {
        var report = Report()
        report.events = try await run(events, check, &report)
        report.accounts = try await run(accounts(besideCheckpoints: check), check, &report)
        _ = try await run(waiting, check, &report)
        return report
    }

    /// A kind of work: what there is, page by page, and what to do about some of it.
    private struct Work<Item: Sendable & CustomStringConvertible>: Sendable {
        var subject: Difference.Subject
        /// The items of the next page, where the page after it begins, and what cannot be read.
        var page: @Sendable (StoreTransaction, _ after: Item?) async throws -> Page<Item>
        var compute: @Sendable (StoreTransaction, [Item]) async throws -> [Difference]
    }

    private struct Page<Item: Sendable>: Sendable {
        var items: [Item]
        var unreadable: [UnreadableRow] = []
    }

    /// If a page's transaction fails, each item gets a transaction of its own, so that one faulty item holds up no other.
    ///
    /// - Returns: how many there were on all pages.
    private func run<Item>(_ work: Work<Item>, _ check: Bool, _ report: inout Report) async throws -> Int {
        var (last, count): (Item?, Int) = (nil, 0)
        while true {
            try Task.checkCancellation()
            let page = try await store.transaction { [last] in try await work.page($0, last) }
            report.failures += page.unreadable.map {
                Difference(subject: work.subject, id: $0.id ?? "", detail: $0.description)
            }
            guard let end = page.items.last else { return count }
            last = end
            count += page.items.count
            do {
                report.differences += try await transaction(check) { try await work.compute($0, page.items) }
            } catch let error where !error.isPassing {
                for item in page.items {
                    do {
                        report.differences += try await transaction(check) { try await work.compute($0, [item]) }
                    } catch let error where !error.isPassing {
                        report.failures.append(
                            Difference(
                                subject: work.subject, id: item.description,
                                detail: "could not be computed: \(error.reason)"))
                    }
                }
            }
        }
    }

    /// Carries the findings out of a transaction that is to be rolled back.
    private struct Checked: Error {
        var differences: [Difference]
    }

    private func transaction(
        _ check: Bool, _ body: @Sendable (StoreTransaction) async throws -> [Difference]
    ) async throws -> [Difference] {
        do {
            return try await store.transaction { transaction in
                let differences = try await body(transaction)
                if check { throw Checked(differences: differences) }
                return differences
            }
        } catch let checked as Checked {
            return checked.differences
        }
    }

    // MARK: Kinds of work

    /// A stored event: its id, and its place in the order of arrival.
    private struct StoredDelivery: CustomStringConvertible {
        var arrival: Int
        var id: UUID

        var description: String { id.text }
    }

    private struct StoredAccount: CustomStringConvertible {
        var id: UUID

        var description: String { id.text }
    }

    private var events: Work<StoredDelivery> {
        let (policy, chunk) = (policy, chunk)
        return Work(
            subject: .event,
            page: { transaction, last in
                Page(
                    items: try await transaction.events(after: last?.arrival ?? 0, limit: chunk)
                        .map { StoredDelivery(arrival: $0.arrival, id: $0.id) })
            },
            compute: { transaction, items in
                let acceptance = try await Fold(transaction, policy: policy).inForce().policy.acceptance
                let changed = try await transaction.reread(
                    try await transaction.inbox(ids: items.map(\.id)), acceptance)
                return changed.map { Difference(subject: .event, id: $0.id.text, detail: $0.difference) }
            })
    }

    /// - Parameter besideCheckpoints: also what the next delivery would lead to, beside the checkpoints that are stored.
    private func accounts(besideCheckpoints: Bool) -> Work<StoredAccount> {
        let (policy, chunk) = (policy, chunk)
        return Work(
            subject: .account,
            page: { transaction, last in
                let users = try await transaction.accounts(after: last?.id, limit: chunk)
                return Page(items: users.map(StoredAccount.init), unreadable: users.unreadable)
            },
            compute: { transaction, items in
                let users = Set(items.map(\.id))
                let now = try await transaction.now()
                var differences: [Difference] = []
                if besideCheckpoints {
                    let some = try await transaction.usersWithCheckpoints(among: users)
                    differences = try await Fold(transaction, policy: policy).refresh(users: some).differences(at: now)
                }
                let result = try await Fold(transaction, policy: policy, whole: .all).refresh(users: users)
                return differences + result.differences(at: now).filter { !differences.contains($0) }
            })
    }

    private var waiting: Work<String> {
        let (policy, chunk) = (policy, chunk)
        return Work(
            subject: .subscription,
            page: { Page(items: try await $0.parkedSubscriptions(after: $1, limit: chunk)) },
            compute: { transaction, items in
                let now = try await transaction.now()
                return try await Fold(transaction, policy: policy, whole: .all)
                    .refresh(users: [], relations: Relations(subscriptions: Set(items))).differences(at: now)
            })
    }
}

extension FoldedAccounts {
    /// What was not as it should have been, but for accounts that the clock was to look at anyway.
    fileprivate func differences(at now: Date) -> [Rebuild.Difference] {
        let before = Dictionary(uniqueKeysWithValues: found.map { ($0.userID, $0) })
        let late = Set(
            found.filter { row in
                row.dueAt.map { $0 <= now } ?? true || row.validFrom.map { $0 > now } ?? false
            }.map(\.userID))
        let charged = Set(changes.charges.map(\.userID))
        func counts(_ user: UUID) -> Bool { !late.contains(user) && !charged.contains(user) }

        let accounts = changes.accounts.filter { counts($0.userID) }.compactMap { after -> Rebuild.Difference? in
            guard let stored = before[after.userID] else { return nil }
            var what: [String] = []
            func compare<Value: Equatable>(
                _ name: String, _ path: KeyPath<AccountRow, Value>, _ text: (Value) -> String
            ) {
                guard stored[keyPath: path] != after[keyPath: path] else { return }
                what.append("\(name) is \(text(stored[keyPath: path])), should be \(text(after[keyPath: path]))")
            }
            compare("the plan", \.tier) { $0 }
            compare("units remaining", \.unitsRemaining) { String($0) }
            compare("the reset date", \.resetDate) { $0.formatted(.iso8601) }
            compare("the clock's next look", \.dueAt) { $0?.formatted(.iso8601) ?? "never" }
            if what.isEmpty { return nil }
            return Rebuild.Difference(
                subject: .account, id: after.userID.text, detail: what.joined(separator: "; "))
        }
        let stored = Dictionary(subscriptions.map { ($0.state.id, $0) }) { first, _ in first }
        let subscriptions = changes.subscriptions.filter { counts($0.userID) }.map { after in
            let fields = stored[after.state.id].map { differingFields($0, after).joined(separator: ", ") }
            return Rebuild.Difference(
                subject: .subscription, id: after.state.id,
                detail: fields.map { "its row is not what the events say: \($0)" } ?? "it has no row")
        }
        let removed = changes.removedSubscriptions.sorted().map {
            Rebuild.Difference(subject: .subscription, id: $0, detail: "no event speaks for its row")
        }
        let storedBuckets = Dictionary(buckets.map { ($0.key, $0.bucket) }) { first, _ in first }
        let changed = changes.buckets.filter { counts($0.userID) }.map { after in
            Rebuild.Difference(
                subject: .bucket, id: after.userID.text,
                detail: after.key.text
                    + (storedBuckets[after.key].map { $0.difference(to: after.bucket) } ?? "is missing"))
        }
        let gone = changes.removedBuckets.filter { counts($0.userID) }.map {
            Rebuild.Difference(subject: .bucket, id: $0.userID.text, detail: $0.text + "should not be there")
        }
        // Of one that cannot be read the outcome stays. Its account is told by others of its subscription, as soon as they
        // are looked at, and nothing depends on it.
        let events = decisions.values.filter { $0.userID.map(counts) ?? true && !$0.isUndecodable }.map {
            Rebuild.Difference(
                subject: .event, id: $0.eventID.text,
                detail: "its outcome should be \($0.outcome.rawValue)\($0.reason.map { " (\($0))" } ?? "")")
        }
        return accounts + subscriptions + removed + changed + gone + events
    }
}

extension EventDecision {
    fileprivate var isUndecodable: Bool {
        outcome == .parked && reason?.hasPrefix(ParkingReason.undecodable.rawValue) ?? false
    }
}

extension BucketRow.Key {
    /// For people; what is wrong with it follows.
    fileprivate var text: String { "the month of \(line.rawValue) from \(begin.formatted(.iso8601)) " }
}

extension Bucket {
    fileprivate func difference(to right: Bucket) -> String {
        let numbers: [(String, KeyPath<Bucket, Int>)] = [
            ("granted", \.granted), ("consumed", \.consumed), ("adjusted", \.adjusted), ("carried", \.carried),
        ]
        let times: [(String, KeyPath<Bucket, Date>)] = [("the end", \.end), ("unlocked", \.unlockedAt)]
        let texts =
            numbers.map { ($0, "\(self[keyPath: $1])", "\(right[keyPath: $1])") }
            + times.map { ($0, self[keyPath: $1].formatted(.iso8601), right[keyPath: $1].formatted(.iso8601)) }
        return texts.filter { $0.1 != $0.2 }.map { "says \($0.0) \($0.1), should say \($0.2)" }.joined(separator: "; ")
    }
}

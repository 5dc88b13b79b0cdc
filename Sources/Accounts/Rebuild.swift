public import Billing
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
    }

    /// - Parameter check: only compares. An account that merely waits for the clock is not different.
    public func run(check: Bool) async throws -> Report {
        var report = Report()
        report.events = try await pages(check, &report.differences, events)
        report.accounts = try await pages(check, &report.differences) {
            try await accounts($0, after: $1, besideCheckpoints: check)
        }
        _ = try await pages(check, &report.differences, waiting)
        return report
    }

    /// - Returns: how many there were on all pages.
    private func pages<Key: Sendable>(
        _ check: Bool, _ differences: inout [Difference],
        _ page: @escaping @Sendable (StoreTransaction, _ after: Key?) async throws -> Page<Key>?
    ) async throws -> Int {
        var (last, count): (Key?, Int) = (nil, 0)
        while true {
            let next = try await transaction(check) { [last] in try await page($0, last) }
            guard let next else { return count }
            last = next.last
            count += next.count
            differences += next.differences
        }
    }

    private struct Page<Key: Sendable>: Sendable {
        var last: Key
        var count: Int
        var differences: [Difference]
    }

    /// Carries the findings out of a transaction that is to be rolled back.
    private struct Checked<Key: Sendable>: Error {
        var page: Page<Key>?
    }

    private func transaction<Key: Sendable>(
        _ check: Bool, _ body: @Sendable (StoreTransaction) async throws -> Page<Key>?
    ) async throws -> Page<Key>? {
        try Task.checkCancellation()
        do {
            return try await store.transaction { transaction in
                let page = try await body(transaction)
                if check { throw Checked(page: page) }
                return page
            }
        } catch let checked as Checked<Key> {
            return checked.page
        }
    }

    private func events(_ transaction: StoreTransaction, after arrival: Int?) async throws -> Page<Int>? {
        let rows = try await transaction.inbox(after: arrival ?? 0, limit: chunk)
        guard let last = rows.last else { return nil }
        let acceptance = try await Fold(transaction, policy: policy).inForce().policy.acceptance
        let changed = try await transaction.reread(rows, acceptance)
        return Page(
            last: last.arrival, count: rows.count,
            differences: changed.map { Difference(subject: .event, id: $0.id.text, detail: $0.difference) })
    }

    /// - Parameter besideCheckpoints: also what the next delivery would lead to, beside the checkpoints that are stored.
    private func accounts(
        _ transaction: StoreTransaction, after user: UUID?, besideCheckpoints: Bool
    ) async throws -> Page<UUID>? {
        let users = try await transaction.accounts(after: user, limit: chunk)
        guard let last = users.last else { return nil }
        let now = try await transaction.now()
        var differences: [Difference] = []
        if besideCheckpoints {
            let some = try await transaction.usersWithCheckpoints(among: Set(users))
            differences = try await Fold(transaction, policy: policy).refresh(users: some).differences(at: now)
        }
        let result = try await Fold(transaction, policy: policy, whole: .all).refresh(users: Set(users))
        differences += result.differences(at: now).filter { !differences.contains($0) }
        return Page(last: last, count: users.count, differences: differences)
    }

    private func waiting(_ transaction: StoreTransaction, after id: String?) async throws -> Page<String>? {
        let subscriptions = try await transaction.parkedSubscriptions(after: id, limit: chunk)
        guard let last = subscriptions.last else { return nil }
        let now = try await transaction.now()
        let result = try await Fold(transaction, policy: policy, whole: .all).refresh(
            users: [], relations: Relations(subscriptions: Set(subscriptions)))
        return Page(last: last, count: subscriptions.count, differences: result.differences(at: now))
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
        let events = decisions.values.filter { $0.userID.map(counts) ?? true }.map {
            Rebuild.Difference(
                subject: .event, id: $0.eventID.text,
                detail: "its outcome should be \($0.outcome.rawValue)\($0.reason.map { " (\($0))" } ?? "")")
        }
        return accounts + subscriptions + removed + changed + gone + events
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

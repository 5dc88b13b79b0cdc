public import Billing
import Databases
import Foundation
public import Storage

/// Runs the clock once (R17): looks at the accounts whose moment has come, at what is parked and may be released, and
/// at what had failed.
///
/// In chunks, each in a transaction of its own, so that the first of a month delays no webhook; whatever was not done
/// is still due, so that it goes on where it stopped. Being late changes nothing but the rows' age (R0).
public struct Tick: Sendable {
    private let store: Store
    private let policy: BillingPolicy
    /// Accounts or events a transaction.
    private let chunk: Int

    public init(_ store: Store, policy: BillingPolicy, chunk: Int = 1000) {
        self.store = store
        self.policy = policy
        self.chunk = chunk
    }

    /// What a run found to do.
    public struct Report: Sendable, Hashable, Codable {
        /// Another process runs the clock now: the rest is left to it.
        public var isElsewhere = false
        /// Events that an older version had stored, and that were read again from their bytes.
        public var reread = 0
        /// Quarantined events that are accepted now (R4).
        public var accepted = 0
        /// Failed events that were tried again.
        public var retried = 0
        /// Parked events that were released.
        public var released = 0
        /// Subscriptions of another program's that were taken over (R21).
        public var adopted = 0
        /// Accounts of which another program had changed a subscription's row.
        public var putRight = 0
        /// Accounts that were due.
        public var accounts = 0
        /// Of those, whose units, tier or reset date changed.
        public var changed = 0
        /// Accounts, subscriptions and failed events that could not be folded; they stay due.
        public var failures = 0
        /// Which these are, and why.
        public var faults: [Fault] = []

        public init() {}
    }

    /// What could not be folded.
    public struct Fault: Sendable, Hashable, Codable {
        /// The id of an account or an event, or the provider's of a subscription.
        public var id: String
        /// For people, without values.
        public var why: String
    }

    /// A kind of work: what is due, and what to do about some of it.
    private struct Work: Sendable {
        /// All but those excepted.
        var due: @Sendable (StoreTransaction, _ except: Set<String>) async throws -> [String]
        var fold: @Sendable (StoreTransaction, [String]) async throws -> Report
        var giveUp: @Sendable (StoreTransaction, [String]) async throws -> Void = { _, _ in }
    }

    /// - Parameters:
    ///   - dryRun: rolls back what it did; of each kind of work only the first chunk is looked at.
    ///   - onlyDue: looks only at accounts and failed events whose moment has come, as `serve` does every second.
    public func run(dryRun: Bool = false, onlyDue: Bool = false) async throws -> Report {
        var report = Report()
        let all = [
            foreignSubscriptions, outdatedEvents, quarantinedEvents, failedEvents, parkedEvents, overwrittenAccounts,
            dueAccounts,
        ]
        let due = [foreignSubscriptions, failedEvents, overwrittenAccounts, dueAccounts]
        for work in onlyDue ? due : all {
            var (seen, stuck): (Set<String>, Set<String>) = ([], [])
            while true {
                try Task.checkCancellation()
                guard let step = try await step(work, except: stuck, dryRun: dryRun) else {
                    report.isElsewhere = true
                    return report
                }
                report.add(step.report)
                if dryRun || step.items.count < chunk { break }
                // What is still due after it was looked at is left out from now on, so that the next chunk reaches what
                // comes after it.
                stuck.formUnion(step.failed)
                stuck.formUnion(seen.intersection(step.items))
                seen.formUnion(step.items)
            }
        }
        return report
    }

    // MARK: Steps

    private struct Step: Sendable {
        var items: [String]
        var failed: Set<String> = []
        var report: Report
    }

    /// Carries the findings out of a transaction that is to be rolled back.
    private struct DryRun: Error {
        var step: Step
    }

    /// If a chunk's transaction fails, each item gets a transaction of its own, so that one faulty item holds up no
    /// other.
    private func step(_ work: Work, except stuck: Set<String>, dryRun: Bool) async throws -> Step? {
        do {
            return try await transaction(work, dryRun: dryRun) { try await work.due($0, stuck) }
        } catch let error where !error.isPassing {
            let items = try await store.transaction { try await work.due($0, stuck) }
            var step = Step(items: items, report: Report())
            for item in items {
                do {
                    guard let one = try await transaction(work, dryRun: dryRun, { _ in [item] }) else { return nil }
                    step.report.add(one.report)
                } catch let error where !error.isPassing {
                    step.failed.insert(item)
                    step.report.failures += 1
                    step.report.faults.append(Fault(id: item.lowercased(), why: error.reason))
                    if !dryRun { try await store.transaction { try await work.giveUp($0, [item]) } }
                }
            }
            return step
        }
    }

    private func transaction(
        _ work: Work, dryRun: Bool, _ due: @Sendable (StoreTransaction) async throws -> [String]
    ) async throws -> Step? {
        do {
            return try await store.transaction { transaction in
                guard try await transaction.holdsClock() else { return nil }
                let items = try await due(transaction)
                let step = Step(
                    items: items, report: items.isEmpty ? Report() : try await work.fold(transaction, items))
                if dryRun { throw DryRun(step: step) }
                return step
            }
        } catch let dry as DryRun {
            return dry.step
        }
    }

    // MARK: Kinds of work

    /// Before all else, so that no account is judged without what it had.
    private var foreignSubscriptions: Work {
        let (policy, chunk) = (policy, chunk)
        return Work(
            due: { transaction, stuck in
                try await transaction.adoptable(limit: chunk, except: stuck.compactMap(UUID.init(uuidString:)))
                    .map(\.uuidString)
            },
            fold: { transaction, items in
                var report = Report()
                report.adopted = try await Fold(transaction, policy: policy)
                    .adopt(items.compactMap(UUID.init(uuidString:))).count
                return report
            })
    }

    private var overwrittenAccounts: Work {
        let (policy, chunk) = (policy, chunk)
        return Work(
            due: { transaction, stuck in
                try await transaction.overwritten(limit: chunk, except: stuck.compactMap(UUID.init(uuidString:)))
                    .map(\.uuidString)
            },
            fold: { transaction, items in
                let users = Set(items.compactMap(UUID.init(uuidString:)))
                try await transaction.markPutRight(of: users, at: try await transaction.now())
                try await Fold(transaction, policy: policy).refresh(users: users)
                var report = Report()
                report.putRight = users.count
                return report
            })
    }

    private var outdatedEvents: Work {
        let (policy, chunk) = (policy, chunk)
        return Work(
            due: { transaction, stuck in
                try await transaction.outdated(limit: chunk, except: stuck.compactMap(UUID.init(uuidString:)))
                    .map(\.uuidString)
            },
            fold: { transaction, items in
                let events = items.compactMap(UUID.init(uuidString:))
                // Waits for what is held: once its columns are written, nothing tells that the event is still to be folded.
                let fold = Fold(transaction, policy: policy)
                let changed = try await transaction.reread(
                    try await transaction.inbox(ids: events), try await fold.inForce().policy.acceptance)
                try await transaction.markDecoded(events)
                if !changed.isEmpty {
                    try await fold.refresh(users: [], relations: try await transaction.relations(ofEvents: changed.ids))
                }
                var report = Report()
                report.reread = events.count
                return report
            })
    }

    private var quarantinedEvents: Work {
        let (policy, chunk) = (policy, chunk)
        return Work(
            due: { transaction, stuck in
                let acceptance = try await Fold(transaction, policy: policy).inForce().policy.acceptance
                return try await transaction.acceptable(
                    acceptance, limit: chunk, except: stuck.compactMap(UUID.init(uuidString:))
                ).map(\.uuidString)
            },
            fold: { transaction, items in
                let events = items.compactMap(UUID.init(uuidString:))
                // Waits for what is held: once its columns are written, nothing tells that the event is still to be folded.
                let fold = Fold(transaction, policy: policy)
                let changed = try await transaction.reread(
                    try await transaction.inbox(ids: events), try await fold.inForce().policy.acceptance)
                try await fold.retry(changed.ids)
                var report = Report()
                report.accepted = changed.count
                return report
            })
    }

    private var failedEvents: Work {
        let (policy, chunk) = (policy, chunk)
        return Work(
            due: { transaction, _ in
                try await transaction.retryable(at: try await transaction.now(), limit: chunk).map(\.uuidString)
            },
            fold: { transaction, items in
                let events = items.compactMap(UUID.init(uuidString:))
                try await Fold(transaction, policy: policy, waits: false).retry(events)
                var report = Report()
                report.retried = events.count
                return report
            },
            giveUp: { try await $0.postpone($1.compactMap(UUID.init(uuidString:)), at: $0.now()) })
    }

    private var parkedEvents: Work {
        let (policy, chunk) = (policy, chunk)
        return Work(
            due: {
                let matches = try await Fold($0, policy: policy).inForce().policy.matchByEmail
                return try await $0.releasable(limit: chunk, matchByEmail: matches, except: $1).sorted()
            },
            fold: { transaction, items in
                let result = try await Fold(transaction, policy: policy, waits: false).refresh(
                    users: [], relations: Relations(subscriptions: Set(items)))
                var report = Report()
                report.released = result.decisions.values.count { $0.outcome == .applied }
                return report
            })
    }

    private var dueAccounts: Work {
        let (policy, chunk) = (policy, chunk)
        return Work(
            due: { transaction, stuck in
                let revision = try await Fold(transaction, policy: policy).inForce().revision
                return try await transaction.dueAccounts(
                    at: try await transaction.now(), revision: revision, limit: chunk,
                    except: stuck.compactMap(UUID.init(uuidString:))
                ).map(\.uuidString)
            },
            fold: { transaction, items in
                let users = Set(items.compactMap(UUID.init(uuidString:)))
                let result = try await Fold(transaction, policy: policy, waits: false).refresh(users: users)
                var report = Report()
                report.accounts = users.count
                report.changed = result.shownChanges
                return report
            })
    }
}

extension Tick.Report {
    fileprivate mutating func add(_ other: Tick.Report) {
        reread += other.reread
        accepted += other.accepted
        retried += other.retried
        released += other.released
        adopted += other.adopted
        putRight += other.putRight
        accounts += other.accounts
        changed += other.changed
        failures += other.failures
        faults += other.faults
    }
}

extension Error {
    /// Whether it says nothing about the work itself: the database is away, or the task was cancelled.
    var isPassing: Bool {
        if case .unavailable? = self as? StoreError { true } else { self is CancellationError }
    }

    /// Why something could not be folded, without values.
    var reason: String { (self as? StoreError)?.description ?? "\(type(of: self))" }
}

extension FoldedAccounts {
    /// Accounts whose units, tier or reset date changed.
    fileprivate var shownChanges: Int {
        let before = Dictionary(uniqueKeysWithValues: found.map { ($0.userID, $0) })
        return changes.accounts.count { after in
            guard let before = before[after.userID] else { return true }
            return before.tier != after.tier || before.unitsRemaining != after.unitsRemaining
                || before.resetDate != after.resetDate
        }
    }
}

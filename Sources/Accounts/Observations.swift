public import Billing
import Databases
public import Foundation
import Selextract
public import Storage

/// Takes in what the provider's API shows (R21): as stored events, by the rules that deliveries are decided by.
public struct Observations: Sendable {
    let store: Store
    let policy: BillingPolicy

    public init(_ store: Store, policy: BillingPolicy) {
        self.store = store
        self.policy = policy
    }

    /// What became of observations.
    public struct Report: Sendable, Hashable {
        /// All that were looked at.
        public var seen = 0
        /// Those that told something new, and were stored.
        public var stored = 0
        /// Of those, what became of them.
        public var outcomes: [Outcome: Int] = [:]
        /// Subscriptions of those that wait, with the reason.
        public var waiting: [String: String] = [:]

        public init() {}

        public mutating func add(_ other: Report) {
            seen += other.seen
            stored += other.stored
            outcomes.merge(other.outcomes, uniquingKeysWith: +)
            waiting.merge(other.waiting) { $1 }
        }

        init(seen: Int, _ events: [InboxEvent], _ decisions: [EventDecision]) {
            self.seen = seen
            stored = events.count
            for (event, decision) in zip(events, decisions) {
                outcomes[decision.outcome, default: 0] += 1
                guard decision.outcome == .parked || decision.outcome == .quarantined else { continue }
                waiting[event.subscriptionID ?? event.dataID ?? ""] = decision.reason ?? ""
            }
        }
    }

    /// What an account has now, and would have.
    public struct Difference: Sendable, Hashable {
        public var userID: UUID
        public var email: String
        public var tierBefore: String
        public var tierAfter: String
        public var unitsBefore: Int
        public var unitsAfter: Int
        public var resetBefore: Date
        public var resetAfter: Date

        init?(_ before: User, _ after: User) {
            userID = before.id
            email = before.email
            (tierBefore, tierAfter) = (before.subscriptionTier, after.subscriptionTier)
            (unitsBefore, unitsAfter) = (before.computeUnitsRemaining, after.computeUnitsRemaining)
            (resetBefore, resetAfter) = (before.computeUnitsResetDate, after.computeUnitsResetDate)
            if tierBefore == tierAfter, unitsBefore == unitsAfter, resetBefore == resetAfter { return nil }
        }
    }

    /// Those that tell something new. Nothing is locked or written.
    public func news(_ events: [InboxEvent]) async throws -> [InboxEvent] {
        try await store.transaction { try await $0.news(events) }
    }

    /// Stores what is new of some observations, and folds it, in one transaction. If that fails, each gets one of its own,
    /// and what cannot be folded is set aside, to be tried again by the clock (R2).
    public func take(_ events: [InboxEvent]) async throws -> Report {
        let policy = policy
        do {
            return try await store.transaction { transaction in
                let news = try await transaction.news(events)
                if news.isEmpty { return Report(seen: events.count, [], []) }
                let decisions = try await Fold(transaction, policy: policy).receive(news)
                return Report(seen: events.count, news, decisions)
            }
        } catch let error where !error.isPassing && events.count > 1 {
            var report = Report()
            for event in events { report.add(try await take([event])) }
            return report
        } catch let error where !error.isPassing {
            return try await store.transaction { transaction in
                let decision = try await Fold(transaction, policy: policy)
                    .setAside(events[0], reason: RetryDelay.faultReason)
                return Report(seen: 1, events, [decision].compactMap(\.self))
            }
        }
    }
}

extension StoreTransaction {
    /// Those observations that tell something new.
    func news(_ events: [InboxEvent]) async throws -> [InboxEvent] {
        events.isEmpty ? [] : events.news(beside: try await stored(alike: events))
    }
}

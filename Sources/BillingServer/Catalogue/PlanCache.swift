import Foundation
import Selextract
import Storage
import Synchronization

/// A copy of the plans on offer, so that the catalogue costs one query a second at most, and is shown on while the database
/// is away.
actor PlanCache {
    /// What is answered, made once: bytes, tag and headers do not depend on the request.
    final class Copy: Sendable {
        /// Active plans, cheapest first.
        let list: CataloguePage
        /// By the plan's id.
        let plans: [String: CataloguePage]
        fileprivate let active: [SubscriptionPlan]
        fileprivate let readAt: ContinuousClock.Instant

        /// - Parameter last: the copy before; what has not changed since is taken from it.
        fileprivate init(_ plans: [SubscriptionPlan], after last: Copy?, readAt: ContinuousClock.Instant) {
            active = plans
            self.readAt = readAt
            if let last, last.active == plans {
                list = last.list
                self.plans = last.plans
            } else {
                list = CataloguePage(PlanList(plans: plans.map(CataloguePlan.init)))
                self.plans = Dictionary(plans.map { ($0.id, CataloguePage(CataloguePlan($0))) }) { first, _ in first }
            }
        }
    }

    /// How old the copy may be before it is read again; also how long to wait after a failure.
    static let maximumAge: Duration = .seconds(1)
    /// How old it may be while the database is away.
    static let maximumAgeInOutage: Duration = .seconds(300)
    /// How long a reader waits for a new copy before the old one is shown.
    static let refreshWait: Duration = .milliseconds(500)

    private let lists: Lists
    /// Written by the actor alone; read without waiting for it.
    private let copy = Mutex<Copy?>(nil)
    private var refresh: Task<Copy, any Error>?
    private var failedAt: ContinuousClock.Instant?

    init(lists: Lists) {
        self.lists = lists
    }

    /// - Throws: what the store throws, if there is no copy that may still be shown.
    nonisolated func current() async throws -> Copy {
        let copy = copy.withLock(\.self)
        let now = ContinuousClock.now
        if let copy, copy.readAt + Self.maximumAge > now { return copy }
        return try await renewed(copy, now)
    }

    private func renewed(_ old: Copy?, _ now: ContinuousClock.Instant) async throws -> Copy {
        guard let old, old.readAt + Self.maximumAgeInOutage > now else { return try await read().value }
        if let failedAt, failedAt + Self.maximumAge > now { return old }
        return await read().value(within: Self.refreshWait) ?? old
    }

    /// One query at a time, however many ask.
    private func read() -> Task<Copy, any Error> {
        if let refresh { return refresh }
        let task = Task {
            defer { refresh = nil }
            do {
                let plans = try await lists.plans().filter(\.isActive)
                let copy = Copy(plans, after: self.copy.withLock(\.self), readAt: .now)
                self.copy.withLock { $0 = copy }
                failedAt = nil
                return copy
            } catch {
                failedAt = .now
                throw error
            }
        }
        refresh = task
        return task
    }
}

extension Task where Success: Sendable, Failure == any Error {
    /// nil if it takes longer or fails. The task is not cancelled: it goes on in the background.
    fileprivate func value(within limit: Duration) async -> Success? {
        let (results, result) = AsyncStream.makeStream(of: Success?.self)
        let waiting = Task<Void, Never> { result.yield(try? await self.value) }
        let timer = Task<Void, Never> {
            try? await Task<Never, Never>.sleep(for: limit)
            result.yield(nil)
        }
        defer {
            waiting.cancel()
            timer.cancel()
        }
        for await value in results { return value }
        return nil
    }
}

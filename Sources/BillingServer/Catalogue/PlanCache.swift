import Foundation
import Selextract
import Storage

/// The plans on offer, as last read: at most a second old, older only while the database is away.
actor Catalogue {
    struct Copy: Sendable {
        /// Active plans, cheapest first.
        var plans: [SubscriptionPlan]
        var readAt: ContinuousClock.Instant
    }

    /// How old what is shown may be.
    static let freshness: Duration = .seconds(1)
    /// How old it may be while the database is away.
    static let patience: Duration = .seconds(300)
    /// How long a reader waits for a new copy while there is an old one.
    static let courtesy: Duration = .milliseconds(500)

    private let store: any ListStore
    private var copy: Copy?
    private var refresh: Task<Copy, any Error>?
    private var failedAt: ContinuousClock.Instant?

    init(store: any ListStore) {
        self.store = store
    }

    /// - Throws: what the store throws, if there is no copy that may still be shown.
    func plans() async throws -> [SubscriptionPlan] {
        let now = ContinuousClock.now
        if let copy, copy.readAt + Self.freshness > now { return copy.plans }
        guard let old = copy, old.readAt + Self.patience > now else { return try await read().value.plans }
        if let failedAt, failedAt + Self.freshness > now { return old.plans }
        return await read().value(within: Self.courtesy)?.plans ?? old.plans
    }

    /// One query at a time, however many ask.
    private func read() -> Task<Copy, any Error> {
        if let refresh { return refresh }
        let task = Task {
            defer { refresh = nil }
            do {
                let copy = Copy(plans: try await store.plans().filter(\.isActive), readAt: .now)
                (self.copy, failedAt) = (copy, nil)
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
    /// nil if it takes longer or fails; it goes on meanwhile.
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

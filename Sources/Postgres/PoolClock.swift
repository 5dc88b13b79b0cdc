/// The time a pool goes by, so that tests can bring their own.
struct PoolClock: Sendable {
    /// Time since some fixed moment; it never goes back.
    let now: @Sendable () -> Duration
    let sleep: @Sendable (Duration) async throws -> Void

    static let continuous: PoolClock = {
        let start = ContinuousClock.now
        return PoolClock(now: { ContinuousClock.now - start }, sleep: { try await Task.sleep(for: $0) })
    }()
}

import Databases
import Storage

/// Asks the database at most once a second, however many ask whether it is ready.
actor ReadinessCheck {
    private let store: Store
    private var last: (at: ContinuousClock.Instant, answer: Task<DatabaseHealth, any Error>)?

    init(store: Store) {
        self.store = store
    }

    func health() async throws -> DatabaseHealth {
        if let last, .now - last.at < .seconds(1) { return try await last.answer.value }
        let answer = Task { [store] in try await store.health() }
        last = (.now, answer)
        return try await answer.value
    }
}

import Foundation

/// Whose turn it is to write: one transaction at a time, in the order they came.
///
/// Other processes have no place in that order: they look from time to time whether the file is free. So when this process
/// has written without a break for long, it rests once for as long as the slowest of them waits between two looks.
actor WriterTurn {
    /// After so long without a break this process rests: well within the five seconds that a program waits by default.
    private static let stretch: Duration = .seconds(2)
    /// How long it rests: SQLite's own waiting looks every 100 ms.
    private static let rest: Duration = .milliseconds(105)
    /// What counts as a break.
    private static let pause: Duration = .milliseconds(5)

    private var isTaken = false
    private var waiting: [(id: UUID, resume: CheckedContinuation<Void, any Error>)] = []
    private var stretchBegan = ContinuousClock.now
    private var lastEnd = ContinuousClock.now

    /// Waits for the turn.
    ///
    /// - Parameter deadline: how long; nil: as long as it takes.
    /// - Throws: `CancellationError` if the task was cancelled before, `StoreError.unavailable` at the deadline; then it
    ///   has no turn to end.
    func begin(by deadline: ContinuousClock.Instant? = nil) async throws {
        try await wait(by: deadline)
        if .now - lastEnd >= Self.pause {
            stretchBegan = .now
        } else if .now - stretchBegan >= Self.stretch {
            do {
                try await Task.sleep(for: Self.rest)
            } catch {
                end()
                throw error
            }
            stretchBegan = .now
        }
    }

    private func wait(by deadline: ContinuousClock.Instant?) async throws {
        try Task.checkCancellation()
        guard isTaken else {
            isTaken = true
            return
        }
        let id = UUID()
        let timer = deadline.map { deadline in
            Task {
                try await Task.sleep(until: deadline)
                leave(id, because: StoreError.unavailable("others wrote all the while"))
            }
        }
        defer { timer?.cancel() }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                if Task.isCancelled {
                    continuation.resume(throwing: CancellationError())
                } else {
                    waiting.append((id, continuation))
                }
            }
        } onCancel: {
            Task { await self.leave(id, because: CancellationError()) }
        }
    }

    func end() {
        lastEnd = .now
        if waiting.isEmpty {
            isTaken = false
        } else {
            waiting.removeFirst().resume.resume()
        }
    }

    private func leave(_ id: UUID, because error: any Error) {
        guard let place = waiting.firstIndex(where: { $0.id == id }) else { return }
        waiting.remove(at: place).resume.resume(throwing: error)
    }
}

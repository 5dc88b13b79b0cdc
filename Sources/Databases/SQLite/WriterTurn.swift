import Foundation

/// Whose turn it is to write: one transaction at a time, in the order they came.
actor WriterTurn {
    private var isTaken = false
    private var waiting: [(id: UUID, resume: CheckedContinuation<Void, any Error>)] = []

    /// Waits for the turn.
    ///
    /// - Throws: `CancellationError` if the task was cancelled before; then it has no turn to end.
    func begin() async throws {
        try Task.checkCancellation()
        guard isTaken else {
            isTaken = true
            return
        }
        let id = UUID()
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                if Task.isCancelled {
                    continuation.resume(throwing: CancellationError())
                } else {
                    waiting.append((id, continuation))
                }
            }
        } onCancel: {
            Task { await self.leave(id) }
        }
    }

    func end() {
        if waiting.isEmpty {
            isTaken = false
        } else {
            waiting.removeFirst().resume.resume()
        }
    }

    private func leave(_ id: UUID) {
        guard let place = waiting.firstIndex(where: { $0.id == id }) else { return }
        waiting.remove(at: place).resume.resume(throwing: CancellationError())
    }
}

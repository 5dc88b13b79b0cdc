import Hummingbird
import NIOCore
import Synchronization

/// Bounds the memory that all bodies take together, each from its first byte until its request is answered. A part of it is
/// only for small bodies, so that those who send large ones cannot shut out the others: events are small.
final class BodyBudget: Sendable {
    private struct Held {
        var all = 0
        var large = 0
    }

    private let limits: Limits
    private let held = Mutex(Held())

    init(_ limits: Limits) { self.limits = limits }

    /// Bytes held now.
    var heldBytes: Int { held.withLock(\.all) }

    /// Lends the whole body of a request.
    ///
    /// - Throws: `Problem`, before the rest is read, if the body is larger than one may be, or all are together.
    func withBody<Result>(
        of request: Request, _ use: ([UInt8]) async throws -> Result
    ) async throws -> Result {
        let announced = request.headers[.contentLength].flatMap(Int.init) ?? 0
        guard announced <= limits.bodySize else { throw Problem.bodyTooLarge }
        var share = Share(isLarge: announced > limits.smallBodySize)
        defer { give(back: share) }
        var body: [UInt8] = []
        for try await piece in request.body {
            let size = piece.readableBytes
            guard body.count + size <= limits.bodySize else { throw Problem.bodyTooLarge }
            guard take(size, for: &share) else { throw Problem.unavailable }
            // Only once bytes have come: announcing a length costs a sender nothing, and must not cost us memory.
            if body.isEmpty { body.reserveCapacity(max(announced, size)) }
            body.append(contentsOf: piece.readableBytesView)
        }
        return try await use(body)
    }

    /// What one body holds.
    private struct Share {
        var size = 0
        var isLarge: Bool
    }

    private func take(_ size: Int, for share: inout Share) -> Bool {
        let before = share
        share.size += size
        share.isLarge = share.isLarge || share.size > limits.smallBodySize
        let after = share
        return held.withLock { held in
            held.all += size
            if after.isLarge { held.large += before.isLarge ? size : after.size }
            return held.all <= limits.heldBytes && (!after.isLarge || held.large <= limits.heldLargeBytes)
        }
    }

    private func give(back share: Share) {
        held.withLock { held in
            held.all -= share.size
            if share.isLarge { held.large -= share.size }
        }
    }
}

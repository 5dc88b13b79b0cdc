import Hummingbird
import NIOCore
import Synchronization

/// Bounds the memory that all bodies take together, each from its first byte until its request is answered.
final class BodyBudget: Sendable {
    private let sizeLimit: Int
    private let totalLimit: Int
    private let held = Atomic<Int>(0)

    init(sizeLimit: Int, totalLimit: Int) {
        self.sizeLimit = sizeLimit
        self.totalLimit = totalLimit
    }

    /// Bytes held now.
    var heldBytes: Int { held.load(ordering: .relaxed) }

    /// Lends the whole body of a request.
    ///
    /// - Throws: `Problem`, before the rest is read, if the body is larger than one may be, or all are together.
    func withBody<Result>(
        of request: Request, _ use: ([UInt8]) async throws -> Result
    ) async throws -> Result {
        let announced = request.headers[.contentLength].flatMap(Int.init) ?? 0
        guard announced <= sizeLimit else { throw Problem.bodyTooLarge }
        var taken = 0
        defer { held.subtract(taken, ordering: .relaxed) }
        var body: [UInt8] = []
        for try await piece in request.body {
            let size = piece.readableBytes
            guard body.count + size <= sizeLimit else { throw Problem.bodyTooLarge }
            taken += size
            guard held.add(size, ordering: .relaxed).newValue <= totalLimit else { throw Problem.unavailable }
            // Only once bytes have come: announcing a length costs a sender nothing, and must not cost us memory.
            if body.isEmpty { body.reserveCapacity(max(announced, size)) }
            body.append(contentsOf: piece.readableBytesView)
        }
        return try await use(body)
    }
}

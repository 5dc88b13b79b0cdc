import Foundation
import LemonSqueezy

/// Signature and decoding inside this process, without HTTP or a database.
struct ParsePoint {
    let stage: Stage

    func measure() throws {
        let bodies = try Templates(root: stage.bench.root).cycle(0, lanes: 80, first: 1)
        let secrets = try SigningSecrets(current: Deliveries.secret)
        let signed = bodies.map { ($0, [Signature.sign($0, secret: Deliveries.secret)]) }
        let bytes = bodies.reduce(0) { $0 + $1.count } / bodies.count

        let signature = try time(signed.count) {
            for (body, header) in signed where Signature.verify(header, body: body, secrets: secrets) != .current {
                throw Failure("a signature does not match")
            }
        }
        let parsing = try time(bodies.count) {
            for body in bodies { _ = try JSONValue(parsing: body) }
        }
        let decoding = try time(bodies.count) {
            for body in bodies {
                if case .undecodable(let reason) = try WebhookEvent(body: body).object { throw Failure(reason) }
            }
        }
        let table = stage.bench.table
        table.add(
            "signature and decoding", (signature + decoding).short + " µs an event",
            remarks: "inside the program, one thread, bodies of \(bytes) bytes on average")
        table.add("of it the signature", signature.short + " µs", ratio: signature / (signature + decoding))
        table.add(
            "of it the decoding", decoding.short + " µs", ratio: decoding / (signature + decoding),
            remarks: "JSON alone: \(parsing.short) µs")
    }

    /// - Returns: microseconds each, the median of some rounds.
    private func time(_ count: Int, _ body: () throws -> Void) rethrows -> Double {
        var times: [Double] = []
        let deadline = Clock.now + (stage.bench.scale < 0.1 ? 0.3 : 2)
        while times.count < 3 || Clock.now < deadline {
            let start = Clock.now
            try body()
            times.append((Clock.now - start) * 1e6 / Double(count))
        }
        return times.median
    }
}

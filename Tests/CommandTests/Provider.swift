import Foundation
import LemonSqueezy
import TestSupport

/// Sends deliveries as the provider does, but several at once: each again, to any instance, until it is answered with 200.
actor Provider {
    private let seats: [Seat]
    private var waiting: [[UInt8]]
    /// After how many answers an instance is killed, the seats in turn.
    private let kills: Set<Int>
    private var killed = 0
    private var answers = 0
    /// What was answered with 200: the body of each event by the id that the answer named.
    private(set) var stored: [UUID: [UInt8]] = [:]
    /// How often an answer was missing, or another.
    private(set) var retries = 0

    init(_ deliveries: [[UInt8]], to seats: [Seat], killAfter kills: Set<Int>) {
        waiting = deliveries.reversed()
        self.seats = seats
        self.kills = kills
    }

    func run(connections: Int) async throws {
        try await withThrowingTaskGroup { group in
            for index in 0..<connections {
                group.addTask { try await self.work(beginningWith: index) }
            }
            try await group.waitForAll()
        }
    }

    private func work(beginningWith index: Int) async throws {
        var turn = index
        while let body = waiting.popLast() {
            var attempts = 0
            while try await send(body, to: seats[turn % seats.count]) == false {
                attempts += 1
                guard attempts < 2000 else { throw Instance.Failure(description: "never answered with 200") }
                turn += 1
            }
            turn += 1
        }
    }

    private func send(_ body: [UInt8], to seat: Seat) async throws -> Bool {
        let port = try await seat.port
        let headers = [
            ("Content-Type", "application/json"), ("X-Signature", Signature.sign(body, secret: Program.secret)),
        ]
        let reply = try? await HTTPClient(port: port).send(
            "POST", "/webhooks/lemon-squeezy", headers: headers, body: body)
        guard let reply, reply.status == 200, let id = reply.member("event_id").flatMap(UUID.init(uuidString:)) else {
            retries += 1
            try await Task.sleep(for: .milliseconds(10))
            return false
        }
        stored[id] = body
        answers += 1
        if kills.contains(answers) {
            killed += 1
            try await seats[killed % seats.count].replace()
        }
        return true
    }
}

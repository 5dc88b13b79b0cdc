import Foundation
import LemonSqueezy
import Testing

@Suite("Canonical order of snapshots (R7)")
struct SnapshotOrderTests {
    private func order(_ updatedAt: Int, _ second: Int, _ rank: Int, _ digest: UInt8) -> SnapshotOrder {
        SnapshotOrder(
            updatedAt: Date(timeIntervalSince1970: Double(updatedAt)), snapshotSecond: second, rank: rank,
            statusRank: 0, digest: [UInt8](repeating: digest, count: 32))
    }

    @Test("Each part decides only when all before it are equal")
    func lexicographic() {
        let ascending = [
            order(1, 9, 6, 9), order(2, 0, 6, 9), order(2, 1, 0, 9), order(2, 1, 1, 1), order(2, 1, 1, 2),
            order(2, 1, 5, 0), order(3, 0, 0, 0),
        ]
        for (left, one) in ascending.enumerated() {
            for (right, other) in ascending.enumerated() {
                #expect((one < other) == (left < right))
                #expect((one == other) == (left == right))
            }
        }
    }

    @Test("Ties sort the same from all 720 orders of arrival")
    func permutations() {
        let tied = [
            order(5, 7, 1, 1), order(5, 7, 1, 2), order(5, 7, 5, 0), order(5, 8, 0, 0), order(5, 0, 6, 3),
            order(5, 7, 1, 3),
        ]
        let sorted = tied.sorted()
        #expect(sorted.last == order(5, 8, 0, 0))
        var count = 0
        permute(tied) { permutation in
            #expect(permutation.sorted() == sorted)
            #expect(permutation.max() == sorted.last)
            count += 1
        }
        #expect(count == 720)
    }

    private func permute(_ list: [SnapshotOrder], _ visit: ([SnapshotOrder]) -> Void) {
        func step(_ done: [SnapshotOrder], _ rest: [SnapshotOrder]) {
            if rest.isEmpty { visit(done) }
            for index in rest.indices {
                var left = rest
                let next = left.remove(at: index)
                step(done + [next], left)
            }
        }
        step([], list)
    }

    @Test(
        "Events rank as R7 says, and a new one as an update",
        arguments: [
            ("subscription_created", 0), ("subscription_updated", 1), ("subscription_plan_changed", 2),
            ("subscription_resumed", 3), ("subscription_unpaused", 3), ("subscription_paused", 4),
            ("subscription_cancelled", 5), ("subscription_expired", 6), ("subscription_migrated", 1),
            ("order_created", 1),
        ])
    func ranks(name: String, rank: Int) {
        #expect(EventName(rawValue: name).snapshotRank == rank)
    }

    @Test(
        "The snapshot second is the portal link's end; without one it is 0",
        arguments: [
            (#"{"customer_portal":"https://x/billing?expires=1791819006&user=1"}"#, 1_791_819_006),
            (#"{"customer_portal":"https://x/billing?user=1&expires=1791819006"}"#, 1_791_819_006),
            (#"{"customer_portal":"https://x/billing?user=1&expires=17#expires=5"}"#, 17),
            (#"{"customer_portal":"https://x/billing?xexpires=5"}"#, 0),
            (#"{"customer_portal":"https://x/expires=5"}"#, 0),
            (#"{"customer_portal":"https://x/?expires=-5"}"#, 0),
            (#"{"customer_portal":"https://x/?expires="}"#, 0),
            (#"{"customer_portal":"https://x/?expires=99999999999999999999"}"#, 0),
            (#"{"customer_portal":null}"#, 0), ("[]", 0), ("null", 0), (#""https://x/?expires=5""#, 0),
        ])
    func snapshotSecond(urls: String, second: Int) throws {
        let body =
            #"{"meta":{"event_name":"subscription_updated"},"data":{"type":"subscriptions","id":"1","attributes":{"variant_id":1,"status":"active","created_at":"2026-10-12T09:30:04Z","updated_at":"2026-10-12T09:30:04Z","urls":"#
            + urls + "}}}"
        guard case .subscription(let snapshot) = try WebhookEvent(body: Array(body.utf8)).object else {
            return #expect(Bool(false))
        }
        #expect(snapshot.order.snapshotSecond == second)
    }
}

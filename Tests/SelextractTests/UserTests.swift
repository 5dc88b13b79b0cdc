import Foundation
import Selextract
import Testing

@Suite("User")
struct UserTests {
    @Test(
        "A task is refused with the first reason there is",
        arguments: [
            (true, 1, 0, nil), (true, 1, 2, nil), (true, 1000, 2, nil), (true, 1000, 3, .tooManyTasks(limit: 3)),
            (true, 1000, 4, .tooManyTasks(limit: 3)), (true, 0, 0, .noUnits(remaining: 0)),
            (true, -5, 0, .noUnits(remaining: -5)), (true, 0, 9, .noUnits(remaining: 0)),
            (false, 1000, 0, .inactive), (false, 0, 9, .inactive),
        ] as [(Bool, Int, Int, TaskRefusal?)])
    func refusal(isActive: Bool, units: Int, unfinished: Int, expected: TaskRefusal?) {
        let user = Sample.user(units: units, isActive: isActive)
        #expect(user.taskRefusal(plan: Sample.plan(), unfinishedTasks: unfinished) == expected)
        #expect(user.canCreateTask(plan: Sample.plan(), unfinishedTasks: unfinished) == (expected == nil))
    }

    @Test("A plan without tasks allows none")
    func noTasks() {
        let refusal = Sample.user().taskRefusal(plan: Sample.plan(tasks: 0), unfinishedTasks: 0)
        #expect(refusal == .tooManyTasks(limit: 0))
    }

    @Test(
        "A refusal is a sentence",
        arguments: [
            (.inactive, "the account is not active"), (.noUnits(remaining: 0), "no compute units are left"),
            (.tooManyTasks(limit: 1), "the plan allows 1 unfinished task at once"),
            (.tooManyTasks(limit: 3), "the plan allows 3 unfinished tasks at once"),
        ] as [(TaskRefusal, String)])
    func refusalText(refusal: TaskRefusal, text: String) {
        #expect("\(refusal)" == text)
    }

    @Test("Units are taken down to zero", arguments: [0, 1, 999, 1000])
    func consume(units: Int) throws {
        var user = Sample.user(units: 1000)
        try user.consumeComputeUnits(units)
        #expect(user.computeUnitsRemaining == 1000 - units)
    }

    @Test(
        "What is short or negative takes nothing",
        arguments: [
            (1001, .short(requested: 1001, remaining: 1000)), (-1, .negative(-1)), (.min, .negative(.min)),
            (.max, .short(requested: .max, remaining: 1000)),
        ] as [(Int, ComputeUnitsError)])
    func refuse(units: Int, error: ComputeUnitsError) {
        let before = Sample.user(units: 1000)
        var user = before
        #expect(throws: error) { try user.consumeComputeUnits(units) }
        #expect(user == before)
    }

    @Test(
        "Units that are negative or too many are not added",
        arguments: [
            (-1, .negative(-1)), (.max, .tooMany), (2_147_483_647 - 999, .tooMany),
        ] as [(Int, ComputeUnitsError)])
    func refuseToAdd(units: Int, error: ComputeUnitsError) {
        let before = Sample.user(units: 1000)
        var user = before
        #expect(throws: error) { try user.addComputeUnits(units) }
        #expect(user == before)
    }

    @Test(
        "Whatever is added and taken, the balance is their sum and never below zero",
        arguments: 1...50 as ClosedRange<UInt64>)
    func balance(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var user = Sample.user(units: 100)
        var expected = 100
        for _ in 0..<200 {
            let units = Int.random(in: -20...200, using: &random)
            if Bool.random(using: &random) {
                if (try? user.addComputeUnits(units)) != nil { expected += units }
            } else if (try? user.consumeComputeUnits(units)) != nil {
                expected -= units
            }
            #expect(user.computeUnitsRemaining == expected)
            #expect(user.computeUnitsRemaining >= 0)
        }
    }

    @Test(
        "A reset gives the plan's units until the same time a calendar month later",
        arguments: [
            ("2026-10-12T09:30:04Z", "2026-11-12T09:30:04Z"), ("2026-01-31T23:59:59Z", "2026-02-28T23:59:59Z"),
            ("2028-01-31T00:00:00Z", "2028-02-29T00:00:00Z"), ("2026-12-31T08:00:00Z", "2027-01-31T08:00:00Z"),
            ("2026-03-31T08:00:00Z", "2026-04-30T08:00:00Z"), ("2026-02-28T08:00:00Z", "2026-03-28T08:00:00Z"),
        ])
    func reset(moment: String, end: String) {
        var user = Sample.user(units: 3)
        user.resetComputeUnits(to: Sample.plan("professional", units: 5000), at: Sample.moment(moment))
        #expect(user.computeUnitsRemaining == 5000)
        #expect(user.computeUnitsResetDate == Sample.moment(end))
        #expect(user.updatedAt == Sample.moment(moment))
        #expect(user.subscriptionTier == "starter")
    }

    @Test("Used is what of the limit is gone", arguments: [(1000, 0), (999, 1), (0, 1000), (1500, 0), (-3, 1003)])
    func used(remaining: Int, used: Int) {
        let user = Sample.user(units: remaining)
        #expect(user.computeUnitsLimit(plan: Sample.plan()) == 1000)
        #expect(user.computeUnitsUsed(plan: Sample.plan()) == used)
    }

    @Test("The active subscription is one with access, the tier's before others")
    func activeSubscription() {
        let user = Sample.user(tier: "professional")
        let starter = Sample.subscription(plan: "starter", provider: "9", id: 10)
        let professional = Sample.subscription(plan: "professional", provider: "8", id: 4)
        let expired = Sample.subscription("expired", plan: "professional", provider: "7", id: 11)
        var foreign = Sample.subscription(plan: "professional", provider: "6", id: 12)
        foreign.userID = Sample.id(99)
        let all = [starter, professional, expired, foreign]
        #expect(user.activeSubscription(in: all, at: Sample.noon) == professional)
        #expect(user.activeSubscription(in: all.reversed(), at: Sample.noon) == professional)
        #expect(user.activeSubscription(in: [starter, expired, foreign], at: Sample.noon) == starter)
        #expect(user.activeSubscription(in: [expired, foreign], at: Sample.noon) == nil)
        #expect(user.activeSubscription(in: [], at: Sample.noon) == nil)
    }

    @Test("Of two of the tier the provider's comes first, then the later one, then the greater id, in any order")
    func activeSubscriptionOrder() {
        let user = Sample.user(tier: "starter")
        let local = Sample.subscription(id: 9)
        let early = Sample.subscription(provider: "1", id: 8)
        let greater = Sample.subscription(provider: "3", id: 9)
        var late = Sample.subscription(provider: "2", id: 5)
        late.createdAt += 1
        for seed in 1...20 as ClosedRange<UInt64> {
            var random = SeededGenerator(seed: seed)
            let active = { (rows: [UserSubscription]) in
                user.activeSubscription(in: rows.shuffled(using: &random), at: Sample.noon)
            }
            #expect(active([local, early]) == early)
            #expect(active([local, early, greater]) == greater)
            #expect(active([local, early, greater, late]) == late)
        }
    }
}

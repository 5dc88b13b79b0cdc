import Billing
import Foundation
import LemonSqueezy
import Payloads
import Testing

/// R19, R10 and R14: plans that an operator gave, and what waits beside another.
@Suite("Granted plans")
struct GrantTests {
    private func granted(until: String?, endedAt: String? = nil, plan: String = "professional") -> Case {
        var account = Case()
        account.grants = [
            GrantedPlan(
                id: UUID(), planID: plan, from: .utc("2026-10-20 12:00:00"), until: until.map(Date.utc),
                endedAt: endedAt.map(Date.utc))
        ]
        return account
    }

    @Test("One without an end lasts, until it is ended; one with an end may be ended before")
    func ends() throws {
        #expect(try granted(until: nil).state(at: "2028-10-21 00:00:00").tier == "professional")
        for until in [nil, "2026-12-31 00:00:00"] {
            let account = granted(until: until, endedAt: "2026-11-01 00:00:00")
            #expect(try account.state(at: "2026-10-31 23:59:59").tier == "professional")
            #expect(try account.state(at: "2026-11-01 00:00:00").tier == "free")
        }
        let account = granted(until: "2026-10-25 00:00:00", endedAt: "2026-11-01 00:00:00")
        #expect(try account.state(at: "2026-10-25 00:00:00").tier == "free")
    }

    @Test("An end ends what was granted to that account until then, and nothing else")
    func actions() {
        let (ada, bob) = (UUID(), UUID())
        func action(_ user: UUID, _ plan: String?, _ at: String) -> GrantAction {
            GrantAction(id: UUID(), userID: user, planID: plan, until: nil, at: .utc(at))
        }
        let actions = [
            action(bob, nil, "2026-10-01 00:00:00"), action(ada, "starter", "2026-10-02 00:00:00"),
            action(ada, "professional", "2026-10-03 00:00:00"), action(bob, "starter", "2026-10-03 00:00:00"),
            action(ada, nil, "2026-10-04 00:00:00"), action(ada, "enterprise", "2026-10-05 00:00:00"),
        ]
        let end = Date.utc("2026-10-04 00:00:00")
        #expect(actions.grants[ada]?.map(\.until) == [end, end, nil])
        #expect(actions.grants[bob]?.map(\.until) == [nil])
    }

    @Test("It has the months that begin before its end, and one has to look when it ends")
    func months() throws {
        let account = granted(until: "2026-12-31 00:00:00")
        let row = try #require(try account.state(at: "2026-10-21 00:00:00").subscriptions.first)
        #expect(
            row.buckets.map(\.begin)
                == [.utc("2026-10-20 12:00:00"), .utc("2026-11-20 12:00:00"), .utc("2026-12-20 12:00:00")])
        #expect(row.buckets.allSatisfy { $0.unlockedAt == $0.begin })
        #expect(try account.state(at: "2026-12-26 00:00:00").nextChange == .utc("2026-12-31 00:00:00"))
    }

    @Test("Its row says the present month, active until it is over")
    func row() throws {
        let account = granted(until: "2026-12-31 00:00:00")
        for (moment, start, end, status) in [
            ("2026-10-21 00:00:00", "2026-10-20 12:00:00", "2026-11-20 12:00:00", "active"),
            ("2026-11-25 00:00:00", "2026-11-20 12:00:00", "2026-12-20 12:00:00", "active"),
            ("2027-03-25 00:00:00", "2026-12-20 12:00:00", "2027-01-20 12:00:00", "expired"),
        ] {
            let row = try #require(try account.state(at: moment).subscriptions.first)
            #expect(row.currentPeriodStart == .utc(start))
            #expect(row.currentPeriodEnd == .utc(end))
            #expect(row.status.rawValue == status)
        }
    }

    @Test("It is weighed with what is paid, and what does not count then waits")
    func weighed() throws {
        for (plan, tier, waiting) in [("professional", "professional", ["910001"]), ("free", "starter", ["grant"])] {
            var account = granted(until: "2026-12-31 00:00:00", plan: plan)
            account.bodies = Case.purchase().0.bodies
            let state = try account.state(at: "2026-10-21 00:00:00")
            #expect(state.tier == tier)
            #expect(state.waiting.map { $0.grant == nil ? $0.id : "grant" } == waiting)
        }
    }

    @Test("What has ended does not wait")
    func ended() throws {
        var (account, _) = Case.purchase()
        var second = ProviderSubscription(
            userID: Case.user, createdAt: .utc("2026-10-14 12:00:00"), renewsAt: .utc("2026-11-14 12:00:00"))
        (second.id, second.variantID) = ("910002", "102")
        account.bodies.append(second.event("subscription_created"))
        #expect(try account.state(at: "2026-10-15 00:00:00").waiting.map(\.id) == ["910001"])
        (second.status, second.endsAt) = ("expired", .utc("2026-10-25 00:00:00"))
        account.bodies.append(second.event("subscription_expired", at: .utc("2026-10-25 00:00:00")))
        #expect(try account.state(at: "2026-10-26 00:00:00").waiting.isEmpty)
    }
}

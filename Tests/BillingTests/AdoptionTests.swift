import Billing
import Foundation
import LemonSqueezy
import Payloads
import Testing

/// R21: a row of another program counts until the provider speaks, and what its account had left is left.
@Suite struct AdoptionTests {
    private static let id = "910001"

    private static func row(
        _ status: String = "active", from: String = "2026-10-12 09:30:10", to: String = "2026-11-12 09:30:10",
        cancels: Bool = false, left: Int? = 300, observed: String = "2026-10-20 00:00:00"
    ) -> AdoptedSubscription {
        AdoptedSubscription(
            subscriptionID: id, userID: Case.user, planID: "starter", status: status, periodStart: .utc(from),
            periodEnd: .utc(to), cancelsAtPeriodEnd: cancels, unitsLeft: left, observedAt: .utc(observed))
    }

    private static func adopted(_ row: AdoptedSubscription = row()) -> Case {
        var account = Case()
        account.bodies = [row.event.delivery.body]
        return account
    }

    /// As the provider has it: bought in March, with the same billing day.
    private static func provided(_ status: String = "active") -> ProviderSubscription {
        var subscription = ProviderSubscription(
            userID: Case.user, createdAt: .utc("2026-03-12 09:30:04"), renewsAt: .utc("2026-11-12 09:30:01"))
        (subscription.id, subscription.status) = (id, status)
        return subscription
    }

    @Test func `its period is the first month, and what was left is left`() throws {
        let account = Self.adopted()
        #expect(try account.shown(at: "2026-10-21 00:00:00") == "starter 300 2026-11-12T09:30:10Z")
        // Over, and nobody has paid yet.
        #expect(try account.shown(at: "2026-11-13 00:00:00") == "starter 300 2026-11-12T09:30:10Z")
    }

    /// Another program may say that a period begins some hours before or after it does.
    private static let begins = ["2026-10-11 22:00:00", "2026-10-12 09:30:10", "2026-10-13 08:00:00"]

    @Test(arguments: begins)
    func `the provider's first snapshot tells the months, and what was left is still left`(begin: String) throws {
        var (account, subscription) = (Self.adopted(Self.row(from: begin)), Self.provided())
        account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-10-25 10:00:00")))
        #expect(try account.shown(at: "2026-10-26 00:00:00") == "starter 300 2026-11-12T09:30:04Z")
        try account.consume(50, at: "2026-10-27 00:00:00")
        #expect(try account.shown(at: "2026-10-28 00:00:00") == "starter 250 2026-11-12T09:30:04Z")
        subscription.renewsAt = .utc("2026-12-12 09:30:01")
        account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-11-12 09:30:20")))
        #expect(try account.shown(at: "2026-11-13 00:00:00") == "starter 1000 2026-12-12T09:30:04Z")
    }

    @Test(arguments: begins)
    func `what was used before the provider spoke stays used`(begin: String) throws {
        var (account, subscription) = (Self.adopted(Self.row(from: begin)), Self.provided())
        try account.consume(100, at: "2026-10-21 00:00:00")
        account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-10-25 10:00:00")))
        #expect(try account.shown(at: "2026-10-26 00:00:00") == "starter 200 2026-11-12T09:30:04Z")
    }

    @Test func `a renewal's invoice alone unlocks the next month`() throws {
        var (account, subscription) = (Self.adopted(), Self.provided())
        account.bodies.append(
            subscription.invoice(id: 7_300_002, reason: "renewal", createdAt: .utc("2026-11-12 09:30:20")))
        #expect(try account.shown(at: "2026-11-13 00:00:00") == "starter 1000 2026-12-12T09:30:10Z")
    }

    @Test func `if the provider's first word is that a renewal failed, what was left is left`() throws {
        var (account, subscription) = (Self.adopted(), Self.provided("past_due"))
        subscription.renewsAt = .utc("2026-11-15 09:30:01")
        account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-11-12 09:30:20")))
        #expect(try account.shown(at: "2026-11-13 00:00:00") == "starter 300 2026-11-12T09:30:04Z")
    }

    @Test(arguments: [
        ("on_trial", "starter 300 2026-11-12T09:30:10Z"), ("past_due", "starter 300 2026-11-12T09:30:10Z"),
        ("cancelled", "starter 300 2026-11-12T09:30:10Z"), ("paused", "free 100 2026-11-01T00:00:00Z"),
        ("unpaid", "free 100 2026-11-01T00:00:00Z"), ("expired", "free 100 2026-11-01T00:00:00Z"),
        ("nonsense", "free 100 2026-11-01T00:00:00Z"),
    ])
    func `access is as the status says`(status: String, shown: String) throws {
        #expect(try Self.adopted(Self.row(status)).shown(at: "2026-10-21 00:00:00") == shown)
    }

    @Test func `active, but to be cancelled at its period's end, is cancelled`() throws {
        let account = Self.adopted(Self.row(cancels: true))
        #expect(try account.shown(at: "2026-11-12 09:30:09") == "starter 300 2026-11-12T09:30:10Z")
        #expect(try account.shown(at: "2026-11-12 09:30:10") == "free 100 2026-12-01T00:00:00Z")
        #expect(try account.state(at: "2026-10-21 00:00:00").subscriptions.map(\.status) == [.cancelled])
    }

    @Test func `a year is twelve months, of which the present one has what was left`() throws {
        let account = Self.adopted(
            Self.row(from: "2026-01-31 08:00:00", to: "2027-01-31 08:00:00", observed: "2026-11-15 00:00:00"))
        #expect(try account.shown(at: "2026-11-16 00:00:00") == "starter 300 2026-11-30T08:00:00Z")
        #expect(try account.shown(at: "2026-12-01 00:00:00") == "starter 1000 2026-12-31T08:00:00Z")
    }

    @Test func `more than the plan gives is left, too, and nothing said is the plan's units`() throws {
        #expect(
            try Self.adopted(Self.row(left: 1700)).shown(at: "2026-10-21 00:00:00")
                == "starter 1700 2026-11-12T09:30:10Z")
        #expect(
            try Self.adopted(Self.row(left: nil)).shown(at: "2026-10-21 00:00:00")
                == "starter 1000 2026-11-12T09:30:10Z")
    }

    @Test func `a variant that means nothing leaves the row's plan`() throws {
        var (account, subscription) = (Self.adopted(), Self.provided())
        subscription.variantID = "999"
        account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-10-25 10:00:00")))
        #expect(try account.shown(at: "2026-10-26 00:00:00") == "starter 300 2026-11-12T09:30:04Z")
    }

    @Test func `it comes before all that the provider says, whatever the dates`() throws {
        var subscription = Self.provided()
        // Made before the row's period began, with another plan.
        subscription.variantID = "102"
        let early = subscription.event("subscription_updated", at: .utc("2026-10-01 10:00:00"))
        let late = subscription.event("subscription_updated", at: .utc("2026-10-25 10:00:00"))
        let invoice = subscription.invoice(
            id: 7_300_002, reason: "renewal", createdAt: .utc("2026-10-12 09:30:09"))
        let row = Self.row().event.delivery.body
        var states: Set<AccountState> = []
        for bodies in [
            [row, early, late, invoice], [early, row, invoice, late], [late, invoice, early, row],
            [invoice, late, row, early],
        ] {
            var account = Case()
            account.bodies = bodies
            states.insert(try account.state(at: "2026-10-26 00:00:00"))
        }
        #expect(states.count == 1)
        // Of professional's 5000 the 700 are gone that the row's account had used.
        #expect(states.first?.unitsRemaining == 4300)
        #expect(states.first?.subscriptions.map(\.updatedAt) == [.utc("2026-10-25 10:00:00")])
    }

    @Test func `a delivery of that name is no row of another program`() {
        let body = Self.row().event.delivery.body
        let delivered = InboxEvent(Delivery(body: body, signature: "", matchedSecret: .current))
        #expect(delivered.snapshot != nil && delivered.snapshot?.adoption == nil)
        #expect(delivered.snapshot?.order.isAdopted == false)
        #expect(Self.row().event.snapshot?.adoption?.planID == "starter")
    }

    @Test func `a store or a mode that is required is not asked of it`() {
        let acceptance = Acceptance(storeID: "4242", mode: .live)
        #expect(Self.row().event.judged(by: acceptance).outcome == .parked)
    }

    @Test func `dates that cannot be are brought within bounds`() throws {
        let ahead = Self.row(from: "2027-10-12 00:00:00", to: "2020-01-01 00:00:00")
        #expect(try Self.adopted(ahead).shown(at: "2026-10-21 00:00:00") == "starter 300 2026-11-20T00:00:00Z")
        var endless = Self.row()
        (endless.periodStart, endless.periodEnd) = (.distantPast, .distantFuture)
        #expect(try Self.adopted(endless).state(at: "2026-10-21 00:00:00").tier == "starter")
        #expect(try Self.adopted(endless).state(at: "2026-10-21 00:00:00").unitsRemaining == 300)
    }

    @Test func `the ledger goes from the first units to those that were left, and the free plan's stay its own`() throws
    {
        var store = MemoryStore(at: .utc("2026-10-01 00:00:00"))
        store.createAccount(units: 300)
        store.now = .utc("2026-10-20 00:00:00")
        let decision = try store.receive([Self.row().event])
        #expect(decision.map(\.outcome) == [.applied])
        #expect(store.accounts[Case.user]?.tier == "starter")
        #expect(store.accounts[Case.user]?.unitsRemaining == 300)
        #expect(store.ledger.map(\.entry.balance) == [100, 300])
        #expect(store.violation() == nil)
        var subscription = Self.provided("expired")
        subscription.endsAt = .utc("2026-10-22 00:00:00")
        store.now = .utc("2026-10-22 01:00:00")
        try store.receive([subscription.event("subscription_expired", at: .utc("2026-10-22 00:00:00"))])
        #expect(store.accounts[Case.user]?.unitsRemaining == 100)
        #expect(store.violation() == nil)
    }

    @Test func `units of an account without access through the row are the free plan's`() throws {
        var store = MemoryStore(at: .utc("2026-10-01 00:00:00"))
        store.createAccount(units: 37)
        store.now = .utc("2026-10-20 00:00:00")
        try store.receive([Self.row("expired", left: nil).event])
        #expect(store.accounts[Case.user]?.tier == "free")
        #expect(store.accounts[Case.user]?.unitsRemaining == 37)
        #expect(store.violation() == nil)
    }
}

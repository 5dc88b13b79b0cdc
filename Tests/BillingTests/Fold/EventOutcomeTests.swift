import Billing
import Foundation
import LemonSqueezy
import Payloads
import Testing

/// R2 and R3: what becomes of events, those that come and those that are stored.
@Suite("What becomes of events")
struct EventOutcomeTests {
    @Test("An event that changes the account is applied, one that says nothing new is unchanged, an order is ignored")
    func outcomes() throws {
        var store = MemoryStore(at: .purchase)
        store.createAccount()
        var subscription = ProviderSubscription.purchase
        #expect(try store.receive([subscription.event("subscription_created")]).outcomes == ["applied"])
        let nothingNew = subscription.event("subscription_updated", snapshotAt: .purchase + 30)
        #expect(try store.receive([nothingNew]).outcomes == ["unchanged"])
        #expect(try store.receive([subscription.order()]).outcomes == ["ignored"])
        subscription.variantID = "102"
        let change = subscription.event("subscription_plan_changed", at: .purchase + 60)
        #expect(try store.receive([change]).outcomes == ["applied"])
        // What was decided stays, whatever comes later.
        #expect(store.inbox.map(\.decision).outcomes == ["applied", "unchanged", "ignored", "applied"])
        #expect(store.inbox.allSatisfy { $0.decision.userID == Case.user })
        #expect(store.violation() == nil)
    }

    @Test("In a batch each event is decided as if it had come by itself, and names its own entry")
    func batch() throws {
        var store = MemoryStore(at: .purchase + 60)
        store.createAccount()
        var subscription = ProviderSubscription.purchase
        let created = subscription.event("subscription_created")
        let same = subscription.event("subscription_updated", snapshotAt: .purchase + 30)
        subscription.variantID = "102"
        let changed = subscription.event("subscription_plan_changed", at: .purchase + 60)
        let decisions = try store.receive([created, same, changed])
        #expect(decisions.outcomes == ["applied", "unchanged", "applied"])
        let entries = store.entries()
        #expect(entries.map(\.kind) == [.grant, .switch, .planChange])
        #expect(entries.map(\.eventID) == [nil, decisions[0].eventID, decisions[2].eventID])
        #expect(store.violation() == nil)
    }

    @Test("An event waits until what it lacks is there, and is released then")
    func released() throws {
        var store = MemoryStore(at: .purchase)
        var subscription = ProviderSubscription.purchase
        let invoice = subscription.invoice(id: 1, reason: "initial", createdAt: .purchase)
        #expect(try store.receive([invoice]).outcomes == ["parked: unknown_account"])
        let created = subscription.event("subscription_created")
        #expect(try store.receive([created]).outcomes == ["parked: unknown_account"])
        store.createAccount()
        let decisions = try store.refresh().decisions.values
        #expect(Array(decisions).outcomes == ["applied: released", "applied: released"])
        #expect(store.inbox.map(\.decision).outcomes == ["applied: released", "applied: released"])
        #expect(store.picture().tier == "starter")
    }

    @Test("What others lack is there with the event that comes: they are released beside it")
    func releasedByOthers() throws {
        var store = MemoryStore(at: .purchase)
        store.createAccount()
        var subscription = ProviderSubscription.purchase
        let invoice = subscription.invoice(id: 1, reason: "initial", createdAt: .purchase)
        subscription.userID = nil
        let unclaimed = subscription.invoice(id: 1, reason: "initial", createdAt: .purchase, delivery: 1)
        #expect(try store.receive([unclaimed]).outcomes == ["parked: unknown_subscription"])
        #expect(try store.receive([invoice]).outcomes == ["parked: unknown_subscription"])
        subscription.userID = Case.user
        #expect(try store.receive([subscription.event("subscription_created")]).outcomes == ["applied"])
        #expect(
            store.inbox.map(\.decision).outcomes == ["applied: released", "applied: released", "applied"])
        #expect(store.inbox.allSatisfy { $0.decision.userID == Case.user })
    }

    @Test("A failed event counts when others of its subscription come; a failed order is ignored")
    func failed() throws {
        var store = MemoryStore(at: .purchase)
        store.createAccount()
        var subscription = ProviderSubscription.purchase
        store.setAside(InboxEvent(body: subscription.event("subscription_created")))
        store.setAside(InboxEvent(body: subscription.order()))
        #expect(store.inbox.map(\.nextAttemptAt) == [.purchase + 60, .purchase + 60])
        #expect(store.picture().tier == "free")
        let invoice = subscription.invoice(id: 1, reason: "initial", createdAt: .purchase)
        try store.receive([invoice])
        #expect(store.inbox.prefix(2).map(\.decision).outcomes == ["applied: released", "ignored"])
        #expect(store.inbox.allSatisfy { $0.nextAttemptAt == nil })
        #expect(store.picture().tier == "starter")
    }

    @Test("A failed event that comes again, or whose time has come, is decided as if it had just come")
    func retried() throws {
        for comesAgain in [true, false] {
            var store = MemoryStore(at: .purchase)
            store.createAccount()
            var subscription = ProviderSubscription.purchase
            let body = subscription.event("subscription_created")
            let id = try #require(store.setAside(InboxEvent(body: body))?.eventID)
            store.setAside(InboxEvent(body: body))
            #expect(store.inbox.map(\.attempts) == [2])
            #expect(store.inbox.map(\.nextAttemptAt) == [.purchase + 120])
            if comesAgain {
                #expect(try store.receive([body]).outcomes == ["applied"])
            } else {
                try store.refresh([], relations: Relations(subscriptions: [subscription.id]), arrivals: [id])
            }
            #expect(store.inbox.map(\.decision).outcomes == ["applied"])
            #expect(store.inbox.map(\.attempts) == [2])
            #expect(store.entries().map(\.eventID) == [nil, id])
        }
    }

    @Test("An event that cannot be read waits on, and only learns whose it is")
    func undecodable() throws {
        var store = MemoryStore(at: .purchase)
        var subscription = ProviderSubscription.purchase
        let body = Self.undecodable(of: subscription)
        let reason = "parked: undecodable: data.attributes.status is missing"
        #expect(try store.receive([body]).outcomes == [reason])
        try store.receive([subscription.event("subscription_created")])
        #expect(store.inbox[0].decision.userID == nil)
        store.createAccount()
        try store.refresh()
        #expect(store.inbox.map(\.decision).outcomes == [reason, "applied: released"])
        #expect(store.inbox.allSatisfy { $0.decision.userID == Case.user })
        #expect(store.picture().tier == "starter")
        #expect(try store.refresh().decisions.isEmpty)
    }

    @Test("An order is applied only if it takes units, and stays so")
    func orders() throws {
        for (policy, outcome) in [(RefundUnits.take, "applied"), (.keep, "ignored")] {
            var store = MemoryStore(at: .purchase)
            store.policy.refundUnits = policy
            store.createAccount()
            var subscription = ProviderSubscription.purchase
            try store.receive([subscription.event("subscription_created"), subscription.order()])
            store.now += 86_400
            let refund = subscription.order(
                "order_refunded", status: "refunded", updatedAt: store.now, refundedAt: store.now)
            #expect(try store.receive([refund]).outcomes == [outcome])
            #expect(store.picture().units == (policy == .take ? 0 : 1000))
            subscription.status = "cancelled"
            subscription.endsAt = subscription.renewsAt
            try store.receive([subscription.event("subscription_cancelled", at: store.now + 1)])
            #expect(store.inbox.map(\.decision).outcomes.prefix(3) == ["applied", "ignored", outcome])
            #expect(store.violation() == nil)
        }
    }

    @Test("What cannot be read is quarantined like all else")
    func undecodableQuarantined() throws {
        var store = MemoryStore(at: .purchase)
        store.policy.acceptance = Acceptance(mode: .live)
        #expect(
            try store.receive([Self.undecodable(of: .purchase)]).outcomes
                == ["quarantined: wrong_mode: expected live, came test"])
    }

    private static func undecodable(of subscription: ProviderSubscription) -> [UInt8] {
        var subscription = subscription
        let text = String(decoding: subscription.event("subscription_updated"), as: UTF8.self)
        return Array(text.replacing("\"status\":\"active\"", with: "\"status\":null").utf8)
    }

    @Test("What is quarantined counts for nothing, until it comes again and is accepted")
    func quarantined() throws {
        var store = MemoryStore(at: .purchase)
        store.createAccount()
        store.policy.acceptance = Acceptance(mode: .live)
        var subscription = ProviderSubscription.purchase
        let created = subscription.event("subscription_created")
        let reason = "quarantined: wrong_mode: expected live, came test"
        #expect(try store.receive([created]).outcomes == [reason])
        #expect(store.picture().tier == "free")
        store.policy.acceptance = Acceptance()
        let invoice = subscription.invoice(id: 1, reason: "initial", createdAt: .purchase)
        #expect(try store.receive([invoice]).outcomes == ["parked: unknown_subscription"])
        #expect(try store.receive([created]).outcomes == ["applied"])
        #expect(store.inbox.map(\.decision).outcomes == ["applied", "applied: released"])
        #expect(store.picture().tier == "starter")
        store.policy.acceptance = Acceptance(mode: .live)
        #expect(try store.receive([created]).outcomes == ["applied"])
        #expect(store.inbox.map(\.deliveries) == [3, 1])
    }
}

extension Date {
    static let purchase = Date.utc("2026-10-12 09:30:04")
}

extension ProviderSubscription {
    /// A purchase of starter on 12 October 2026.
    static let purchase = ProviderSubscription(
        userID: Case.user, createdAt: .purchase, renewsAt: .utc("2026-11-12 09:30:01"))
}

extension [EventDecision] {
    /// As the answer to a delivery says it.
    var outcomes: [String] { map { $0.outcome.rawValue + ($0.reason.map { ": \($0)" } ?? "") } }
}

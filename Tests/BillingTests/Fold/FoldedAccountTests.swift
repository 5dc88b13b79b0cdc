import Billing
import Foundation
import LemonSqueezy
import Payloads
import Selextract
import Testing

/// R5, R10, R15 to R19: what a fold makes of accounts.
@Suite("What becomes of accounts")
struct FoldedAccountTests {
    private static let ada = Case.user
    private static let bob = UUID(uuidString: "0b0b0b0b-44bc-4075-b4b1-25dcb4c6e200").unsafelyUnwrapped

    /// Ada has starter since 12 October; bob has nothing.
    private static func purchased(_ policy: BillingPolicy = BillingPolicy()) throws -> MemoryStore {
        var store = MemoryStore(at: .purchase)
        store.policy = policy
        store.createAccount(ada)
        store.createAccount(bob, email: "bob@example.com")
        try store.refresh([ada, bob])
        var subscription = ProviderSubscription.purchase
        try store.receive([subscription.event("subscription_created")])
        store.now += 60
        return store
    }

    private static func task(_ units: Int, of user: UUID = ada, inFull: Bool = false, _ task: UUID = UUID())
        -> UnitRequest
    {
        UnitRequest(userID: user, kind: .consume(task: task, inFull: inFull), units: units)
    }

    /// What both accounts show, and what does not hold of them.
    private static func shown(_ store: MemoryStore) -> [String] {
        [ada, bob].map { user in
            let picture = store.picture(of: user)
            let problem = store.violation(of: user).map { ", but \($0)" } ?? ""
            return "\(picture.tier ?? "") \(picture.units ?? 0)" + problem
        }
    }

    // MARK: R5

    @Test("What a task takes now counts as used when a refund of this second took the rest")
    func taskBesideARefund() throws {
        var store = try Self.purchased(BillingPolicy(refundUnits: .take))
        let subscription = ProviderSubscription.purchase
        try store.receive([
            subscription.order("order_refunded", status: "refunded", updatedAt: store.now, refundedAt: store.now)
        ])
        try store.grant(UnitRequest(userID: Self.ada, kind: .adjust(reason: "kind"), units: 50))
        try store.grant(Self.task(20))
        // As it is read from the ledger.
        let again = try store.refresh()
        #expect(again.changes.accounts.isEmpty && again.changes.buckets.isEmpty && again.changes.entries.isEmpty)
        #expect(store.violation() == nil)
    }

    @Test("A subscription that is bound to another account takes its charges, its row and its months there, and back")
    func moves() throws {
        var store = try Self.purchased()
        try store.grant(Self.task(300))
        try store.grant(Self.task(40, of: Self.bob))
        let before = (store.picture(of: Self.ada), store.picture(of: Self.bob))
        #expect(Self.shown(store) == ["starter 700", "free 60"])
        try store.bind("910001", to: Self.bob)
        #expect(Self.shown(store) == ["free 100", "starter 700"])
        #expect(store.subscriptions.values.map(\.userID) == [Self.bob])
        #expect(store.picture(of: Self.ada).buckets.allSatisfy { $0.line == .free })
        #expect(store.inbox.map(\.decision.userID) == [Self.bob])
        #expect(store.inbox.map(\.decision.outcome) == [.applied])
        // Nothing is left to do.
        let again = try store.refresh([Self.ada, Self.bob])
        #expect(again.changes.accounts.isEmpty && again.changes.entries.isEmpty && again.decisions.isEmpty)
        try store.bind("910001", to: Self.ada)
        #expect(store.picture(of: Self.ada) == before.0)
        #expect(store.picture(of: Self.bob) == before.1)
        #expect(Self.shown(store) == ["starter 700", "free 60"])
    }

    @Test("An event that comes for a subscription that changes hands then counts for the new account alone")
    func movesWithAnEvent() throws {
        var store = try Self.purchased()
        store.actions.append(
            OperatorAction(userID: Self.bob, kind: .bind(subscription: "910001"), reason: nil))
        var subscription = ProviderSubscription.purchase
        subscription.variantID = "102"
        let decision = try store.receive([subscription.event("subscription_plan_changed", at: store.now)])[0]
        #expect(decision.outcome == .applied)
        #expect(decision.userID == Self.bob)
        #expect(Self.shown(store) == ["free 100", "professional \(store.picture(of: Self.bob).units ?? 0)"])
        #expect(store.entries(of: Self.ada).last?.eventID == nil)
        #expect(store.entries(of: Self.bob).last?.eventID == decision.eventID)
    }

    @Test("A subscription whose account becomes ambiguous leaves no row and no months, wherever its row stands")
    func becomesNobodys() throws {
        for isMoved in [false, true] {
            var store = try Self.purchased()
            let carol = UUID(uuidString: "0c0c0c0c-44bc-4075-b4b1-25dcb4c6e200").unsafelyUnwrapped
            store.createAccount(carol, email: "carol@example.com")
            var sibling = ProviderSubscription.purchase
            (sibling.id, sibling.userID) = ("910002", nil)
            #expect(try store.receive([sibling.event("subscription_created")]).map(\.userID) == [Self.ada])
            #expect(store.subscriptions.count == 2)
            if isMoved { store.subscriptions["910002"]?.userID = carol }
            var others = ProviderSubscription.purchase
            (others.id, others.userID) = ("910003", Self.bob)
            try store.receive([others.event("subscription_created")])
            #expect(Set(store.subscriptions.values.map(\.userID)) == [Self.ada, Self.bob])
            #expect(store.subscriptions.keys.sorted() == ["910001", "910003"])
            #expect(store.inbox[1].decision.outcome == .parked)
            #expect(store.inbox[1].decision.reason == "ambiguous_account")
            #expect(store.inbox[1].decision.userID == nil)
            #expect(store.picture(of: Self.ada).buckets.allSatisfy { $0.line.rawValue != "910002" })
            #expect(Self.shown(store) == ["starter 1000", "starter 1000"])
        }
    }

    @Test("A match by e-mail is remembered as it is made, once, and holds when the e-mail is another's")
    func matches() throws {
        var store = MemoryStore(at: .purchase)
        store.policy.matchByEmail = true
        store.createAccount(Self.ada)
        store.createAccount(Self.bob, email: "bob@example.com")
        var subscription = ProviderSubscription.purchase
        subscription.userID = nil
        try store.receive([subscription.event("subscription_created")])
        #expect(
            store.actions
                == [OperatorAction(userID: Self.ada, kind: .match(subscription: "910001"), reason: nil)])
        store.accounts[Self.ada]?.email = "lovelace@example.com"
        store.accounts[Self.bob]?.email = "ada@example.com"
        try store.receive([subscription.event("subscription_updated", at: .purchase + 60)])
        #expect(store.actions.count == 1)
        #expect(store.picture(of: Self.ada).tier == "starter")
        #expect(store.picture(of: Self.bob).tier == "free")
    }

    @Test("Of an operator's bindings, and of matches, the newest holds; a binding beats a match")
    func newestFirst() {
        func action(_ kind: OperatorAction.Kind, _ user: UUID) -> OperatorAction {
            OperatorAction(userID: user, kind: kind, reason: nil)
        }
        let attributions = Attributions(actions: [
            action(.bind(subscription: "1"), Self.ada), action(.bind(subscription: "1"), Self.bob),
            action(.match(subscription: "2"), Self.bob), action(.match(subscription: "2"), Self.ada),
            action(.endGrants, Self.ada),
        ])
        #expect(attributions.bindings == ["1": Self.ada])
        #expect(attributions.matches == ["2": Self.bob])
    }

    // MARK: R15

    @Test("What another program has changed is recorded first, on the month that was shown")
    func external() throws {
        var store = MemoryStore(at: .purchase)
        store.createAccount(units: 40)
        var subscription = ProviderSubscription.purchase
        let id = try store.receive([subscription.event("subscription_created")])[0].eventID
        #expect(store.entries().map(\.kind) == [.grant, .external, .switch])
        #expect(store.entries().map(\.units) == [100, -60, 960])
        #expect(store.entries().map(\.eventID) == [nil, nil, id])
        #expect(store.charges.values.map(\.adjusted) == [-60])
        store.accounts[Self.ada]?.unitsRemaining += 7
        store.now = .utc("2026-10-13 00:00:00")
        try store.refresh()
        #expect(store.entries().last?.kind == .external)
        #expect(store.picture().units == 1007)
        store.accounts[Self.ada]?.unitsRemaining -= 10
        try store.refresh()
        #expect(store.picture().units == 997)
        #expect(store.violation() == nil)
    }

    @Test("What another program took goes with the subscription, also if that changes hands at once")
    func externalMoves() throws {
        var store = try Self.purchased()
        store.accounts[Self.ada]?.unitsRemaining = 900
        try store.bind("910001", to: Self.bob)
        #expect(Self.shown(store) == ["free 100", "starter 900"])
        #expect(store.entries(of: Self.ada).map(\.kind).suffix(2) == [.external, .switch])
        // Recorded where it was, as what was used of the subscription.
        #expect(store.charges.keys.map(\.userID) == [Self.ada])
    }

    @Test("What another program took until now counts as used when a refund takes the rest in the same fold")
    func externalBeforeARefund() throws {
        var store = try Self.purchased(BillingPolicy(refundUnits: .take))
        store.accounts[Self.ada]?.unitsRemaining = 700
        let subscription = ProviderSubscription.purchase
        try store.receive([
            subscription.order("order_refunded", status: "refunded", updatedAt: store.now, refundedAt: store.now)
        ])
        let month = store.picture().buckets.first { $0.line.rawValue == "910001" }
        #expect(month?.granted == 300)
        #expect(month?.adjusted == -300)
        let again = try store.refresh()
        #expect(again.changes.accounts.isEmpty && again.changes.buckets.isEmpty && again.changes.entries.isEmpty)
    }

    @Test("A request that is refused leaves nothing, not even what another program has changed")
    func refused() throws {
        var store = try Self.purchased()
        store.accounts[Self.ada]?.unitsRemaining = 900
        let (picture, entries, charges) = (store.picture(), store.entries(), store.charges)
        #expect(throws: UnitRefusal.insufficient(requested: 901, remaining: 900)) {
            try store.grant(Self.task(901, inFull: true))
        }
        #expect(store.picture() == picture)
        #expect(store.entries() == entries)
        #expect(store.charges == charges)
        try store.grant(Self.task(900, inFull: true))
        #expect(store.picture().units == 0)
        #expect(store.entries().map(\.kind).suffix(2) == [.external, .consume])
    }

    @Test("A task that was charged before is not charged again: its entry is returned, and nothing changes")
    func chargedBefore() throws {
        var store = try Self.purchased()
        let task = UUID()
        let first = try store.grant(Self.task(300, task))
        store.accounts[Self.ada]?.unitsRemaining = 500
        let loaded = store.loaded([Self.ada], task: task)
        let folded = try loaded.fold([], Self.task(5000, inFull: true, task))
        #expect(folded.granted == first)
        #expect(folded.changes.entries.isEmpty && folded.changes.charges.isEmpty && folded.changes.accounts.isEmpty)
        let nothing = UUID()
        let free = try store.grant(Self.task(0, nothing))
        #expect(free?.units == 0)
        #expect(try store.grant(Self.task(0, nothing)) == free)
        #expect(store.entries().count { $0.taskID == nothing } == 1)
    }

    @Test("A request is charged to the account it names, after what the clock brings; an account that is not gets none")
    func request() throws {
        var store = try Self.purchased()
        var others = ProviderSubscription.purchase
        (others.id, others.userID) = ("910003", Self.bob)
        try store.receive([others.event("subscription_created")])
        store.now = .utc("2026-12-20 00:00:00")
        let invoice = ProviderSubscription.purchase.invoice(id: 2, createdAt: .utc("2026-12-12 09:30:01"))
        try store.receive([invoice])
        try store.refresh([Self.ada, Self.bob])
        #expect(Self.shown(store) == ["starter 1000", "starter 1000"])
        store.now = .utc("2026-12-21 00:00:00")
        let entry = try store.grant(Self.task(100))
        #expect(entry?.balance == 900)
        #expect(entry?.units == -100)
        #expect(Self.shown(store) == ["starter 900", "starter 1000"])
        #expect(try store.grant(Self.task(1, of: UUID())) == nil)
    }

    // MARK: R16, R17, R19

    @Test("The clock's own changes come first and name no event, nor do they count as the request's")
    func clockFirst() throws {
        var store = MemoryStore(at: .purchase)
        store.createAccount()
        try store.grant(Self.task(30))
        store.now = .utc("2026-11-20 00:00:00")
        let entry = try store.grant(Self.task(20))
        #expect(entry?.units == -20)
        #expect(store.entries().map(\.kind) == [.grant, .consume, .grant, .consume])
        #expect(store.entries().map(\.units) == [100, -30, 30, -20])
        store.now = .utc("2026-12-20 00:00:00")
        var subscription = ProviderSubscription.purchase
        (subscription.createdAt, subscription.renewsAt) = (store.now, store.now + 31 * 86_400)
        let id = try store.receive([subscription.event("subscription_created", at: store.now)])[0].eventID
        #expect(store.entries().suffix(2).map(\.eventID) == [nil, id])
        #expect(store.entries().suffix(2).map(\.kind) == [.grant, .switch])
        #expect(store.violation() == nil)
    }

    @Test("An account's row says when to look again, by which settings it was computed, and since when that is so")
    func row() throws {
        var store = MemoryStore(at: .purchase)
        store.createAccount()
        try store.refresh()
        let first = try #require(store.accounts[Self.ada])
        #expect(first.dueAt == Date.purchase.adding(months: 1))
        #expect(first.validFrom == .purchase)
        #expect(first.revision == 1)
        store.now += 60
        #expect(try store.refresh().changes.accounts.isEmpty)
        store.settings = StoredSettings(
            revision: 4, policy: BillingPolicy(), rules: 2, changedAt: store.now, changedBy: "")
        try store.refresh()
        #expect(store.accounts[Self.ada]?.revision == 4)
        #expect(store.accounts[Self.ada]?.validFrom == store.now)
        // A clock that ran ahead is put right.
        store.now = .purchase + 30
        try store.refresh()
        #expect(store.accounts[Self.ada]?.validFrom == store.now)
    }

    @Test("The database's settings hold; a start writes its own only if they decide otherwise, or its rules are others")
    func settings() throws {
        let (own, others) = (BillingPolicy(renewalOverdueAfter: 5), BillingPolicy(refundUnits: .take))
        let first = try #require(StoredSettings.next(after: nil, policy: others, host: "here", at: .purchase))
        #expect((first.revision, first.policy, first.changedBy) == (2, others, "here"))
        let inForce = PolicyInForce(own: own, stored: first)
        #expect(inForce.revision == 2)
        #expect((inForce.policy.refundUnits, inForce.policy.renewalOverdueAfter) == (.take, 5))
        #expect(PolicyInForce(own: own, stored: nil).policy == own)
        #expect(StoredSettings.next(after: first, policy: others, host: "there", at: .purchase) == nil)
        var before = first
        before.rules -= 1
        for (present, policy) in [(before, others), (first, own)] {
            let next = StoredSettings.next(after: present, policy: policy, host: "there", at: .purchase)
            #expect((next?.revision, next?.policy, next?.changedBy) == (3, policy, "there"))
        }
    }

    @Test("A plan that another program put there is left as it is, as long as nothing gives another")
    func unadopted() throws {
        var store = MemoryStore(at: .purchase)
        store.createAccount()
        store.accounts[Self.ada]?.tier = "enterprise"
        store.accounts[Self.ada]?.hasUnadoptedPlan = true
        try store.refresh()
        #expect(store.picture().tier == "enterprise")
        var subscription = ProviderSubscription.purchase
        try store.receive([subscription.event("subscription_created")])
        #expect(store.picture().tier == "starter")
        store.accounts[Self.ada]?.hasUnadoptedPlan = false
        store.accounts[Self.ada]?.tier = "enterprise"
        try store.refresh()
        #expect(store.picture().tier == "starter")
    }

    @Test("A plan that was granted is stored, and its months are, until it is ended")
    func granted() throws {
        var store = MemoryStore(at: .purchase)
        store.createAccount()
        let id = UUID()
        store.grants = [GrantAction(id: id, userID: Self.ada, planID: "professional", until: nil, at: store.now)]
        try store.refresh()
        #expect(store.subscriptions.values.map(\.state.grant) == [id])
        #expect(store.picture().tier == "professional")
        #expect(store.picture().units == 5000)
        store.now += 60
        store.grants.append(GrantAction(id: UUID(), userID: Self.ada, planID: nil, until: nil, at: store.now))
        try store.refresh()
        #expect(store.picture().tier == "free")
        #expect(store.subscriptions.values.map(\.state.status) == [.expired])
        // As if it had never been.
        store.grants = []
        try store.refresh()
        #expect(store.subscriptions.isEmpty)
        #expect(store.picture().buckets.allSatisfy { $0.line == .free })
        #expect(store.violation() == nil)
    }
}

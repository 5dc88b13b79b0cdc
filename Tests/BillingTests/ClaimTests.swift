import Billing
import Foundation
import Payloads
import Testing

/// R5: whose a subscription is.
@Suite("Claims")
struct ClaimTests {
    private static let ada = Case.user
    private static let bob = UUID(uuidString: "0b0b0b0b-44bc-4075-b4b1-25dcb4c6e200").unsafelyUnwrapped
    private static let nobody = UUID(uuidString: "0c0c0c0c-44bc-4075-b4b1-25dcb4c6e200").unsafelyUnwrapped
    private static let start = Date.utc("2026-10-12 09:30:04")
    private static let known = KnownAccounts(ids: [ada, bob], byEmail: [:])

    private func subscription(of user: UUID?, id: String = "910001", customer: String = "515001")
        -> ProviderSubscription
    {
        var subscription = ProviderSubscription(userID: user, createdAt: Self.start, renewsAt: nil)
        (subscription.id, subscription.customerID) = (id, customer)
        return subscription
    }

    private func claims(
        _ bodies: [[UInt8]], _ attributions: Attributions, accounts: KnownAccounts, matchByEmail: Bool
    ) throws -> OwnershipClaims {
        OwnershipClaims(
            events: try bodies.map(BillingEvent.init(body:)), attributions: attributions, accounts: accounts,
            matchByEmail: matchByEmail)
    }

    private func owner(
        of id: String = "910001", _ bodies: [[UInt8]], bindings: [String: UUID] = [:], matches: [String: UUID] = [:],
        accounts: KnownAccounts = known, matchByEmail: Bool = false
    ) throws -> Ownership {
        try claims(
            bodies, Attributions(bindings: bindings, matches: matches), accounts: accounts, matchByEmail: matchByEmail
        ).owner(of: id)
    }

    @Test("An operator's binding beats what the events claim, unless its account is gone")
    func binding() throws {
        var subscription = subscription(of: Self.ada)
        let body = subscription.event("subscription_created")
        #expect(try owner([body]) == .account(Self.ada))
        #expect(try owner([body], bindings: ["910001": Self.bob]) == .account(Self.bob))
        #expect(try owner([body], bindings: ["910001": Self.nobody]) == .account(Self.ada))
    }

    @Test("The first claim wins, in whatever order they came; a claim on a missing account is none")
    func firstClaim() throws {
        var (first, later, missing) = (
            subscription(of: Self.ada), subscription(of: Self.bob), subscription(of: Self.nobody)
        )
        let bodies = [
            missing.event("subscription_created"),
            first.event("subscription_updated", at: Self.start.addingTimeInterval(1)),
            later.event("subscription_updated", at: Self.start.addingTimeInterval(2)),
        ]
        for order in bodies.permutations { #expect(try owner(order) == .account(Self.ada)) }
    }

    @Test("Of two claims in one second the type decides, then the bytes, never the arrival")
    func sameSecond() throws {
        for delivery in 0..<8 {
            var snapshot = subscription(of: Self.ada)
            let invoice = subscription(of: Self.bob).invoice(id: 1, createdAt: Self.start, delivery: delivery)
            let created = snapshot.event("subscription_created", delivery: delivery)
            for order in [invoice, created].permutations { #expect(try owner(order) == .account(Self.bob)) }

            var other = subscription(of: Self.bob)
            let rival = other.event("subscription_created", delivery: delivery + 100)
            let events = try [created, rival].map(BillingEvent.init(body:))
            let least = events.min { $0.digest.lexicographicallyPrecedes($1.digest) }?.claimedUserID
            for order in [created, rival].permutations { #expect(try owner(order) == least.map(Ownership.account)) }
        }
    }

    @Test("Without a claim of its own a subscription goes where the customer's others went; two ways are ambiguous")
    func customer() throws {
        var (silent, hers, his) = (
            subscription(of: nil), subscription(of: Self.ada, id: "910002"), subscription(of: Self.bob, id: "910003")
        )
        let body = silent.event("subscription_created")
        #expect(try owner([body]) == .unknown)
        let one = [body, hers.event("subscription_created")]
        #expect(try owner(one) == .account(Self.ada))
        let two = one + [his.event("subscription_created")]
        #expect(try owner(two) == .ambiguous)
        #expect(try owner(of: "910003", two) == .account(Self.bob))
        #expect(try owner(two, bindings: ["910003": Self.ada]) == .account(Self.ada))
        var stranger = subscription(of: Self.bob, id: "910004", customer: "515002")
        #expect(try owner(one + [stranger.event("subscription_created")]) == .account(Self.ada))
    }

    @Test("An e-mail counts only if the setting allows it, in any case, and only if it leads to one account")
    func email() throws {
        var silent = subscription(of: nil)
        silent.email = "ADA@Example.com"
        let body = silent.event("subscription_created")
        let one = KnownAccounts(ids: [], byEmail: ["ada@example.com": [Self.ada]])
        let two = KnownAccounts(ids: [], byEmail: ["ada@example.com": [Self.ada, Self.bob]])
        #expect(try owner([body], accounts: one) == .unknown)
        #expect(try owner([body], accounts: one, matchByEmail: true) == .account(Self.ada))
        #expect(try owner([body], accounts: two, matchByEmail: true) == .ambiguous)
        #expect(try owner([body], accounts: Self.known, matchByEmail: true) == .unknown)
        // Which of these letters are the same, but for their case, each database answers differently.
        silent.email = "jörg@example.com"
        let foreign = KnownAccounts(ids: [], byEmail: ["jörg@example.com": [Self.ada]])
        let event = silent.event("subscription_created")
        #expect(try owner([event], accounts: foreign, matchByEmail: true) == .unknown)
    }

    // MARK: Remembered matches

    /// Hers was the e-mail that his account has now.
    private static let moved = KnownAccounts(ids: [ada, bob], byEmail: ["ada@example.com": [bob]])

    @Test("A match by e-mail is remembered: changing an e-mail, or the setting, neither loses nor gives it away")
    func remembered() throws {
        var silent = subscription(of: nil)
        let body = silent.event("subscription_created")
        for setting in [false, true] {
            let owner = try owner([body], matches: ["910001": Self.ada], accounts: Self.moved, matchByEmail: setting)
            #expect(owner == .account(Self.ada))
        }
        #expect(
            try owner([body], matches: ["910001": Self.nobody], accounts: Self.moved, matchByEmail: true)
                == .account(Self.bob))
    }

    @Test("It stands at its own rank: below every claim, and it speaks for no other subscription")
    func rank() throws {
        let matches = ["910001": Self.ada]
        var (silent, his, other) = (
            subscription(of: nil), subscription(of: Self.bob), subscription(of: Self.bob, id: "910003")
        )
        let body = silent.event("subscription_created")
        #expect(try owner([his.event("subscription_created")], matches: matches) == .account(Self.bob))
        #expect(try owner([body, other.event("subscription_created")], matches: matches) == .account(Self.bob))
        var sibling = subscription(of: nil, id: "910002")
        #expect(try owner(of: "910002", [body, sibling.event("subscription_created")], matches: matches) == .unknown)
    }

    @Test("A match is made once, and only where nothing stronger speaks")
    func made() throws {
        var (silent, his) = (subscription(of: nil), subscription(of: Self.bob))
        let body = silent.event("subscription_created")
        let accounts = KnownAccounts(ids: [Self.ada, Self.bob], byEmail: ["ada@example.com": [Self.ada]])
        func made(_ bodies: [[UInt8]], _ attributions: Attributions = Attributions()) throws -> [UUID] {
            try claims(bodies, attributions, accounts: accounts, matchByEmail: true).newMatches.map(\.user)
        }
        #expect(try made([body]) == [Self.ada])
        #expect(try made([body], Attributions(matches: ["910001": Self.bob])) == [])
        #expect(try made([body], Attributions(bindings: ["910001": Self.bob])) == [])
        #expect(try made([body, his.event("subscription_updated")]) == [])
    }

    // MARK: Orders

    @Test("An order is the subscription's that was bought with it, else the account's that it names; it is no claim")
    func orders() throws {
        let hers = subscription(of: nil)
        let order = subscription(of: Self.bob).order()
        var (snapshot, second) = (hers, subscription(of: nil, id: "910002"))
        let bodies = [order, snapshot.event("subscription_created"), second.event("subscription_created")]
        func owner(_ bodies: [[UInt8]], _ owners: [String: Ownership]) throws -> UUID? {
            let events = try bodies.map(BillingEvent.init(body:))
            let orders = OrderOwners(events: events, owners: owners, accounts: Self.known)
            return events.first(where: \.isOrder).flatMap(orders.owner)
        }
        #expect(try owner(bodies, ["910001": .account(Self.ada)]) == Self.ada)
        #expect(try owner(bodies, ["910001": .unknown, "910002": .ambiguous]) == Self.bob)
        #expect(try owner([subscription(of: Self.nobody).order()], [:]) == nil)
        for bodies in bodies.permutations {
            let owners = ["910001": Ownership.account(Self.ada), "910002": .account(Self.bob)]
            #expect(try owner(bodies, owners) == Self.ada)
        }
        #expect(try self.owner([bodies[0], bodies[1]]) == .unknown)
    }
}

import Foundation
import LemonSqueezy
import Payloads
import Testing

@testable import Billing

/// What is read from the provider's API (R21).
struct ObservationTests {
    private static let created = Date.utc("2026-10-12 09:30:04")

    private func subscription() -> ProviderSubscription {
        ProviderSubscription(userID: Case.user, createdAt: Self.created, renewsAt: .utc("2026-11-12 09:30:01"))
    }

    /// The object of a delivery, as the API would show it.
    private func observed(_ body: [UInt8]) throws -> InboxEvent {
        let data = try #require(try JSONValue(parsing: body)["data"])
        guard case .string(let type)? = data["type"] else { throw CancellationError() }
        return try #require(InboxEvent(observed: type, bytes: data.wireBytes()))
    }

    private func stored(_ event: InboxEvent) throws -> StoredEvent {
        StoredEvent(
            event: try #require(event.billingEvent(id: UUID())), isUndecodable: false, outcome: .applied, reason: nil,
            userID: nil)
    }

    private func delivered(_ body: [UInt8]) throws -> StoredEvent {
        try stored(InboxEvent(Delivery(body: body, signature: "", matchedSecret: .current)))
    }

    @Test("An object is stored byte for byte, without signature and claim, and read as a delivery is")
    func bytes() throws {
        let text = #"""
            {"id":"7","type":"subscriptions","attributes":{"status" : "active",
            "updated_at":"2026-10-12T09:30:04Z","store_id":1,"test_mode":true}}
            """#
        let object = Array(text.utf8)
        let event = try #require(InboxEvent(observed: "subscriptions", bytes: object))
        #expect(event.delivery.source == .api && event.delivery.signature == nil && event.claimedUserID == nil)
        #expect(event.delivery.body.dropLast().suffix(object.count).elementsEqual(object))
        #expect(event.snapshot?.status == .active && event.storeID == "1" && event.testMode == true)
        #expect(event.snapshot?.order.rank == 1)
        #expect(InboxEvent(observed: "customers", bytes: object) == nil)
    }

    @Test("Content that equals the newest known is nothing new, whatever its links; what came back is")
    func snapshots() throws {
        var subscription = subscription()
        let first = subscription.event("subscription_created")
        let look = try observed(subscription.event("x", snapshotAt: Self.created.addingTimeInterval(9000)))
        #expect([look].news(beside: [try delivered(first)]).isEmpty)
        #expect([look].news(beside: []).count == 1)
        // Another content of the same second came after it: that it is this one again is news.
        subscription.status = "past_due"
        let second = subscription.event("subscription_updated", snapshotAt: Self.created.addingTimeInterval(1))
        #expect([look].news(beside: [try delivered(first), try delivered(second)]).count == 1)
    }

    @Test("A paid invoice is news where only its failure or its refund in part is known")
    func invoices() throws {
        let subscription = subscription()
        let paid = try observed(subscription.invoice(id: 1, createdAt: Self.created))
        #expect([paid].news(beside: [try delivered(subscription.invoice(id: 1, createdAt: Self.created))]).isEmpty)
        let failure = subscription.invoice("subscription_payment_failed", id: 1, createdAt: Self.created)
        #expect([paid].news(beside: [try delivered(failure)]).count == 1)
        #expect([paid].news(beside: [try stored(paid)]).isEmpty)
        let other = subscription.invoice(id: 2, createdAt: Self.created)
        #expect([paid].news(beside: [try delivered(other)]).count == 1)
        let pending = try observed(subscription.invoice("x", id: 1, status: "pending", createdAt: Self.created))
        let failed = subscription.invoice(
            "subscription_payment_failed", id: 1, status: "pending", createdAt: Self.created)
        #expect([pending].news(beside: [try delivered(failed)]).isEmpty)
    }

    @Test("An order is known by its content; an e-mail that was erased is no news")
    func erased() throws {
        let subscription = subscription()
        let order = try observed(subscription.order())
        var known = try delivered(subscription.order())
        #expect([order].news(beside: [known]).isEmpty)
        guard case .order(var fact) = known.event.fact else { throw CancellationError() }
        fact.email = nil
        let event = known.event
        known.event = BillingEvent(
            id: event.id, digest: event.digest, name: event.name, dataType: event.dataType,
            claimedUserID: event.claimedUserID, customerID: event.customerID, subscriptionID: event.subscriptionID,
            email: nil, fact: .order(fact))
        #expect([order].news(beside: [known]).isEmpty)
        let refunded = try observed(subscription.order(status: "refunded", refundedAt: Self.created))
        #expect([refunded].news(beside: [known]).count == 1)
    }

    @Test("An invoice of the API counts as its status says: paid unlocks a month, pending and void nothing")
    func months() throws {
        var subscription = subscription()
        subscription.renewsAt = nil
        func units(_ status: String) throws -> Int? {
            var events = [try observed(subscription.event("x"))]
            events.append(
                try observed(subscription.invoice("x", id: 1, status: status, createdAt: .utc("2026-11-12 09:30:20"))))
            let account = Account(
                userID: Case.user, createdAt: Self.created,
                events: events.compactMap { $0.billingEvent(id: UUID()) }, charges: [])
            let moment = Date.utc("2026-11-20 00:00:00")
            return account.state(at: moment, catalog: Case.plans, policy: BillingPolicy()).subscriptions.first?
                .presentBucket(at: moment)?.shown
        }
        #expect(try units("paid") == 1000)
        #expect(try units("partial_refund") == 1000)
        #expect(try units("pending") == nil)
        #expect(try units("void") == nil)
        #expect(try units("refunded") == nil)
    }
}

import Billing
import Foundation
import LemonSqueezy
import Payloads
import Testing

/// R3 and R4: what waits, for what, and what never counts.
@Suite("Parking and quarantine")
struct ParkingTests {
    private func reason(
        _ body: [UInt8], owner: Ownership = .account(Case.user), beside others: [[UInt8]] = []
    ) throws -> ParkingReason? {
        let event = try BillingEvent(body: body)
        let siblings = try others.map(BillingEvent.init(body:)) + [event]
        return Parking(catalog: Case.plans, events: siblings, now: .utc("2027-01-01 00:00:00"))
            .reason(event, owner: owner)
    }

    @Test("An event that lacks nothing waits for nothing")
    func nothing() throws {
        var (_, subscription) = Case.purchase()
        let snapshot = subscription.event("subscription_updated")
        #expect(try reason(snapshot) == nil)
        #expect(try reason(subscription.invoice(id: 1, createdAt: subscription.createdAt), beside: [snapshot]) == nil)
    }

    @Test("A status that is not known, and a variant that means no plan, are waited for")
    func snapshots() throws {
        var (_, subscription) = Case.purchase()
        subscription.status = "dormant"
        #expect(try reason(subscription.event("subscription_updated")) == .unknownStatus)
        (subscription.status, subscription.variantID) = ("active", "999")
        #expect(try reason(subscription.event("subscription_updated")) == .unknownPlan)
    }

    @Test("An invoice waits for its subscription, then for its plan")
    func invoices() throws {
        var (_, subscription) = Case.purchase()
        let invoice = subscription.invoice(id: 1, createdAt: subscription.createdAt)
        #expect(try reason(invoice) == .unknownSubscription)
        subscription.variantID = "999"
        let unmapped = subscription.event("subscription_created")
        #expect(try reason(invoice, beside: [unmapped]) == .unknownPlan)
        subscription.variantID = "101"
        let mapped = subscription.event("subscription_updated", at: subscription.createdAt.addingTimeInterval(1))
        #expect(try reason(invoice, beside: [unmapped, mapped]) == nil)
    }

    @Test("What is dated over an hour ahead waits, and is not there for others; an order waits for nothing")
    func ahead() throws {
        var (_, subscription) = Case.purchase()
        let invoice = subscription.invoice(id: 1, createdAt: subscription.createdAt)
        let (near, far) = (Date.utc("2027-01-01 01:00:00"), Date.utc("2027-01-01 01:00:01"))
        #expect(try reason(subscription.event("subscription_updated", at: near)) == nil)
        let ahead = subscription.event("subscription_updated", at: far)
        #expect(try reason(ahead) == .aheadOfTime)
        #expect(try reason(invoice, beside: [ahead]) == .unknownSubscription)
        #expect(try reason(subscription.order(updatedAt: far), owner: .unknown) == nil)
    }

    @Test("Without an account, a claim names what is missing; an invoice without one needs the subscription first")
    func accounts() throws {
        var (_, subscription) = Case.purchase()
        let claiming = subscription.invoice(id: 1, createdAt: subscription.createdAt)
        subscription.userID = nil
        let silent = subscription.invoice(id: 1, createdAt: subscription.createdAt)
        let snapshot = subscription.event("subscription_created")
        #expect(try reason(claiming, owner: .unknown) == .unknownAccount)
        #expect(try reason(silent, owner: .unknown) == .unknownSubscription)
        #expect(try reason(silent, owner: .unknown, beside: [snapshot]) == .unknownAccount)
        #expect(try reason(snapshot, owner: .unknown) == .unknownAccount)
        #expect(try reason(snapshot, owner: .ambiguous) == .ambiguousAccount)
    }

    @Test("What an event does not say is not what is asked for")
    func acceptance() throws {
        func quarantine(_ text: String, _ store: String?, _ mode: Acceptance.Mode) throws -> String? {
            let event = try WebhookEvent(body: Array(text.utf8))
            return Acceptance(storeID: store, mode: mode)
                .quarantine(storeID: event.storeID, testMode: event.testMode)?.description
        }
        func body(_ meta: String, _ attributes: String) -> String {
            #"{"meta":{"event_name":"subscription_updated"\#(meta)},"data":{"type":"subscriptions","id":"1","#
                + #""attributes":{\#(attributes)}}}"#
        }
        let silent = body("", "")
        let live = body(#","test_mode":false"#, #""store_id":1"#)
        let test = body(#","test_mode":true"#, #""store_id":2"#)
        for text in [silent, live, test] { #expect(try quarantine(text, nil, .any) == nil) }
        #expect(try quarantine(silent, "1", .any) == "wrong_store: expected 1, came none")
        #expect(try quarantine(live, "1", .any) == nil)
        #expect(try quarantine(test, "1", .any) == "wrong_store: expected 1, came 2")
        #expect(
            try [silent, live, test].map { try quarantine($0, nil, .live) }
                == ["wrong_mode: expected live, came none", nil, "wrong_mode: expected live, came test"])
        #expect(
            try [silent, live, test].map { try quarantine($0, nil, .test) }
                == ["wrong_mode: expected test, came none", "wrong_mode: expected test, came live", nil])
    }
}

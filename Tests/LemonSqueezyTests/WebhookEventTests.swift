import Foundation
import LemonSqueezy
import Payloads
import Testing

@Suite("Webhook event")
struct WebhookEventTests {
    private func date(_ text: String) -> Date? { Timestamp.date(from: text + "Z") }

    @Test("A subscription's fixture is read in full")
    func subscription() throws {
        let event = try WebhookEvent(body: Fixtures.scenario("first-purchase")[1].body)
        #expect(event.name == .subscriptionCreated)
        #expect(event.subscriptionID == "910001")
        #expect(event.dataID == "910001")
        #expect(event.customerID == "515001")
        #expect(event.email == "ada@example.com")
        #expect(event.customUserID?.count == 36)
        guard case .subscription(let snapshot) = event.object else { return #expect(Bool(false)) }
        #expect(
            snapshot
                == Snapshot(
                    subscriptionID: "910001", customerID: "515001", productID: "71", variantID: "101",
                    orderID: "616001", orderItemID: "626001", email: "ada@example.com", status: .active, pause: nil,
                    trialEndsAt: nil, renewsAt: date("2026-11-12T09:30:01"), endsAt: nil, billingAnchor: 12,
                    createdAt: try #require(date("2026-10-12T09:30:04")), order: snapshot.order))
        #expect(snapshot.updatedAt == date("2026-10-12T09:30:05"))
        #expect(snapshot.order.snapshotSecond == 1_791_819_006)
        #expect(snapshot.order.rank == 0)
        #expect(snapshot.order.statusRank == 2)
    }

    @Test("An invoice is about its subscription, not about its own id")
    func invoice() throws {
        let event = try WebhookEvent(body: Fixtures.scenario("first-purchase")[2].body)
        #expect(event.dataID == "7300001")
        #expect(event.subscriptionID == "910001")
        guard case .invoice(let invoice) = event.object else { return #expect(Bool(false)) }
        #expect(
            invoice
                == Invoice(
                    invoiceID: "7300001", subscriptionID: "910001", customerID: "515001", email: "ada@example.com",
                    billingReason: "initial", status: "paid", refunded: false, refundedAt: nil, currency: "USD",
                    total: 1900, refundedAmount: 0, createdAt: try #require(date("2026-10-12T09:30:01")),
                    updatedAt: try #require(date("2026-10-12T09:30:04"))))
    }

    @Test("A refunded order is read in full; it is about no subscription")
    func order() throws {
        let event = try WebhookEvent(body: Fixtures.event("order_refunded"))
        #expect(event.subscriptionID == nil)
        guard case .order(let order) = event.object else { return #expect(Bool(false)) }
        #expect(order.status == "refunded" && order.refunded && order.variantID == "101")
        #expect(order.total == 1900 && order.refundedAmount == 1900 && order.currency == "USD")
        #expect(order.refundedAt == date("2026-10-20T10:00:00"))
        #expect(order.createdAt == date("2026-10-12T09:30:01"))
        #expect(order.updatedAt == order.refundedAt)
    }

    @Test("A pause has a mode and may have an end; a trial has its end")
    func pauseAndTrial() throws {
        guard case .subscription(let paused) = try WebhookEvent(body: Fixtures.event("subscription_paused")).object,
            case .subscription(let trial) = try WebhookEvent(body: Fixtures.scenario("trial")[1].body).object
        else { return #expect(Bool(false)) }
        #expect(paused.pause == Snapshot.Pause(mode: "void", resumesAt: date("2026-12-01T00:00:00")))
        #expect(trial.status == .onTrial)
        #expect(trial.trialEndsAt == date("2026-10-19T09:30:01"))
        #expect(trial.trialEndsAt == trial.renewsAt)
    }

    @Test("A negative subtotal and a refund are read", arguments: ["refund", "refund-partial"])
    func refunds(scenario: String) throws {
        guard case .invoice(let invoice) = try WebhookEvent(body: Fixtures.scenario(scenario)[4].body).object else {
            return #expect(Bool(false))
        }
        #expect(invoice.refunded == (scenario == "refund"))
        #expect(invoice.status == (scenario == "refund" ? "refunded" : "partial_refund"))
        #expect(invoice.refundedAmount == (scenario == "refund" ? 1900 : 700))
    }

    @Test("The claim is in the accounts' spelling, whatever the buyer typed")
    func upperCaseClaim() throws {
        for file in try Fixtures.scenario("mistakes-upper-case-user-id") {
            let claim = try #require(try WebhookEvent(body: file.body).customUserID)
            #expect(UUID(uuidString: claim)?.uuidString.lowercased() == claim)
        }
    }

    @Test("Nothing of forged custom data is read but the claim")
    func forgedPlan() throws {
        for file in try Fixtures.scenario("mistakes-forged-plan") {
            #expect(!"\(try WebhookEvent(body: file.body))".contains("enterprise"))
        }
    }

    @Test(
        "A body that is no event is refused, and says why",
        arguments: [
            ("", .notJSON), ("{", .notJSON), ("{} x", .notJSON), ("\"\u{1}\"", .notJSON),
            (String(repeating: "[", count: 65) + String(repeating: "]", count: 65), .notJSON),
            ("null", .noEventName), ("[]", .noEventName), ("{}", .noEventName), (#"{"meta":[]}"#, .noEventName),
            (#"{"meta":{"event_name":null},"data":{"type":"x"}}"#, .noEventName),
            (#"{"meta":{"event_name":5},"data":{"type":"x"}}"#, .noEventName),
            (#"{"meta":{"event_name":""},"data":{"type":"x"}}"#, .noEventName),
            (#"{"meta":{"event_name":"a\u0000b"},"data":{"type":"x"}}"#, .noEventName),
            (#"{"meta":{"event_name":"x"}}"#, .noData), (#"{"meta":{"event_name":"x"},"data":null}"#, .noData),
            (#"{"meta":{"event_name":"x"},"data":[]}"#, .noData), (#"{"meta":{"event_name":"x"},"data":{}}"#, .noData),
            (#"{"meta":{"event_name":"x"},"data":{"type":7}}"#, .noData),
        ] as [(String, EnvelopeError)])
    func envelope(body: String, expected: EnvelopeError) {
        #expect(throws: expected) { try WebhookEvent(body: Array(body.utf8)) }
    }

    @Test("A new event about a new object is read as far as it can be")
    func newEvent() throws {
        let event = try WebhookEvent(body: Array(#"{"meta":{"event_name":"x"},"data":{"type":"y"}}"#.utf8))
        #expect(event.name == "x" && event.dataType == "y" && event.object == .other)
        #expect(event.dataID == nil && event.testMode == nil && event.storeID == nil && event.customUserID == nil)
    }
}

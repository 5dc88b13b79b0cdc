import Billing
import Foundation
import LemonSqueezy
import Payloads
import Testing

/// R3 and R7: what of a snapshot has to be there, what is read leniently, and which of two is the present one.
@Suite("Reading snapshots")
struct ReadingTests {
    /// A snapshot with the values of some attributes replaced, as JSON; nil: it cannot be read.
    private func snapshot(_ values: [String: String]) throws -> Snapshot? {
        var (_, subscription) = Case.purchase()
        var body = String(decoding: subscription.event("subscription_updated"), as: UTF8.self)
        for (name, value) in values {
            let member = try Regex(#""\#(name)":("[^"]*"|\{[^}]*\}|[^,}]*)"#)
            #expect(body.firstMatch(of: member) != nil)
            body.replace(member, with: #""\#(name)":\#(value)"#)
        }
        guard case .snapshot(let snapshot) = try BillingEvent(body: Array(body.utf8)).fact else { return nil }
        return snapshot
    }

    @Test("An empty time is none, any offset is read, and a missing created_at or variant is borne")
    func lenient() throws {
        for name in ["renews_at", "ends_at", "trial_ends_at"] {
            let read = try #require(try snapshot([name: #""""#]), "\(name)")
            #expect([read.endsAt, read.trialEndsAt] == [nil, nil])
            #expect((read.renewsAt == nil) == (name == "renews_at"))
        }
        for (text, moment) in [
            ("2026-11-12T11:00:01+01:30", "2026-11-12 09:30:01"), ("2026-11-12T04:30:01-05:00", "2026-11-12 09:30:01"),
            ("2026-11-12T09:30:01.5Z", "2026-11-12 09:30:01"),
        ] {
            #expect(try snapshot(["renews_at": "\"\(text)\""])?.renewsAt == .utc(moment))
        }
        let read = try #require(try snapshot(["created_at": "null", "variant_id": "null"]))
        #expect(read.createdAt == read.updatedAt)
        #expect(read.variantID == nil)
        #expect(try snapshot(["updated_at": "null"]) == nil)
        #expect(try snapshot(["status": "null"]) == nil)
    }

    @Test("A year after 2199, or dates that are more than 1,200 months apart, cannot be read")
    func distant() throws {
        let late = ["created_at": #""2199-12-01T00:00:00Z""#, "updated_at": #""2199-12-01T00:00:00Z""#]
        for (renewsAt, isRead) in [("2199-12-31T23:59:59Z", true), ("2200-01-01T00:00:00Z", false)] {
            let values = late.merging(["renews_at": "\"\(renewsAt)\""]) { _, new in new }
            #expect((try snapshot(values) != nil) == isRead)
        }
        #expect(try snapshot(["renews_at": #""2126-10-11T00:00:00Z""#]) != nil)
        #expect(try snapshot(["renews_at": #""2126-10-14T00:00:00Z""#]) == nil)
    }

    @Test("Of one second and one kind of event the status that comes later in a life is the present one")
    func statuses() throws {
        func present(_ statuses: [String]) throws -> Set<String> {
            var (account, subscription) = Case.created(renewsAt: nil)
            account.bodies = statuses.map { status in
                subscription.status = status
                return subscription.event("subscription_updated")
            }
            var reversed = account
            reversed.bodies.reverse()
            return Set(
                try [account, reversed].compactMap {
                    try $0.state(at: "2026-10-13 00:00:00").subscriptions.first?.status.rawValue
                })
        }
        let ascending = ["on_trial", "past_due", "active", "unpaid", "paused", "cancelled", "expired"]
        for (index, lesser) in ascending.enumerated() {
            for greater in ascending[(index + 1)...] { #expect(try present([lesser, greater]) == [greater]) }
        }
        #expect(try present(["past_due", "dormant"]) == ["dormant"])
        #expect(try present(["dormant", "unpaid"]) == ["unpaid"])
    }

    @Test("Links that expire tell no snapshots apart")
    func links() throws {
        let texts = ["00", "01"].map { #"{"customer_portal":"https://x/billing?expires=1791819006&signature=\#($0)"}"# }
        let orders = try texts.map { try snapshot(["urls": $0])?.order }
        #expect(orders[0] != nil && orders[0] == orders[1])
    }

    @Test("What is dated ahead is looked at when its hour comes")
    func ahead() throws {
        var (account, subscription) = Case.purchase()
        account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-10-25 00:00:00")))
        #expect(try account.state(at: "2026-10-20 00:00:00").nextChange == .utc("2026-10-24 23:00:00"))
    }
}

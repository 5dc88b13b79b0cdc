import Foundation
import LemonSqueezy
import Payloads
import Testing

@Suite("Fixtures")
struct FixtureTests {
    /// One letter for what an event is about.
    private func kind(_ event: WebhookEvent) -> String {
        switch event.object {
        case .order: "O"
        case .subscription: "S"
        case .invoice: "I"
        case .other: "-"
        case .undecodable(let reason): "(\(reason))"
        }
    }

    @Test(
        "An event's file holds that event, about the expected type",
        arguments: [
            ("order_created", "orders", "O"), ("order_refunded", "orders", "O"),
            ("subscription_created", "subscriptions", "S"), ("subscription_updated", "subscriptions", "S"),
            ("subscription_cancelled", "subscriptions", "S"), ("subscription_resumed", "subscriptions", "S"),
            ("subscription_expired", "subscriptions", "S"), ("subscription_paused", "subscriptions", "S"),
            ("subscription_unpaused", "subscriptions", "S"), ("subscription_plan_changed", "subscriptions", "S"),
            ("subscription_payment_success", "subscription-invoices", "I"),
            ("subscription_payment_failed", "subscription-invoices", "I"),
            ("subscription_payment_recovered", "subscription-invoices", "I"),
            ("subscription_payment_refunded", "subscription-invoices", "I"),
            ("license_key_created", "license-keys", "-"), ("license_key_updated", "license-keys", "-"),
            ("affiliate_activated", "affiliates", "-"), ("customer_updated", "customers", "-"),
            ("subscription_renewal_reminder", "subscription-reminders", "-"),
        ])
    func eventFile(name: String, type: String, kind: String) throws {
        let event = try WebhookEvent(body: Fixtures.event(name))
        #expect(event.name.rawValue == name)
        #expect(event.dataType == type)
        #expect(self.kind(event) == kind)
    }

    @Test("A scenario's files are what they should be, and end as they should", arguments: ExpectedScenario.all)
    func scenario(_ expected: ExpectedScenario) throws {
        let files = try Fixtures.scenario(expected.name)
        let events = try files.map { try WebhookEvent(body: $0.body) }
        #expect(events.map(kind).joined() == expected.kinds)
        for (number, (file, event)) in zip(files, events).enumerated() {
            #expect(file.file == String(format: "%02d-%@.json", number + 1, "\(event.name)"))
        }
        let snapshots = events.compactMap { event -> Snapshot? in
            guard case .subscription(let snapshot) = event.object else { return nil }
            return snapshot
        }
        let last = try #require(snapshots.max { $0.order < $1.order })
        #expect(last.status == expected.status)
        #expect(last.variantID == expected.variantID)
    }

    @Test(
        "A scenario's files are in canonical order, but for one that is about the order",
        arguments: ExpectedScenario.all)
    func canonicalOrder(_ expected: ExpectedScenario) throws {
        var orders: [String: [SnapshotOrder]] = [:]
        for file in try Fixtures.scenario(expected.name) {
            guard case .subscription(let snapshot) = try WebhookEvent(body: file.body).object else { continue }
            orders[snapshot.subscriptionID, default: []].append(snapshot.order)
        }
        for (_, orders) in orders {
            // A specific event and the update beside it may be the same second: then either may come first.
            let seconds = orders.map { [Int($0.updatedAt.timeIntervalSince1970), $0.snapshotSecond] }
            for (earlier, later) in zip(seconds, seconds.dropFirst()) {
                #expect(!later.lexicographicallyPrecedes(earlier))
            }
        }
    }

    @Test("Every scenario has its own user, customer, subscriptions and webhook ids")
    func nothingShared() throws {
        var owners: [String: String] = [:]
        func claim(_ thing: String, _ owner: String) {
            #expect(owners.updateValue(owner, forKey: thing) ?? owner == owner, "\(thing) is also of \(owner)")
        }
        for (name, body) in try Fixtures.all() {
            let event = try WebhookEvent(body: body)
            let owner = name.hasPrefix("events/") ? name : String(name.prefix { $0 != "/" })
            let things = [
                ("user", event.customUserID), ("email", event.email), ("customer", event.customerID),
                ("subscription", event.subscriptionID), (event.dataType, event.dataID),
            ]
            for case (let kind, let id?) in things { claim("\(kind) \(id)", owner) }
            claim("webhook \(try #require(event.webhookID))", name)
            #expect(event.storeID == "4242")
            #expect(event.testMode == true)
        }
    }

    @Test("A snapshot's portal link ends six hours after its second, which is not before updated_at")
    func snapshotSeconds() throws {
        for (name, body) in try Fixtures.all() {
            guard case .subscription(let snapshot) = try WebhookEvent(body: body).object else { continue }
            let lag = snapshot.order.snapshotSecond - 6 * 3600 - Int(snapshot.updatedAt.timeIntervalSince1970)
            #expect((0...60).contains(lag), "\(name)")
        }
    }

    @Test("Every payload is one line of ASCII, meta first, and written again byte for byte")
    func roundTrip() throws {
        let all = try Fixtures.all()
        #expect(all.count > 250)
        for (name, body) in all {
            #expect(body.allSatisfy { $0 >= 0x20 && $0 < 0x7F }, "\(name)")
            #expect(body.starts(with: Array(#"{"meta":{"#.utf8)), "\(name)")
            #expect(try JSONValue(parsing: body).wireBytes() == body, "\(name)")
        }
    }

    @Test("No event's fixture is left that no test names, and no scenario that nothing is expected of")
    func everyFixtureIsNamed() throws {
        let sources = try #require(FileManager.default.enumerator(at: Fixtures.tests, includingPropertiesForKeys: nil))
        var text = ""
        for case let file as URL in sources where file.pathExtension == "swift" {
            text += try String(contentsOf: file, encoding: .utf8)
        }
        for name in Fixtures.eventNames {
            #expect(text.contains("\"\(name)\"") || text.contains("\"\(name).json\""), "no test names \(name)")
        }
        #expect(Fixtures.scenarioNames == ExpectedScenario.all.map(\.name))
        #expect(Fixtures.eventNames.count == 19)
    }
}

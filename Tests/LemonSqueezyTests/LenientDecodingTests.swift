import Foundation
import LemonSqueezy
import Payloads
import Testing

/// One change to a good payload, and what must come of it.
@Suite("Lenient decoding")
struct LenientDecodingTests {
    /// A payload with one member replaced, or removed if the value is nil.
    private func event(_ name: String, _ path: [String], _ json: String?) throws -> WebhookEvent {
        let value = try json.map { try JSONValue(parsing: Array($0.utf8)) }
        return try WebhookEvent(setting(path[...], to: value, in: JSONValue(parsing: Fixtures.event(name))))
    }

    private func setting(_ path: ArraySlice<String>, to value: JSONValue?, in document: JSONValue) -> JSONValue {
        guard let key = path.first, case .object(var members) = document else { return document }
        let index = members.firstIndex { $0.key == key }
        let inner =
            path.count == 1
            ? value : setting(path.dropFirst(), to: value, in: index.map { members[$0].value } ?? .object([]))
        if let index { members.remove(at: index) }
        if let inner { members.insert(.init(key, inner), at: index ?? members.count) }
        return .object(members)
    }

    private func reason(_ event: WebhookEvent) -> String? {
        guard case .undecodable(let reason) = event.object else { return nil }
        return reason
    }

    @Test(
        "What the rules need must be there and readable; the reason names it, and never shows its value",
        arguments: [
            ("subscription_updated", "status"), ("subscription_updated", "updated_at"),
            ("subscription_payment_success", "subscription_id"), ("subscription_payment_success", "created_at"),
            ("subscription_payment_success", "updated_at"),
        ])
    func needed(name: String, attribute: String) throws {
        let path = ["data", "attributes", attribute]
        #expect(reason(try event(name, path, nil)) == "data.attributes.\(attribute) is missing")
        #expect(reason(try event(name, path, "null")) == "data.attributes.\(attribute) is missing")
        for bad in ["true", "[]", "{}", #""""#, #""a\u0000b""#, "\"\(String(repeating: "x", count: 200))\""] {
            #expect(reason(try event(name, path, bad)) == "data.attributes.\(attribute) is unreadable", "\(bad)")
        }
    }

    @Test(
        "An invoice may lack its status and its reason, but must be readable where it has them",
        arguments: [
            ("subscription_payment_success", "status", "5"), ("subscription_payment_success", "billing_reason", "[]"),
        ])
    func unreadable(name: String, attribute: String, value: String) throws {
        let path = ["data", "attributes", attribute]
        #expect(reason(try event(name, path, value)) == "data.attributes.\(attribute) is unreadable")
        #expect(reason(try event(name, path, nil)) == nil)
        #expect(reason(try event(name, path, "null")) == nil)
    }

    @Test(
        "A snapshot needs nothing more: what else cannot be read is as if it were missing",
        arguments: ["variant_id", "created_at", "renews_at", "ends_at", "trial_ends_at", "pause", "billing_anchor"])
    func unreadable(attribute: String) throws {
        for value in [nil, "null", #""""#, "true", "[1]", #""tomorrow""#, #""2026-02-30T00:00:00Z""#, "-1"] {
            let event = try event("subscription_updated", ["data", "attributes", attribute], value)
            guard case .subscription(let snapshot) = event.object else {
                Issue.record("\(value ?? "missing"): \(event.object)")
                continue
            }
            #expect(snapshot.status.isKnown)
            if attribute == "created_at" { #expect(snapshot.createdAt == snapshot.updatedAt) }
            if attribute == "renews_at" { #expect(snapshot.renewsAt == nil) }
            if attribute == "ends_at" { #expect(snapshot.endsAt == nil) }
            if attribute == "trial_ends_at" { #expect(snapshot.trialEndsAt == nil) }
            if attribute == "billing_anchor" { #expect(snapshot.billingAnchor == nil) }
        }
    }

    @Test(
        "A time after the year 2199, or more than 1,200 months from the start, cannot be meant",
        arguments: ["renews_at", "ends_at", "trial_ends_at", "updated_at", "created_at"])
    func distantTimes(attribute: String) throws {
        let path = ["data", "attributes", attribute]
        #expect(
            reason(try event("subscription_updated", path, #""9999-12-31T00:00:00Z""#))
                == "data.attributes.\(attribute) is after the year 2199")
        let distant = attribute == "created_at" ? "1970-01-01T00:00:00Z" : "2199-12-31T23:59:59Z"
        if attribute == "created_at" {
            #expect(reason(try event("subscription_updated", path, "\"\(distant)\"")) == nil)
        } else {
            #expect(
                reason(try event("subscription_updated", path, "\"\(distant)\""))
                    == "data.attributes: its dates lie more than 1,200 months apart")
        }
    }

    @Test(
        "Other attributes may be missing or anything",
        arguments: [
            "store_id", "customer_id", "order_id", "order_item_id", "product_id", "user_email", "test_mode", "urls",
            "refunded", "currency", "total", "refunded_amount", "first_subscription_item", "first_order_item",
            "tax_rate",
            "quantity", "a_new_one",
        ])
    func others(attribute: String) throws {
        for name in ["subscription_updated", "subscription_payment_success", "order_created"] {
            for value in [nil, "null", "1", "-1.5", "1e999", "true", #""x""#, "[]", "{}", #""\u0000""#] {
                #expect(
                    reason(try event(name, ["data", "attributes", attribute], value)) == nil, "\(name) \(value ?? "")")
            }
        }
    }

    @Test("An order needs only its id", arguments: ["status", "created_at", "updated_at", "refunded_at"])
    func orders(attribute: String) throws {
        for value in [nil, "null", "1", "[]", #""x""#] {
            #expect(reason(try event("order_refunded", ["data", "attributes", attribute], value)) == nil)
        }
    }

    @Test(
        "An object needs its id and its attributes",
        arguments: ["subscription_updated", "subscription_payment_success", "order_created"])
    func objectItself(name: String) throws {
        #expect(reason(try event(name, ["data", "id"], nil)) == "data.id is missing")
        #expect(reason(try event(name, ["data", "id"], "{}")) == "data.id is unreadable")
        #expect(reason(try event(name, ["data", "attributes"], nil)) == "data.attributes is missing")
        #expect(reason(try event(name, ["data", "attributes"], "[]")) == "data.attributes is unreadable")
    }

    @Test(
        "An id is text, whatever type it came in",
        arguments: [
            ("101", "101"), (#""101""#, "101"), ("101.0", "101"), ("1.01e2", "101"),
            ("9223372036854775807", "9223372036854775807"),
            (#""1234567890123456789012345678901234567890""#, "1234567890123456789012345678901234567890"),
            (#""v-1""#, "v-1"),
            ("1234567890123456789012345678901234567890", nil), ("1e999", nil), ("1.5", nil), ("true", nil),
            ("[1]", nil),
            (#""1\u00002""#, nil), (#""""#, nil),
        ])
    func identifiers(json: String, expected: String?) throws {
        let event = try event("subscription_updated", ["data", "attributes", "variant_id"], json)
        if case .subscription(let snapshot) = event.object {
            #expect(snapshot.variantID == expected)
        } else {
            #expect(expected == nil)
        }
        #expect(
            try self.event("subscription_updated", ["data", "attributes", "customer_id"], json).customerID == expected)
    }

    @Test("An unknown status is kept as it is", arguments: ["frozen", "Active", "on trial"])
    func unknownStatus(status: String) throws {
        let event = try event("subscription_updated", ["data", "attributes", "status"], "\"\(status)\"")
        guard case .subscription(let snapshot) = event.object else { return #expect(Bool(false)) }
        #expect(snapshot.status.rawValue == status)
        #expect(!snapshot.status.isKnown)
    }

    @Test(
        "The seven statuses are known",
        arguments: ["on_trial", "active", "paused", "past_due", "unpaid", "cancelled", "expired"])
    func knownStatus(status: String) {
        #expect(SubscriptionStatus(rawValue: status).isKnown)
    }

    @Test("No pause is null, absent, or empty", arguments: [nil, "null", "[]", "{}"])
    func noPause(json: String?) throws {
        let event = try event("subscription_paused", ["data", "attributes", "pause"], json)
        guard case .subscription(let snapshot) = event.object else { return #expect(Bool(false)) }
        #expect(snapshot.pause == nil)
    }

    @Test("A pause's mode and end are read as far as they can be: without a mode it is void")
    func pauseDetails() throws {
        let path = ["data", "attributes", "pause"]
        let bare = try event("subscription_paused", path, #"{"mode":"free","since":1}"#)
        guard case .subscription(let snapshot) = bare.object else { return #expect(Bool(false)) }
        #expect(snapshot.pause == Snapshot.Pause(mode: "free", resumesAt: nil))
        let mode = try event("subscription_paused", path, #"{"mode":5}"#)
        guard case .subscription(let unreadable) = mode.object else { return #expect(Bool(false)) }
        #expect(unreadable.pause == Snapshot.Pause(mode: nil, resumesAt: nil))
        let end = try event("subscription_paused", path, #"{"mode":"free","resumes_at":"soon"}"#)
        guard case .subscription(let endless) = end.object else { return #expect(Bool(false)) }
        #expect(endless.pause == Snapshot.Pause(mode: "free", resumesAt: nil))
    }

    @Test(
        "The claim is a string or a number of custom data, a UUID in lower case",
        arguments: [
            (#"{"user_id":"7B0C3B1E-52F4-4B7E-9A55-0A3F0C8F2D11"}"#, "7b0c3b1e-52f4-4b7e-9a55-0a3f0c8f2d11"),
            (#"{"user_id":" \n7b0c3b1e-52f4-4b7e-9a55-0a3f0c8f2d11\t "}"#, "7b0c3b1e-52f4-4b7e-9a55-0a3f0c8f2d11"),
            (#"{"user_id":"{7B0C3B1E-52F4-4B7E-9A55-0A3F0C8F2D11}"}"#, "{7B0C3B1E-52F4-4B7E-9A55-0A3F0C8F2D11}"),
            (#"{"user_id":" Ada "}"#, " Ada "), (#"{"user_id":42}"#, "42"), (#"{"user_id":""}"#, nil),
            (#"{"user_id":"7b0c\u0000"}"#, nil), (#"{"user_id":null}"#, nil), (#"{"user_id":true}"#, nil),
            (#"{"user_id":["a"]}"#, nil), (#"{"user_id":{"id":"a"}}"#, nil), (#"{"user_id":1.5}"#, nil), ("{}", nil),
            ("[]", nil),
            (#"["user_id","a"]"#, nil), (#""a""#, nil), ("null", nil), (nil, nil),
        ])
    func claim(customData: String?, expected: String?) throws {
        for name in ["subscription_updated", "subscription_payment_success"] {
            let event = try event(name, ["meta", "custom_data"], customData)
            #expect(event.customUserID == expected)
            #expect(reason(event) == nil)
        }
    }

    @Test("The mode is meta's, else the object's")
    func testMode() throws {
        #expect(try event("subscription_updated", ["meta", "test_mode"], "false").testMode == false)
        #expect(try event("subscription_updated", ["meta", "test_mode"], nil).testMode == true)
        #expect(try event("subscription_updated", ["meta", "test_mode"], #""maybe""#).testMode == true)
        #expect(try event("subscription_updated", ["meta", "test_mode"], "0").testMode == false)
        #expect(try event("subscription_updated", ["meta", "test_mode"], #""1""#).testMode == true)
    }

    @Test(
        "Amounts are integers, also in a string",
        arguments: [
            ("1900", 1900), (#""1900""#, 1900), ("-1450", -1450), ("1900.0", 1900), ("19.5", nil), ("true", nil),
            ("1e999", nil),
        ])
    func amounts(json: String, expected: Int?) throws {
        let event = try event("subscription_payment_success", ["data", "attributes", "total"], json)
        guard case .invoice(let invoice) = event.object else { return #expect(Bool(false)) }
        #expect(invoice.total == expected)
    }

    @Test("Fields that changed their type in a captured way change nothing")
    func changedTypes() throws {
        let changed = try Fixtures.scenario("mistakes-fields-change-type").map { try WebhookEvent(body: $0.body) }
        guard case .order(let order) = changed[0].object, case .subscription(let created) = changed[1].object,
            case .invoice(let invoice) = changed[2].object, case .subscription(let updated) = changed[3].object
        else { return #expect(Bool(false)) }
        #expect(order.total == 1900)
        #expect(created.variantID == "101" && created.pause == nil)
        #expect(created.customerID == updated.customerID)
        #expect(invoice.subscriptionID == updated.subscriptionID)
        #expect(invoice.total == 1900 && !invoice.refunded)
    }
}

import Foundation
import LemonSqueezy
import LemonSqueezyStandIn
import Payloads

/// A shop at the stand-in for Lemon Squeezy, and the settings of a program that asks it.
struct Shop {
    static let key = "key-of-the-tests"
    let standIn: StandIn

    /// One store with the three variants of the catalogue, in test mode.
    static func open() async throws -> Shop {
        var state = StandInState()
        state.keys = [key: true]
        state.put("stores", id: "4242", [.init("name", .string("Selextract"))])
        for (variant, cents) in [("101", "1900"), ("102", "4900"), ("103", "9900")] {
            state.put("variants", id: variant, [.init("status", .string("published")), .init("note", .null)])
            state.put(
                "prices", id: "9" + variant,
                [
                    .init("variant_id", .number(variant)), .init("unit_price", .number(cents)),
                    .init("renewal_interval_unit", .string("month")), .init("renewal_interval_quantity", .number("1")),
                ])
        }
        return Shop(standIn: try await StandIn.start(state))
    }

    var settings: [String: String?] {
        [
            "LEMON_SQUEEZY_API_URL": standIn.url, "LEMON_SQUEEZY_API_KEY": Self.key, "LEMON_SQUEEZY_STORE_ID": "4242",
            "LEMON_SQUEEZY_MODE": "test", "LEMON_SQUEEZY_STARTER_VARIANT_ID": "101",
            "LEMON_SQUEEZY_PROFESSIONAL_VARIANT_ID": "102", "LEMON_SQUEEZY_ENTERPRISE_VARIANT_ID": "103",
            "PUBLIC_URL": "https://billing.example.com",
        ]
    }

    /// The objects as the API shows them after these deliveries: each as the last one of it told.
    func hold(_ bodies: [[UInt8]]) {
        standIn.change { state in
            for body in bodies {
                guard let data = (try? JSONValue(parsing: body))?["data"], case .string(let type)? = data["type"],
                    case .string(let id)? = data["id"], case .object(let attributes)? = data["attributes"]
                else { continue }
                state.put(type, id: id, attributes + [.init("attribute_of_tomorrow", .array([]))])
            }
        }
    }

    /// The shop's own webhook, as `webhook create` would make it.
    func addWebhook(url: String = "https://billing.example.com/webhooks/lemon-squeezy", missing: Set<String> = []) {
        let names = [
            "subscription_created", "subscription_updated", "subscription_cancelled", "subscription_resumed",
            "subscription_expired", "subscription_paused", "subscription_unpaused", "subscription_payment_success",
            "subscription_payment_failed", "subscription_payment_recovered", "subscription_payment_refunded",
            "order_created", "order_refunded",
        ]
        standIn.change { state in
            state.put(
                "webhooks", id: "77",
                [
                    .init("store_id", .number("4242")), .init("url", .string(url)),
                    .init("events", .array(names.filter { !missing.contains($0) }.map(JSONValue.string))),
                    .init("last_sent_at", .null), .init("test_mode", .bool(true)),
                ])
        }
    }
}

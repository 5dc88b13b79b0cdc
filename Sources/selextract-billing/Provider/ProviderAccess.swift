import Foundation
import LemonSqueezy
import LemonSqueezyAPI
import ServiceSettings

/// Opens Lemon Squeezy's API by the key of the settings, lends it, and closes it again.
///
/// - Throws: `Failure` if no key is set; what `body` throws.
func withAPI<Result>(_ settings: Settings, _ body: (LemonSqueezyAPI) async throws -> Result) async throws -> Result {
    guard let key = settings.apiKey else {
        throw Failure("set LEMON_SQUEEZY_API_KEY: a key from Lemon Squeezy's Settings → API")
    }
    let api = LemonSqueezyAPI(key: key, base: settings.apiURL)
    do {
        let result = try await body(api)
        await api.close()
        return result
    } catch {
        await api.close()
        throw error
    }
}

/// The webhook that this service needs at Lemon Squeezy.
enum NeededWebhook {
    /// Without `subscription_plan_changed`, which not every store can choose.
    static let events: [EventName] = [
        .subscriptionCreated, .subscriptionUpdated, .subscriptionCancelled, .subscriptionResumed,
        .subscriptionExpired, .subscriptionPaused, .subscriptionUnpaused, .subscriptionPaymentSuccess,
        .subscriptionPaymentFailed, .subscriptionPaymentRecovered, .subscriptionPaymentRefunded, .orderCreated,
        .orderRefunded,
    ]

    static let path = "/webhooks/lemon-squeezy"

    /// - Throws: `Failure` if it is not known where the service is reached.
    static func url(_ settings: Settings) throws -> String {
        guard let outside = settings.outsideURL else {
            throw Failure(
                "set PUBLIC_URL: where the public port is reached from outside, for example https://billing.example.com"
            )
        }
        return outside.absoluteString + path
    }

    /// The store's webhooks for an address.
    static func find(_ url: String, _ settings: Settings, in api: LemonSqueezyAPI) async throws -> [APIObject] {
        let filters = settings.storeID.map { ["store_id": $0] } ?? [:]
        // Of all pages: the API's own page of 10 may hide ours behind others.
        return try await api.all("webhooks", filters: filters).filter { $0.attributes["url"] == .string(url) }
    }
}

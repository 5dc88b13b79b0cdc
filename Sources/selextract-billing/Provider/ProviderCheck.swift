import Billing
import Console
import Foundation
import LemonSqueezy
import LemonSqueezyAPI
import Selextract
import ServiceSettings

/// Compares the set-up at Lemon Squeezy with the service's own.
struct ProviderCheck {
    let api: LemonSqueezyAPI
    let settings: Settings
    let now: Date
    /// When the last delivery came; nil: none has come yet.
    let lastDelivery: Date?
    let plans: [SubscriptionPlan]
    /// Variant id to plan id.
    let variants: [String: String]

    struct Comparison: Sendable {
        var findings: [Finding] = []
        /// Of the variants that mean a plan, as far as they are known there.
        var offers: [ConsoleSurroundings.Offer] = []
    }

    /// - Throws: `CancellationError`.
    func comparison() async throws -> Comparison {
        do {
            var findings = keyAge()
            let isTest = try await api.isTestMode()
            if let ahead = await api.clockAhead, abs(ahead) > 60 {
                findings.append(Self.skew(.clockDiffersFromAPI, "Lemon Squeezy's", ahead))
            }
            findings += mode(isTest)
            let store = try await store()
            findings += store
            // Without its store nothing else could be found.
            if store.isEmpty { findings += try await webhook() }
            var comparison = try await catalogue()
            comparison.findings = findings + comparison.findings
            return comparison
        } catch let error as APIError {
            let code: Finding.Code =
                switch error.kind {
                case .unauthorized: .apiKeyRefused
                case .untrusted: .apiUntrusted
                default: .apiUnavailable
                }
            let remedy =
                error.kind == .unauthorized
                ? "make a key at Lemon Squeezy, Settings → API, and set LEMON_SQUEEZY_API_KEY"
                : "look at LEMON_SQUEEZY_API_URL and the network, and run `doctor` again"
            return Comparison(findings: [Finding(code, error.description, remedy: remedy)])
        }
    }

    static func skew(_ code: Finding.Code, _ whose: String, _ ahead: Double) -> Finding {
        Finding(
            code,
            "\(whose) clock is \(Int(abs(ahead).rounded())) s \(ahead > 0 ? "ahead of" : "behind") this machine's",
            remedy: "set this machine's clock, for example with `timedatectl set-ntp true`")
    }

    // MARK: The key

    /// A key is a JSON Web Token whose claims tell until when it is valid; one that is no such token tells nothing.
    private func keyAge() -> [Finding] {
        guard let key = settings.apiKey, let expires = Self.expiry(ofKey: key) else { return [] }
        let days = Int(expires.timeIntervalSince(now) / 86_400)
        guard days < 30 else { return [] }
        return [
            Finding(
                .apiKeyExpires,
                days < 0 ? "the API key has expired" : "the API key expires in \(days) days",
                remedy: "make a new key at Lemon Squeezy, Settings → API, and set LEMON_SQUEEZY_API_KEY")
        ]
    }

    static func expiry(ofKey key: String) -> Date? {
        let parts = key.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        var text = parts[1].replacing("-", with: "+").replacing("_", with: "/")
        while text.utf8.count % 4 != 0 { text += "=" }
        guard let data = Data(base64Encoded: String(text)), let claims = try? JSONValue(parsing: Array(data)),
            case .number(let seconds)? = claims["exp"], let expires = Double(seconds)
        else { return nil }
        return Date(timeIntervalSince1970: expires)
    }

    private func mode(_ isTest: Bool?) -> [Finding] {
        guard let isTest else { return [] }
        let own = isTest ? "test" : "live"
        guard settings.mode != .any, settings.mode.rawValue != own else { return [] }
        return [
            Finding(
                .modeDiffers,
                "the API key is for \(own) mode, whose events are quarantined: LEMON_SQUEEZY_MODE is \(settings.mode.rawValue)",
                remedy: "set a key of \(settings.mode.rawValue) mode, or LEMON_SQUEEZY_MODE=\(own)")
        ]
    }

    // MARK: Store and webhook

    private func store() async throws -> [Finding] {
        guard let id = settings.storeID else {
            let stores = try await api.all("stores")
            guard stores.count > 1 else { return [] }
            return [
                Finding(
                    .storeNotChosen,
                    "the key sees \(stores.count) stores, and the events of all of them are applied",
                    remedy: "set LEMON_SQUEEZY_STORE_ID to one of \(stores.map(\.id).joined(separator: ", "))")
            ]
        }
        do {
            _ = try await api.object("stores/\(id)")
            return []
        } catch let error as APIError where error.kind == .notFound {
            return [
                Finding(
                    .storeUnknown, "the key's account has no store \(id)",
                    remedy: "set LEMON_SQUEEZY_STORE_ID to the store's number at Lemon Squeezy, Settings → Stores")
            ]
        }
    }

    private func webhook() async throws -> [Finding] {
        guard let url = try? NeededWebhook.url(settings) else {
            return [
                Finding(
                    .publicURLMissing,
                    "where Lemon Squeezy reaches this service is not known: its webhook cannot be checked",
                    remedy: "set PUBLIC_URL, for example https://billing.example.com")
            ]
        }
        let found = try await NeededWebhook.find(url, settings, in: api)
        guard let webhook = found.first else {
            return [
                Finding(
                    .webhookMissing, "no webhook at Lemon Squeezy leads to \(url)",
                    remedy: "`webhook create --secret-file PATH`")
            ]
        }
        var findings: [Finding] = []
        if found.count > 1 {
            findings.append(
                Finding(
                    .webhookTwice,
                    "\(found.count) webhooks lead to \(url): \(found.map(\.id).joined(separator: ", "))",
                    remedy: "delete all but one at Lemon Squeezy, Settings → Webhooks"))
        }
        var chosen: Set<String> = []
        if case .array(let names)? = webhook.attributes["events"] {
            chosen = Set(names.compactMap { $0.text(atMost: 100) })
        }
        let missing = NeededWebhook.events.map(\.rawValue).filter { !chosen.contains($0) }
        if !missing.isEmpty {
            findings.append(
                Finding(
                    .webhookEventsMissing,
                    "webhook \(webhook.id) does not send \(missing.joined(separator: ", "))",
                    remedy: "`webhook create`, which adds them"))
        }
        // A delivery may be under way; its repetitions end after 155 seconds.
        if let sent = webhook.attributes["last_sent_at"]?.date, now.timeIntervalSince(sent) > 300,
            sent.timeIntervalSince(lastDelivery ?? .distantPast) > 300
        {
            let last = lastDelivery.map { "the last that came is of \($0.formatted(.iso8601))" } ?? "none has come yet"
            findings.append(
                Finding(
                    .deliveriesLost,
                    "Lemon Squeezy last sent at \(sent.formatted(.iso8601)), but \(last)",
                    remedy: "look whether \(url) leads here and whether the secret is the webhook's, then `reconcile`"))
        }
        return findings
    }

    // MARK: Plans

    private func catalogue() async throws -> Comparison {
        var comparison = Comparison()
        for plan in plans where plan.isActive && plan.priceCents > 0 && !variants.values.contains(plan.id) {
            comparison.findings.append(
                Finding(
                    .planWithoutVariant, "plan \(plan.id) is offered, but no variant sells it",
                    remedy: "`plans map \(plan.id) VARIANT`, or `plans set \(plan.id) --no-active`"))
        }
        for (variant, planID) in variants.sorted(by: { ($0.key.count, $0.key) < ($1.key.count, $1.key) }) {
            guard let plan = plans.first(where: { $0.id == planID }) else { continue }
            let object: APIObject
            do {
                object = try await api.object("variants/\(variant)")
            } catch let error as APIError where error.kind == .notFound {
                comparison.findings.append(
                    Finding(
                        .variantUnknown, "Lemon Squeezy has no variant \(variant), which means plan \(plan.id) here",
                        remedy:
                            "`plans map \(plan.id) VARIANT`: the number in its page's address, other ones in test mode"
                    ))
                continue
            }
            // The newest price is the one that is asked.
            let prices = try await api.all("prices", filters: ["variant_id": variant])
            let price = prices.max { ($0.id.count, $0.id) < ($1.id.count, $1.id) }
            comparison.offers.append(ConsoleSurroundings.Offer(variant, object, price))
            comparison.findings += findings(variant, object, price, of: plan)
        }
        return comparison
    }

    private func findings(
        _ variant: String, _ object: APIObject, _ price: APIObject?, of plan: SubscriptionPlan
    ) -> [Finding] {
        var findings: [Finding] = []
        // `pending` is a product's only variant, which is sold like a published one.
        if object.attributes["status"] == .string("draft"), plan.isActive, plan.lemonSqueezyVariantID == variant {
            findings.append(
                Finding(
                    .variantUnpublished, "variant \(variant) of plan \(plan.id) is a draft: nobody can buy it",
                    remedy: "publish it at Lemon Squeezy, or `plans set \(plan.id) --no-active`"))
        }
        guard let price else { return findings }
        guard let (unit, quantity) = price.renewal else {
            return findings + [
                Finding(
                    .variantNotRecurring,
                    "variant \(variant) of plan \(plan.id) is no subscription: it gives no plan",
                    remedy: "make it one at Lemon Squeezy, or `plans map \(plan.id)` another")
            ]
        }
        let months: Int? =
            switch unit {
            case "month": quantity
            case "year": 12 * quantity
            default: nil
            }
        guard let months else {
            return findings + [
                Finding(
                    .variantShorterThanMonth,
                    """
                    variant \(variant) is billed every \(quantity) \(unit)(s), but gives the \(plan.monthlyComputeUnits) units \
                    of plan \(plan.id) once a month
                    """,
                    remedy: "nothing, if it is meant; else bill it monthly at Lemon Squeezy")
            ]
        }
        // Longer intervals may be cheaper by the month, and further variants are old prices: only the plan's own monthly
        // one is what the catalogue shows.
        if months == 1, plan.lemonSqueezyVariantID == variant, let cents = price.attributes["unit_price"]?.int,
            cents != plan.priceCents
        {
            findings.append(
                Finding(
                    .priceDiffers,
                    "variant \(variant) costs \(cents) cents a month; the catalogue shows \(plan.priceCents) for \(plan.id)",
                    remedy: "`plans set \(plan.id) --price-cents \(cents)`"))
        }
        return findings
    }
}

extension ConsoleSurroundings.Offer {
    fileprivate init(_ variant: String, _ object: APIObject, _ price: APIObject?) {
        self.init(
            variant: variant, status: object.attributes["status"]?.text(atMost: 20),
            cents: price?.attributes["unit_price"]?.int,
            interval: price?.renewal.map { $0.quantity == 1 ? $0.unit : "\($0.quantity) \($0.unit)s" })
    }
}

extension APIObject {
    /// Every how many of which unit a price is charged again; nil: it is no subscription's.
    fileprivate var renewal: (unit: String, quantity: Int)? {
        let quantity = attributes["renewal_interval_quantity"]?.int ?? 1
        guard let unit = attributes["renewal_interval_unit"]?.text(atMost: 20), quantity > 0 else { return nil }
        return (unit, quantity)
    }
}

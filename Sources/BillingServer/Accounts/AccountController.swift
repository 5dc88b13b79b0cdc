import Foundation
import HTTPTypes
import Hummingbird
import Selextract
import Storage

/// `GET /v1/account`: what the account of an API key has at this moment.
struct AccountController: Controller {
    static let methods: KeyValuePairs<String, [HTTPRequest.Method]> = ["/v1/account": [.get, .head]]

    let store: Store
    let calls: APICalls
    let keys: KeyGuard

    func addRoutes(to router: Router<IdentifiedContext>) {
        router.get("/v1/account") { request, context in
            guard let text = request.headers.bearerToken, let key = APIKeyText(text)?.storedHash else {
                throw Problem.invalidKey
            }
            let address = context.remoteAddress
            switch keys.verdict(on: key, from: address) {
            case .wrong: throw Problem.invalidKey
            case .tooMany: throw Problem.tooManyKeys
            case .unknown: break
            }
            // Looked up for each request, so that a revoked key is refused from the next one on.
            let holder = try await store.keyHolder(hash: key)
            keys.tell(key, isRight: holder != nil, from: address)
            guard let holder, let overview = try await store.overview(user: holder.user.id) else {
                throw Problem.invalidKey
            }
            calls.count(holder)
            var response = Response(json: AccountDocument(overview: overview))
            response.headers[.cacheControl] = "no-store"
            return response
        }
    }
}

extension HTTPFields {
    /// The token of the one `Authorization: Bearer …` (RFC 6750, 2.1).
    fileprivate var bearerToken: String? {
        guard self[values: .authorization].count == 1, let credentials = self[.authorization] else { return nil }
        let parts = credentials.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return parts[1].trimmingCharacters(in: .whitespaces)
    }
}

/// An account as its owner sees it.
private struct AccountDocument: Encodable {
    private enum CodingKeys: String, CodingKey {
        case email, plan, subscription
        case userID = "user_id"
        case hasAccess = "has_access"
        case accessUntil = "access_until"
        case remaining = "compute_units_remaining"
        case limit = "compute_units_limit"
        case used = "compute_units_used"
        case resetDate = "compute_units_reset_date"
    }

    let overview: AccountOverview

    /// What is missing is written as null rather than left out, so that every account has the same members.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(overview.user.id.text, forKey: .userID)
        try container.encode(overview.user.email, forKey: .email)
        try container.encode(CataloguePlan(overview.plan), forKey: .plan)
        try container.encode(overview.entitlement.hasAccess, forKey: .hasAccess)
        try container.encode(overview.entitlement.accessUntil?.text, forKey: .accessUntil)
        try container.encode(overview.entitlement.computeUnitsRemaining, forKey: .remaining)
        try container.encode(overview.computeUnitsLimit, forKey: .limit)
        try container.encode(overview.computeUnitsUsed, forKey: .used)
        try container.encode(overview.entitlement.computeUnitsResetDate.text, forKey: .resetDate)
        try container.encode(overview.subscription.map(Subscription.init), forKey: .subscription)
    }

    private struct Subscription: Encodable {
        var id: String
        var lemonSqueezySubscriptionID: String?
        var status: String
        var currentPeriodStart: String
        var currentPeriodEnd: String
        var cancelAtPeriodEnd: Bool

        init(_ subscription: UserSubscription) {
            id = subscription.id.text
            lemonSqueezySubscriptionID = subscription.lemonSqueezySubscriptionID
            status = subscription.status
            currentPeriodStart = subscription.currentPeriodStart.text
            currentPeriodEnd = subscription.currentPeriodEnd.text
            cancelAtPeriodEnd = subscription.cancelAtPeriodEnd
        }
    }
}

extension Date {
    fileprivate var text: String { ISOTime.text(from: self) }
}

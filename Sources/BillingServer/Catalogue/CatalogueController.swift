import Foundation
import HTTPTypes
import Hummingbird
import LemonSqueezy
import Selextract

/// `GET /v1/plans` and `GET /v1/plans/{id}`: public, for any web page to show.
struct CatalogueController: Controller {
    static let methods: KeyValuePairs<String, [HTTPRequest.Method]> = [
        "/v1/plans": [.get, .head, .options], "/v1/plans/{id}": [.get, .head, .options],
    ]

    let plans: PlanCache

    func addRoutes(to router: Router<IdentifiedContext>) {
        for (path, _) in Self.methods {
            router.on(RouterPath(path), method: .options) { _, _ in preflight() }
        }
        router.get("/v1/plans") { request, _ in
            try await shared { try await plans.current().list.response(to: request) }
        }
        router.get("/v1/plans/{id}") { request, context in
            let id = try context.parameters.require("id")
            return try await shared {
                guard let plan = try await plans.current().plans[id] else { throw Problem.notFound }
                return plan.response(to: request)
            }
        }
    }

    /// Lets scripts of any web page read the answer (CORS), also if it is an error.
    private func shared(_ respond: () async throws -> Response) async throws -> Response {
        do {
            return try await respond()
        } catch var problem as Problem {
            problem.headers[.accessControlAllowOrigin] = "*"
            throw problem
        }
    }

    private func preflight() -> Response {
        Response(
            status: .noContent,
            headers: [
                .accessControlAllowOrigin: "*", .accessControlAllowMethods: "GET, HEAD, OPTIONS",
                .accessControlAllowHeaders: "If-None-Match", .accessControlMaxAge: "86400",
                .allow: "GET, HEAD, OPTIONS",
            ])
    }
}

/// A plan as the catalogue shows it.
struct CataloguePlan: Encodable {
    private enum CodingKeys: String, CodingKey {
        case id, name, description, currency
        case priceCents = "price_cents"
        case billingInterval = "billing_interval"
        case monthlyComputeUnits = "monthly_compute_units"
        case maxConcurrentTasks = "max_concurrent_tasks"
    }

    let plan: SubscriptionPlan

    init(_ plan: SubscriptionPlan) {
        self.plan = plan
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(plan.id, forKey: .id)
        try container.encode(plan.name, forKey: .name)
        // Null rather than absent: every plan has the same members.
        try container.encode(plan.description, forKey: .description)
        try container.encode(plan.priceCents, forKey: .priceCents)
        try container.encode("USD", forKey: .currency)
        try container.encode("month", forKey: .billingInterval)
        try container.encode(plan.monthlyComputeUnits, forKey: .monthlyComputeUnits)
        try container.encode(plan.maxConcurrentTasks, forKey: .maxConcurrentTasks)
    }
}

struct PlanList: Encodable {
    let plans: [CataloguePlan]
}

/// A document of the catalogue as it is answered, to any web page's script (CORS).
struct CataloguePage: Sendable {
    private let tag: String
    private let found: Response
    private let notModified: Response

    init(_ document: some Encodable) {
        let bytes = Response.bytes(document)
        tag = "\"" + SHA256.hexadecimal(bytes) + "\""
        var headers: HTTPFields = [
            .eTag: tag, .cacheControl: "public, max-age=1, stale-while-revalidate=1, stale-if-error=300",
            .accessControlAllowOrigin: "*", .accessControlExposeHeaders: "ETag, X-Request-ID",
        ]
        notModified = Response(status: .notModified, headers: headers)
        headers[.contentType] = "application/json"
        found = Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// The document, or 304 if the client has these bytes already.
    func response(to request: Request) -> Response {
        guard let match = request.headers[.ifNoneMatch] else { return found }
        return match == tag || request.headers.names(tag) ? notModified : found
    }
}

extension HTTPFields {
    /// Whether `If-None-Match` names the tag (RFC 9110, 13.1.2: compared weakly).
    fileprivate func names(_ tag: String) -> Bool {
        self[values: .ifNoneMatch].joined(separator: ",").split(separator: ",")
            .map { $0.trimmingCharacters(in: .whitespaces) }
            .contains { $0 == "*" || $0 == tag || $0 == "W/" + tag }
    }
}

import HTTPTypes
import Hummingbird
import Logging
import Storage

/// `GET /healthz`, `/readyz` and `/metrics`, for those who run the service.
struct AdminController: Controller {
    static let methods: KeyValuePairs<String, [HTTPRequest.Method]> = [
        "/healthz": [.get, .head], "/readyz": [.get, .head], "/metrics": [.get, .head],
    ]

    let store: any Store
    let metrics: Metrics
    let inbox: Inbox
    let bodies: BodyBudget
    let connections: ConnectionCount

    func addRoutes(to router: Router<IdentifiedContext>) {
        router.get("/healthz") { _, _ in Response(json: ["status": "ok"]) }
        router.get("/readyz") { _, _ in
            do {
                try await store.check()
            } catch {
                throw Problem.notReady(error.loggable)
            }
            return Response(json: ["status": "ready"])
        }
        router.get("/metrics") { _, _ in
            let text = metrics.text(gauges: [
                .queueDepth: inbox.depth, .heldBytes: bodies.heldBytes, .connections: connections.current,
            ])
            return Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
        }
    }
}

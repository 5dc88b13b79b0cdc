import Databases
import HTTPTypes
import Hummingbird
import Logging
import Storage

/// `GET /healthz`, `/readyz` and `/metrics`, for those who run the service.
struct AdminController: Controller {
    static let methods: KeyValuePairs<String, [HTTPRequest.Method]> = [
        "/healthz": [.get, .head], "/readyz": [.get, .head], "/metrics": [.get, .head],
    ]

    let store: Store
    let preparation: Preparation
    let readiness: ReadinessCheck
    let metrics: Metrics
    let signatures: SignatureWatch
    let queue: CommitQueue
    let bodies: BodyBudget
    let connections: ConnectionCount

    /// What does not stop the service but is probably a mistake in its settings.
    private var warnings: [String] { signatures.isMismatch ? [SignatureWatch.warning] : [] }

    func addRoutes(to router: Router<IdentifiedContext>) {
        router.get("/healthz") { _, _ in Response(json: ["status": "ok"]) }
        router.get("/readyz") { _, _ in
            guard preparation.isReady else { throw Problem.notReady(preparation.reason) }
            do {
                return Response(json: Readiness(try await readiness.health(), warnings: warnings))
            } catch {
                throw Problem.notReady(error.loggable)
            }
        }
        router.get("/metrics") { _, _ in
            var gauges: [(Metric, Int)] = [
                (.queueDepth, queue.depth), (.heldBytes, bodies.heldBytes), (.connections, connections.current),
                (.signatureMismatch, signatures.isMismatch ? 1 : 0),
            ]
            if let pool = store.pool {
                gauges += [
                    (.idleConnections, pool.idle), (.leasedConnections, pool.leased), (.waitingCallers, pool.waiting),
                ]
            }
            let text = metrics.text(gauges: gauges)
            return Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
        }
    }
}

/// The answer of `/readyz`: the state of the database, and warnings for operators.
private struct Readiness: Encodable {
    struct Database: Encodable {
        var latencyMicroseconds: Int
        var pool: Pool?
    }

    struct Pool: Encodable {
        var size: Int
        var idle: Int
        var leased: Int
        var waiting: Int
    }

    var status = "ready"
    var database: Database
    var warnings: [String]

    init(_ health: DatabaseHealth, warnings: [String]) {
        self.warnings = warnings
        let pool = health.pool.map { Pool(size: $0.size, idle: $0.idle, leased: $0.leased, waiting: $0.waiting) }
        database = Database(latencyMicroseconds: Int(health.latency / .microseconds(1)), pool: pool)
    }
}

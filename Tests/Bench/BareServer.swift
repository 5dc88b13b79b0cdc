import Foundation
import Hummingbird
import Logging

/// What the framework costs by itself: one route, the same bytes, nothing around it.
enum BareServer {
    static func run(port: Int, file: String) async throws {
        let bytes = ByteBuffer(bytes: try Data(contentsOf: URL(fileURLWithPath: file)))
        let router = Router()
        router.get("/v1/plans") { request, _ in
            guard request.headers[.ifNoneMatch] == nil else { return Response(status: .notModified) }
            return Response(
                status: .ok, headers: [.contentType: "application/json"], body: ResponseBody(byteBuffer: bytes))
        }
        var logger = Logger(label: "bare")
        logger.logLevel = .error
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)), logger: logger)
        try await application.runService()
    }
}

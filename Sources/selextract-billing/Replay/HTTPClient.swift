import Foundation
import FoundationNetworking

/// Posts bytes; keeps connections open.
struct HTTPClient: Sendable {
    struct Post: Sendable {
        var url: URL
        var body: [UInt8]
        var headers: [String: String]
    }

    enum Answer: Sendable {
        case status(Int, body: Data)
        /// No whole answer came.
        case failed(String)
    }

    private let session: URLSession

    init(connections: Int) {
        let configuration = URLSessionConfiguration.ephemeral
        configuration.httpMaximumConnectionsPerHost = connections
        configuration.timeoutIntervalForRequest = 30
        configuration.httpShouldSetCookies = false
        session = URLSession(configuration: configuration)
    }

    func send(_ post: Post) async -> Answer {
        var request = URLRequest(url: post.url)
        request.httpMethod = "POST"
        request.httpBody = Data(post.body)
        for (name, value) in post.headers { request.setValue(value, forHTTPHeaderField: name) }
        do {
            let (body, response) = try await session.data(for: request)
            guard let response = response as? HTTPURLResponse else { return .failed("no HTTP") }
            return .status(response.statusCode, body: body)
        } catch let error as URLError {
            switch error.code {
            case .timedOut: return .failed("timed out")
            case .cannotConnectToHost, .cannotFindHost, .dnsLookupFailed: return .failed("cannot connect")
            case .networkConnectionLost: return .failed("connection lost")
            default: return .failed("error \(error.code.rawValue)")
            }
        } catch {
            return .failed("error")
        }
    }

    func close() { session.finishTasksAndInvalidate() }
}

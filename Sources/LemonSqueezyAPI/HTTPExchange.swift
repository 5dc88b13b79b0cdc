import Foundation
import FoundationNetworking
import Synchronization

/// One request and its answer. Follows no redirect, which would carry the key to another address, and reads no more than
/// a limit.
struct HTTPExchange: Sendable {
    struct Answer: Sendable {
        var status: Int
        var body: [UInt8]
        var headers: [String: String]

        /// The value of a header, whose name is lower case.
        subscript(name: String) -> String? { headers[name] }
    }

    /// Bytes of an answer; a page of 100 objects has some 300 thousand.
    static let limit = 32 << 20

    private let session: URLSession
    private let collector: Collector

    init(timeout: Double) {
        let configuration = URLSessionConfiguration.ephemeral
        configuration.httpMaximumConnectionsPerHost = 1
        configuration.timeoutIntervalForRequest = timeout
        configuration.httpShouldSetCookies = false
        configuration.requestCachePolicy = .reloadIgnoringLocalCacheData
        collector = Collector()
        session = URLSession(configuration: configuration, delegate: collector, delegateQueue: nil)
    }

    func send(_ request: URLRequest) async throws -> Answer {
        let task = session.dataTask(with: request)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                collector.expect(task, continuation)
                task.resume()
            }
        } onCancel: {
            task.cancel()
        }
    }

    func close() { session.invalidateAndCancel() }
}

/// Gathers what comes of each task.
private final class Collector: NSObject, URLSessionDataDelegate {
    private struct Pending {
        var continuation: CheckedContinuation<HTTPExchange.Answer, any Error>
        var body: [UInt8] = []
    }

    private let pending = Mutex<[Int: Pending]>([:])

    func expect(_ task: URLSessionTask, _ continuation: CheckedContinuation<HTTPExchange.Answer, any Error>) {
        pending.withLock { $0[task.taskIdentifier] = Pending(continuation: continuation) }
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        let isTooLong = pending.withLock { pending in
            pending[dataTask.taskIdentifier]?.body.append(contentsOf: data)
            return (pending[dataTask.taskIdentifier]?.body.count ?? 0) > HTTPExchange.limit
        }
        if isTooLong { dataTask.cancel() }
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest, completionHandler: @escaping (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        guard let done = pending.withLock({ $0.removeValue(forKey: task.taskIdentifier) }) else { return }
        guard error == nil, let response = task.response as? HTTPURLResponse else {
            done.continuation.resume(throwing: error ?? URLError(.badServerResponse))
            return
        }
        var headers: [String: String] = [:]
        for (name, value) in response.allHeaderFields {
            guard let name = name as? String, let value = value as? String else { continue }
            headers[name.lowercased()] = value
        }
        done.continuation.resume(
            returning: HTTPExchange.Answer(status: response.statusCode, body: done.body, headers: headers))
    }
}

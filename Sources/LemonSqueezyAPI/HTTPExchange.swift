import Foundation
import FoundationNetworking
import Synchronization

/// One request and its answer. Follows no redirect, which would carry the key to another address, and keeps no more than
/// a limit.
///
/// A task of `URLSession` is never cancelled: on Linux, one that comes to its end at the same moment ends the process. Who
/// does not want its answer any more is told so at once, and the answer is dropped when it comes, or its time is over.
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
                if collector.expect(task, continuation) { task.resume() }
            }
        } onCancel: {
            collector.give(up: task, CancellationError())
        }
    }

    func close() { session.finishTasksAndInvalidate() }
}

/// Gathers what comes of each task.
private final class Collector: NSObject, URLSessionDataDelegate {
    private struct Pending {
        var continuation: CheckedContinuation<HTTPExchange.Answer, any Error>
        var body: [UInt8] = []
    }

    private let pending = Mutex<[Int: Pending]>([:])

    /// - Returns: whether the answer is wanted still.
    func expect(_ task: URLSessionTask, _ continuation: CheckedContinuation<HTTPExchange.Answer, any Error>) -> Bool {
        pending.withLock { $0[task.taskIdentifier] = Pending(continuation: continuation) }
        // Who was cancelled before found nobody here.
        if Task.isCancelled { give(up: task, CancellationError()) }
        return pending.withLock { $0[task.taskIdentifier] != nil }
    }

    func give(up task: URLSessionTask, _ error: any Error) {
        pending.withLock { $0.removeValue(forKey: task.taskIdentifier) }?.continuation.resume(throwing: error)
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        let isTooLong = pending.withLock { pending in
            pending[dataTask.taskIdentifier]?.body.append(contentsOf: data)
            return (pending[dataTask.taskIdentifier]?.body.count ?? 0) > HTTPExchange.limit
        }
        if isTooLong { give(up: dataTask, URLError(.dataLengthExceedsMaximum)) }
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

import Foundation
import FoundationNetworking

/// Posts in an order, a few at a time.
struct Replayer: Sendable {
    let posts: [HTTPClient.Post]
    let concurrency: Int

    func send(_ order: [Int]) async -> ReplayReport {
        let client = HTTPClient(connections: concurrency)
        defer { client.close() }
        var report = ReplayReport()
        var progress = ProgressBar(total: order.count)
        let start = ContinuousClock.now
        await withTaskGroup(of: HTTPClient.Answer.self) { group in
            var waiting = order[...]
            func sendNext() {
                guard let index = waiting.popFirst() else { return }
                group.addTask { [post = posts[index]] in await client.send(post) }
            }
            for _ in 0..<concurrency { sendNext() }
            while let answer = await group.next() {
                report.count(answer)
                progress.advance()
                sendNext()
            }
        }
        progress.finish()
        report.duration = ContinuousClock.now - start
        return report
    }
}

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

/// A bar on the standard error, if that is a terminal.
struct ProgressBar {
    private let total: Int
    private let isShown: Bool
    private var done = 0
    private var drawn = ContinuousClock.now

    init(total: Int, done: Int = 0) {
        self.total = total
        self.done = done
        isShown = isatty(STDERR_FILENO) == 1
    }

    mutating func advance() {
        done += 1
        let now = ContinuousClock.now
        guard isShown, now - drawn > .milliseconds(50) else { return }
        drawn = now
        let filled = min(done, total) * 40 / max(1, total)
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: 40 - filled)
        write("\r[\(bar)] \(done)/\(total)")
    }

    /// Leaves no trace of the bar.
    func finish() {
        if isShown { write("\r\u{1B}[K") }
    }

    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}

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

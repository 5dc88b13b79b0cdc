import Foundation

/// What a delivery takes when its subscription has a long history, beside the tenth: one connection, one after the other.
struct HistoryPoint {
    let stage: Stage

    func measure() throws {
        let database = try stage.populated("history")
        defer { database.drop() }
        let templates = try Templates(root: stage.bench.root)
        let service = try Service(bench: stage.bench, url: database.url)
        defer { service.stop() }
        try stage.server.settle()
        var (early, late): ([Double], [Double]) = ([], [])
        for number in 1...3 {
            let life = Life(number: number, months: 40, end: nil, changes: 8)
            guard let connection = HTTP(port: service.port) else { throw Failure("the service is gone") }
            for (index, event) in life.events.prefix(400).enumerated() {
                let request = Deliveries.request(templates.body(of: event))
                let start = Clock.now
                let reply = try connection.send(request)
                let time = (Clock.now - start) * 1000
                guard reply.status == 200 else { throw Failure("event \(index + 1) is answered with \(reply.status)") }
                if (5...15).contains(index + 1) { early.append(time) }
                if (390...400).contains(index + 1) { late.append(time) }
            }
        }
        let stored = try database.count("select count(*) from webhook_events")
        guard stored == 1200 else { throw Failure("1200 events were sent, and \(stored) are stored") }
        stage.bench.table.add(
            "400th event of a subscription", late.median.short + " ms", peer: "its 10th: \(early.median.short) ms",
            ratio: late.median / early.median,
            remarks: "medians of events 390–400 and 5–15 of 3 subscriptions; 40 months of a payment and 9 changes each")
    }
}

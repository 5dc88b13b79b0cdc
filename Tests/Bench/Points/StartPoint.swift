import Foundation

/// From the start of the process to the first 200 of `/readyz`, on a schema that is up to date; memory at rest.
struct StartPoint {
    let stage: Stage

    func measure() throws {
        let database = try stage.empty("start")
        defer { database.drop() }
        var times: [Double] = []
        var memory: [Double] = []
        for _ in 0..<5 {
            let service = try Service(bench: stage.bench, url: database.url)
            defer { service.stop() }
            times.append(service.startup * 1000)
            usleep(1_500_000)
            memory.append(Usage.memory(of: service.process.pid).now)
        }
        stage.bench.table.add(
            "start until /readyz is 200", times.median.short + " ms",
            remarks: "median of 5: " + times.map(\.short).joined(separator: ", "))
        stage.bench.table.add("memory at rest", memory.median.short + " MB", remarks: "median of 5")
    }
}

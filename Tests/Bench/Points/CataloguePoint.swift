import Foundation

/// The catalogue beside the framework alone and beside nginx, both serving the same bytes: 200, and 304 to who has them.
struct CataloguePoint {
    let stage: Stage
    private static let path = "/v1/plans"

    private struct Place {
        var name: String
        var port: Int
        var pid: pid_t
        var tag: String?
    }

    func measure() throws {
        let bench = stage.bench
        let database = try stage.empty("catalogue")
        defer { database.drop() }
        let service = try Service(bench: bench, url: database.url)
        defer { service.stop() }
        guard let reply = HTTP.get(Self.path, port: service.port), reply.status == 200 else {
            throw Failure("there is no catalogue")
        }
        let folder = bench.place("site")
        try FileManager.default.createDirectory(atPath: folder + "/v1", withIntermediateDirectories: true)
        let file = folder + Self.path
        try Data(reply.body).write(to: URL(fileURLWithPath: file))
        let (barePort, nginxPort) = (HTTP.freePort(), HTTP.freePort())
        let bare = try Child([CommandLine.arguments[0], "bare", "\(barePort)", file], folder: bench.root)
        defer { bare.stop() }
        let nginx = try startNginx(folder, port: nginxPort)
        defer { nginx.stop() }
        let places = try [
            Place(name: "service", port: service.port, pid: service.process.pid),
            Place(name: "bare Hummingbird", port: barePort, pid: bare.pid),
            Place(name: "nginx", port: nginxPort, pid: nginx.pid),
        ].map { try ready($0, reply.body) }

        for isKnown in [false, true] {
            let loads = try rounds(places, isKnown: isKnown)
            let what = "catalogue, " + (isKnown ? "304" : "200 of \(reply.body.count) bytes")
            for index in [1, 2] { bench.table.add(what, loads[0], beside: places[index].name, loads[index]) }
            for index in [1, 2] {
                bench.table.add("\(places[index].name), the same", loads[index].rateText, load: loads[index])
            }
        }
        bench.table.notes.append("Catalogue: wrk -t1 -c64, medians of three rounds in turn.")
    }

    /// In turn, so that whatever else the machine does strikes all alike.
    private func rounds(_ places: [Place], isKnown: Bool) throws -> [Load] {
        let seconds = stage.bench.scale < 0.1 ? 1 : 3
        var loads: [[Load]] = places.map { _ in [] }
        for _ in 0..<3 {
            for (index, place) in places.enumerated() {
                let headers = isKnown ? ["If-None-Match: \(place.tag ?? "\"any\"")"] : []
                var load = try stage.wrk.get(
                    Self.path, port: place.port, pid: place.pid, seconds: seconds, headers: headers)
                load.databaseCPU = nil
                loads[index].append(load)
            }
        }
        return loads.map { $0.sorted { $0.rate < $1.rate }[1] }
    }

    private func ready(_ place: Place, _ body: [UInt8]) throws -> Place {
        var place = place
        let deadline = Clock.now + 20
        while Clock.now < deadline {
            if let reply = HTTP.get(Self.path, port: place.port) {
                guard reply.status == 200, reply.body == body else {
                    throw Failure("\(place.name) serves something else")
                }
                place.tag = reply.header("etag")
                return place
            }
            usleep(10_000)
        }
        throw Failure("\(place.name) does not start")
    }

    private func startNginx(_ folder: String, port: Int) throws -> Child {
        let text = try String(contentsOfFile: stage.bench.file("nginx.conf"), encoding: .utf8)
            .replacing("FOLDER", with: folder).replacing("USER", with: NSUserName()).replacing("PORT", with: "\(port)")
        try text.write(toFile: folder + "/nginx.conf", atomically: false, encoding: .utf8)
        let program = ["/usr/sbin/nginx", "/usr/local/sbin/nginx"].first {
            FileManager.default.isExecutableFile(atPath: $0)
        }
        return try Child(
            [program ?? "nginx", "-p", folder, "-c", folder + "/nginx.conf", "-e", "stderr"], folder: folder,
            errors: folder + "/errors")
    }
}

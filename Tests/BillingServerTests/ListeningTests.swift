import BillingServer
import Foundation
import NIOCore
import NIOPosix
import ServiceSettings
import Synchronization
import TestSupport
import Testing

@Suite("Ports that are checked", .timeLimit(.minutes(5))) struct ListeningTests {
    @Test("Who connects while a port is checked is not left without an answer or an end")
    func connecting() async throws {
        // An address of its own: others listen at 127.0.0.1, and may be given the port once it is free. And it is not
        // the clients' own address: a connection to its own port would be one with itself, and keep it.
        let host = "127.13.17.19"
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: host, port: 0).get()
        let port = try #require(listener.localAddress?.port)
        try await listener.close()
        var settings = try testSettings()
        (settings.host, settings.port, settings.adminPort) = (host, port, nil)
        let isDone = Flag()
        try await withThrowingTaskGroup { group in
            for _ in 0..<4 {
                group.addTask {
                    // Without cancellation, which would end those that wait.
                    while !isDone.value.load(ordering: .relaxed) {
                        _ = try? await HTTPClient(host: host, port: port).send("GET", "/")
                    }
                }
            }
            defer { isDone.value.store(true, ordering: .relaxed) }
            for _ in 0..<200 { try await checkPorts(settings) }
        }
    }
}

private final class Flag: Sendable {
    let value = Atomic(false)
}

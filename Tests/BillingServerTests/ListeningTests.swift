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
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(listener.localAddress?.port)
        try await listener.close()
        var settings = try testSettings()
        (settings.port, settings.adminPort) = (port, nil)
        let isDone = Flag()
        try await withThrowingTaskGroup { group in
            for _ in 0..<4 {
                group.addTask {
                    // Without cancellation, which would end those that wait.
                    while !isDone.value.load(ordering: .relaxed) {
                        _ = try? await HTTPClient(port: port).send("GET", "/")
                    }
                }
            }
            for _ in 0..<200 { try await checkPorts(settings) }
            isDone.value.store(true, ordering: .relaxed)
            try await group.waitForAll()
        }
    }
}

private final class Flag: Sendable {
    let value = Atomic(false)
}

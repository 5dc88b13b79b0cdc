import ServiceLifecycle
import Storage

/// Closes the store when everything that uses it has ended.
struct StoreClosing: Service {
    let store: any Store

    func run() async throws {
        try? await gracefulShutdown()
        await store.close()
    }
}

import ServiceSettings
import Foundation
import Storage

/// What a command opens a database for.
enum StoreUse {
    /// To work with it: its schema has to be up to date.
    case work
    /// To look at it, whatever it is like.
    case inspect
    /// To make it what it should be.
    case create
}

/// Opens the database of the settings, lends it, and closes it again.
///
/// - Parameters:
///   - now: takes the place of the database's clock.
func withStore<Result: Sendable>(
    _ given: Settings? = nil, now: Date? = nil, use: StoreUse = .work,
    _ body: (any Store, Settings) async throws -> Result
) async throws -> Result {
    let settings = try given ?? Settings.load()
    // On the standard error, so that tables stay clean.
    var configuration = settings.databaseConfiguration(logger: settings.logger())
    if let now { configuration.clock = { now } }
    configuration.createsFile = use == .create
    let store = try configuration.open()
    do {
        if use == .work { try await store.check() }
        let result = try await body(store, settings)
        await store.close()
        return result
    } catch {
        await store.close()
        throw error
    }
}

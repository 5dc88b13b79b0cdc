import BillingServer
import Foundation
import Storage

/// Opens the database of the settings, lends it, and closes it again.
///
/// - Parameters:
///   - now: takes the place of the database's clock.
///   - checked: whether the schema has to be up to date.
func withStore<Result: Sendable>(
    _ given: Settings? = nil, now: Date? = nil, checked: Bool = true,
    _ body: (any Store, Settings) async throws -> Result
) async throws -> Result {
    let settings = try given ?? Settings.load()
    // On the standard error, so that tables stay clean.
    var configuration = settings.databaseConfiguration(logger: settings.logger())
    if let now { configuration.clock = { now } }
    let store = try configuration.open()
    do {
        if checked { try await store.check() }
        let result = try await body(store, settings)
        await store.close()
        return result
    } catch {
        await store.close()
        throw error
    }
}

import Accounts
import Billing
import Databases
import Foundation
import ServiceSettings
import Storage

/// What a command opens a database for.
enum StoreUse {
    /// To work with it: its schema has to be up to date.
    case work
    /// To change what accounts have: as `work`, and it is printed if the policy in the database is not the program's.
    case decide
    /// To look at it, whatever it is like.
    case inspect
    /// To make it what it should be.
    case create
}

/// Opens the database of the settings, lends it, and closes it again.
///
/// - Parameters:
///   - given: nil: they are loaded.
///   - now: takes the place of the database's clock.
///   - use: decides what is asked of the schema.
///   - body: works with the store, which it must not keep.
/// - Returns: what `body` returns.
/// - Throws: `SettingsError`, what the store throws, and what `body` throws.
func withStore<Result: Sendable>(
    _ given: Settings? = nil, now: Date? = nil, use: StoreUse = .work,
    _ body: (Store, Settings) async throws -> Result
) async throws -> Result {
    let settings = try given ?? Settings.load()
    // On the standard error, so that tables stay clean.
    var configuration = settings.databaseConfiguration(logger: settings.logger())
    if let now { configuration.clock = { now } }
    configuration.createsFile = use == .create
    let store = try configuration.open()
    do {
        if use == .work || use == .decide { try await store.check() }
        if use == .decide { try await sayDifferences(settings, store) }
        let result = try await body(store, settings)
        await store.close()
        return result
    } catch {
        await store.close()
        throw error
    }
}

/// Says that the policy in the database is used, if the program's settings differ: an operator's shell may hold others than
/// the service (R17).
private func sayDifferences(_ settings: Settings, _ store: Store) async throws {
    guard let stored = try await store.settings() else { return }
    let differences = settings.policy.differences(from: stored.policy)
    guard !differences.isEmpty else { return }
    let texts = differences.map { "\($0.name) is \($0.own) here and \($0.other) there" }
    let note = """
        The settings of \(stored.changedBy), written at \(stored.changedAt.formatted(.iso8601)), are used: \
        \(texts.joined(separator: "; ")).

        """
    FileHandle.standardError.write(Data(note.utf8))
}

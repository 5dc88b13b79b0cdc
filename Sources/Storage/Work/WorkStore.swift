public import Foundation
public import Selextract

/// What a store knows of tasks, usage and API keys. All but keys is asked for by account: another account's rows are as
/// if they did not exist.
public protocol WorkStore: Sendable {
    // MARK: Accounts

    /// An account with all that its pages show, in one round trip; the day is UTC's, the moment the database's.
    func overview(user: UUID) async throws -> AccountOverview?

    // MARK: Tasks

    func task(_ id: UUID, of user: UUID) async throws -> ScrapingTask?
    /// Writes logs, many a statement. Those that are stored already, or whose task the account does not have (any more),
    /// are left out.
    ///
    /// - Returns: how many were written.
    @discardableResult
    func add(_ logs: [TaskLog], of user: UUID) async throws -> Int

    // MARK: Usage

    /// Adds to what is stored, many a statement. That of accounts which do not exist (any more) is left out.
    func add(_ usage: [UsageAddition]) async throws

    // MARK: API keys

    /// Stores the hash of a key's text.
    ///
    /// - Throws: `StoreError.notFound` if there is no such account.
    func createKey(_ text: APIKeyText, for user: UUID, name: String, description: String?) async throws -> APIKey
    /// Newest first; of one account or of all.
    func keys(user: UUID?, limit: Int, before: Cursor?) async throws -> [APIKey]
    /// The key opens nothing from now on, in any process. Revoking it again changes nothing.
    ///
    /// - Parameter user: whose it has to be; nil: anybody's, for operators.
    /// - Throws: `StoreError.notFound`.
    func revokeKey(_ id: UUID, of user: UUID?) async throws -> APIKey
    /// Whose key has this hash, read from the primary by index; nil if there is none, it is revoked, or its account is
    /// inactive. `last_used_at` is written at most once a minute.
    func keyHolder(hash: String) async throws -> KeyHolder?
}

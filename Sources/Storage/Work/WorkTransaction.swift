public import Foundation
public import Selextract

/// What operations on tasks ask of a database, inside one transaction.
///
/// Locks are taken in the fold's order: first the account, by ``Fold``, then its tasks.
public protocol WorkTransaction: Sendable {
    /// What decides about a further task; to be read when the account is locked and up to date.
    func workload(of user: UUID) async throws -> Workload?
    /// Locks the task's row until the transaction ends; nil if the account has no such task.
    func lockTask(_ id: UUID, of user: UUID) async throws -> ScrapingTask?
    /// - Returns: the row as it is stored.
    /// - Throws: `StoreError.conflict` if the id is taken.
    func insert(_ task: ScrapingTask) async throws -> ScrapingTask
    /// Writes what a transition can change: status, times, units, progress, message, path.
    ///
    /// - Returns: the row as it is stored.
    func save(_ task: ScrapingTask) async throws -> ScrapingTask
    /// Locks the subscription's row until the transaction ends; nil if the account has no such subscription.
    func lockSubscription(_ id: UUID, of user: UUID) async throws -> UserSubscription?
    /// For one that is not the provider's.
    ///
    /// - Returns: the row as it is stored.
    func insert(_ subscription: UserSubscription) async throws -> UserSubscription
    /// Writes what cancelling and renewing can change.
    ///
    /// - Returns: the row as it is stored.
    func save(_ subscription: UserSubscription) async throws -> UserSubscription
    /// Deletes an account with all that is its; its events wait from now on (R3).
    ///
    /// - Returns: whether there was one.
    func deleteUser(_ id: UUID) async throws -> Bool
    /// As ``WorkStore/add(_:of:)``.
    @discardableResult
    func add(_ logs: [TaskLog], of user: UUID) async throws -> Int
    /// As ``WorkStore/add(_:)``.
    func add(_ usage: [UsageAddition]) async throws
}

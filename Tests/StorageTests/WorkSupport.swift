import Accounts
import Billing
import Foundation
import Selextract
import Storage
import TestSupport

extension TaskConfiguration {
    static let sample = TaskConfiguration(
        targetURL: "https://example.com/offers", containerSelector: ".offer",
        fields: [Field(name: "price", type: .number, selector: ".price")])
}

extension NewTask {
    static func named(_ name: String, id: UUID = UUID()) -> NewTask {
        NewTask(id: id, name: name, configuration: .sample)
    }
}

extension Store {
    /// A task that was created and started.
    func runningTask(of user: UUID, id: UUID = UUID()) async throws -> ScrapingTask {
        let task = try await createTask(.named("offers", id: id), for: user, policy: BillingPolicy())
        return try await startTask(task.id, of: user)
    }

    func today(of user: UUID) async throws -> UsageAnalytics? { try await overview(user: user)?.usage }

    /// Everything that work leaves, to see that something left nothing.
    func workRows(of user: UUID) async throws -> WorkRows {
        WorkRows(
            user: try await self.user(id: user),
            tasks: try await primary.tasks(of: user, logs: 100, limit: 1000, before: nil).rows,
            usage: try await primary.usage(of: user, from: .epoch, through: .farOff).rows,
            ledger: try await ledger(user: user).rows)
    }
}

struct WorkRows: Hashable {
    var user: User?
    var tasks: [LoggedTask]
    var usage: [UsageAnalytics]
    var ledger: [LedgerRecord]

    var unitsCharged: Int { -ledger.filter { $0.entry.kind == .consume }.reduce(0) { $0 + $1.entry.units } }
    var ledgerSum: Int { ledger.reduce(0) { $0 + $1.entry.units } }
    var usageSum: Int { usage.reduce(0) { $0 + $1.computeUnitsUsed } }
}

extension UsageDay {
    static let epoch = UsageDay(containing: Date(timeIntervalSince1970: 0))
    static let farOff = UsageDay(containing: .distantFuture)
}

/// The error of a type that `body` throws.
func thrown<Failure: Error>(_ type: Failure.Type, _ body: () async throws -> Void) async -> Failure? {
    do {
        try await body()
        return nil
    } catch {
        return error as? Failure
    }
}

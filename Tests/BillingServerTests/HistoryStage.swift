import Accounts
import Billing
import Foundation
import LemonSqueezy
import Payloads
import Selextract
import Storage
import TestSupport
import Testing

/// An account and a subscription whose history a test writes delivery by delivery, over HTTP, with a clock that it moves.
struct HistoryStage: Sendable {
    static let user = UUID(uuidString: "11111111-1111-4111-8111-111111111111").unsafelyUnwrapped

    let server: RunningServer
    let database: TestDatabase
    let clock: TestClock

    var store: Store { server.store }

    /// A stage on a database of its own. `settings` are added to those that every test server has, by the names of the
    /// environment.
    static func with(
        _ kind: DatabaseKind, _ settings: [String: String] = [:], _ body: (HistoryStage) async throws -> Void
    ) async throws {
        let clock = TestClock(.utc("2026-10-01 00:00:00"))
        try await kind.withDatabase { database in
            let store = try database.open(clock: clock)
            try await withServer(store, settings) { server in
                _ = try await store.createUser(email: "ada@example.com", id: user)
                try await body(HistoryStage(server: server, database: database, clock: clock))
            }
        }
    }

    /// A subscription to starter, bought at a moment.
    func subscription(_ created: String, renewsAt: String, variant: String = "101") -> ProviderSubscription {
        var subscription = ProviderSubscription(
            userID: Self.user, createdAt: .utc(created), renewsAt: .utc(renewsAt))
        (subscription.id, subscription.variantID) = ("9001", variant)
        return subscription
    }

    /// Posts a delivery at its own moment, or at another; it must be answered with 200.
    ///
    /// - Returns: what the answer says became of it.
    @discardableResult
    func post(_ body: [UInt8], at moment: String? = nil) async throws -> String? {
        if let moment {
            clock.set(.utc(moment))
        } else if let own = try WebhookEvent(body: body).moment, own > clock.now {
            clock.set(own)
        }
        let reply = try await server.deliver(body)
        #expect(reply.status == 200)
        return reply.member("status")
    }

    /// What another program does, in SQL.
    func leave(_ units: Int, at moment: String) async throws {
        clock.set(.utc(moment))
        try await database.execute("update users set compute_units_remaining = \(units)")
    }

    func tick(at moment: String) async throws {
        clock.set(.utc(moment))
        let report = try await Tick(store, policy: BillingPolicy()).run()
        #expect(report.failures == 0)
    }

    /// Tier, units and reset date, as the row shows them once the clock has run; the view said the same before it did, the
    /// ledger adds up to it, and a rebuild finds nothing to do. `afterClock` is for what only the clock brings: a change of
    /// settings, an event whose hour has come.
    func shown(at moment: String, of user: UUID = user, afterClock: Bool = false) async throws -> String {
        clock.set(.utc(moment))
        if afterClock { try await tick(at: moment) }
        let view = try #require(try await store.entitlement(user: user))
        try await tick(at: moment)
        let row = try #require(try await store.user(id: user))
        let ledger = try await store.ledger(user: user)
        #expect(ledger.reduce(0) { $0 + $1.entry.units } == row.computeUnitsRemaining)
        let said = "\(view.planID) \(view.computeUnitsRemaining) \(view.computeUnitsResetDate.formatted(.iso8601))"
        let shown =
            "\(row.subscriptionTier) \(row.computeUnitsRemaining) \(row.computeUnitsResetDate.formatted(.iso8601))"
        #expect(said == shown)
        let report = try await Rebuild(store, policy: BillingPolicy()).run(check: true)
        #expect(report.differences.isEmpty, "\(report.differences)")
        return shown
    }

    /// What became of the events, newest first: outcome and reason.
    func outcomes() async throws -> [String] {
        try await server.events().map { $0.outcome.rawValue + ($0.reason.map { " \($0)" } ?? "") }
    }
}

extension WebhookEvent {
    /// The provider's `updated_at`.
    var moment: Date? {
        switch object {
        case .subscription(let snapshot): snapshot.updatedAt
        case .invoice(let invoice): invoice.updatedAt
        case .order(let order): order.updatedAt
        case .other, .undecodable: nil
        }
    }
}

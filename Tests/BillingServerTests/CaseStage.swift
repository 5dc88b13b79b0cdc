import Accounts
import Billing
import BillingServer
import Foundation
import LemonSqueezy
import Payloads
import Selextract
import Storage
import TestSupport
import Testing

/// A scenario's deliveries, posted to a server whose clock the test moves.
struct CaseStage: Sendable {
    let server: RunningServer
    let clock: TestClock
    let user: UUID
    private let bodies: [[UInt8]]

    /// A server on a database of its own, and the account of the scenario, made on 1 October.
    static func with(
        _ kind: DatabaseKind, _ scenario: String, hasAccount: Bool = true,
        _ body: (CaseStage) async throws -> Void
    ) async throws {
        let bodies = try Fixtures.scenario(scenario).map(\.body)
        let ids = try bodies.compactMap { try WebhookEvent(body: $0).customUserID }
        let user = try #require(ids.first.flatMap(UUID.init(uuidString:)))
        let clock = TestClock(.utc("2026-10-01 00:00:00"))
        try await kind.withDatabase { database in
            let store = try database.open(clock: clock)
            try await withServer(store) { server in
                try await store.mapVariant("111", to: "starter")
                if hasAccount { _ = try await store.createUser(email: "ada@example.com", id: user) }
                try await body(CaseStage(server: server, clock: clock, user: user, bodies: bodies))
            }
        }
    }

    /// Posts deliveries by the numbers of their files, at their own moments; each must be answered with 200.
    func post(_ numbers: Int...) async throws {
        for number in numbers {
            let body = bodies[number - 1]
            if let moment = try WebhookEvent(body: body).moment, moment > clock.now { clock.set(moment) }
            #expect(try await server.deliver(body).status == 200)
        }
    }

    /// Posts the same event in other bytes, as a resend by hand may have.
    func resend(_ number: Int) async throws {
        var text = String(decoding: bodies[number - 1], as: UTF8.self)
        text.insert(" ", at: text.index(before: text.endIndex))
        #expect(try await server.deliver(Array(text.utf8)).status == 200)
    }

    func consume(_ units: Int, at moment: String) async throws {
        clock.set(.utc(moment))
        let request = UnitRequest(userID: user, kind: .consume(task: UUID(), inFull: true), units: units)
        _ = try await server.store.transaction { try await Fold($0, policy: BillingPolicy()).grant(request) }
    }

    func tick(at moment: String) async throws {
        clock.set(.utc(moment))
        _ = try await Tick(server.store, policy: BillingPolicy()).run()
    }

    /// Tier, units and reset date at a moment: as the view says them without the clock having run, and as the row shows
    /// them after it has. The ledger must add up to it.
    func shown(at moment: String) async throws -> String {
        clock.set(.utc(moment))
        let view = try #require(try await server.store.entitlement(user: user))
        try await tick(at: moment)
        let row = try #require(try await server.store.user(id: user))
        let ledger = try await server.store.ledger(user: user)
        #expect(ledger.reduce(0) { $0 + $1.entry.units } == row.computeUnitsRemaining)
        let said = "\(view.planID) \(view.computeUnitsRemaining) \(view.computeUnitsResetDate.formatted(.iso8601))"
        let shown =
            "\(row.subscriptionTier) \(row.computeUnitsRemaining) \(row.computeUnitsResetDate.formatted(.iso8601))"
        #expect(said == shown)
        return shown
    }

    /// Outcome and reason of each stored event about a subscription, each once.
    func outcomes() async throws -> Set<String> {
        Set(
            try await server.events().filter { $0.subscriptionID != nil }
                .map { $0.outcome.rawValue + ($0.reason.map { " \($0)" } ?? "") })
    }

    func buckets() async throws -> [Bucket] {
        try await server.store.buckets(user: user).filter { $0.line != .free }
    }
}

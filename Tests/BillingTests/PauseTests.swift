import Billing
import Foundation
import LemonSqueezy
import Payloads
import Testing

/// R9 and R12: pauses, with and without access.
@Suite("Pauses")
struct PauseTests {
    private static let first = "2026-10-12T09:30:04Z"
    private static let second = "2026-11-12T09:30:04Z"
    private static let third = "2026-12-12T09:30:04Z"

    /// A purchase, paid until `renewsAt`, that is paused on 1 November.
    private func paused(
        _ mode: String?, renewsAt: String, resumesAt: String? = nil
    ) -> (Case, ProviderSubscription) {
        var (account, subscription) = Case.created(renewsAt: renewsAt)
        (subscription.status, subscription.pauseMode) = ("paused", mode)
        subscription.resumesAt = resumesAt.map(Date.utc)
        account.bodies.append(subscription.event("subscription_paused", at: .utc("2026-11-01 00:00:00")))
        (subscription.status, subscription.pauseMode, subscription.resumesAt) = ("active", nil, nil)
        return (account, subscription)
    }

    @Test("In mode free it keeps access, and the months that begin in it are free of charge")
    func free() throws {
        let (account, _) = paused("free", renewsAt: "2026-11-12 09:30:01")
        #expect(try account.shown(at: "2026-11-02 00:00:00") == "starter 1000 2026-11-12T09:30:04Z")
        #expect(try account.shown(at: "2026-12-20 00:00:00") == "starter 1000 2027-01-12T09:30:04Z")
    }

    @Test("Without a mode it is as in mode void, and stored so", arguments: ["void", nil])
    func noMode(mode: String?) throws {
        let (account, _) = paused(mode, renewsAt: "2026-11-12 09:30:01")
        let state = try account.state(at: "2026-11-02 00:00:00")
        #expect(state.tier == "free")
        #expect(state.subscriptions[0].pause?.mode == "void")
    }

    @Test("It ends at the second of resumes_at; months that begin in it are free of charge only until then")
    func resumesByItself() throws {
        let (void, _) = paused("void", renewsAt: "2027-10-12 09:30:01", resumesAt: "2026-12-01 00:00:00")
        #expect(try void.shown(at: "2026-11-30 23:59:59") == "free 100 2026-12-01T00:00:00Z")
        #expect(try void.shown(at: "2026-12-01 00:00:00") == "starter 1000 2026-12-12T09:30:04Z")
        #expect(
            try void.bucket("2026-11-12 09:30:04", at: "2026-12-02 00:00:00")?.unlockedAt == .utc("2026-12-01 00:00:00")
        )
        #expect(try void.state(at: "2026-11-20 00:00:00").nextChange == .utc("2026-12-01 00:00:00"))

        let (free, _) = paused("free", renewsAt: "2026-11-12 09:30:01", resumesAt: "2026-12-01 00:00:00")
        #expect(try free.begins(at: "2027-02-01 00:00:00") == [Self.first, Self.second])
    }

    @Test("One has to look when it ends, though no month is unlocked by that")
    func nextChange() throws {
        let (account, _) = paused("void", renewsAt: "2026-11-12 09:30:01", resumesAt: "2026-11-05 12:00:00")
        #expect(try account.state(at: "2026-11-02 00:00:00").nextChange == .utc("2026-11-05 12:00:00"))
    }

    @Test("A month that began in a pause without access is given back if it was paid before, else not")
    func voidMonth() throws {
        for (renewsAt, months) in [
            ("2026-11-12 09:30:01", [Self.first]), ("2027-10-12 09:30:01", [Self.first, Self.second]),
        ] {
            var (account, subscription) = paused("void", renewsAt: renewsAt)
            #expect(try account.begins(at: "2026-11-20 00:00:00").contains(Self.second) == false)
            subscription.renewsAt = .utc("2026-12-12 09:30:01")
            account.bodies.append(subscription.event("subscription_unpaused", at: .utc("2026-12-01 00:00:00")))
            #expect(try account.begins(at: "2026-12-02 00:00:00") == months)
            account.bodies.append(subscription.invoice(id: 2, createdAt: .utc("2026-11-12 09:30:20")))
            #expect(try account.begins(at: "2026-12-02 00:00:00") == [Self.first, Self.second])
        }
    }

    @Test("On trial after it was active, months that begin before its end are free of charge")
    func bridge() throws {
        var (account, subscription) = Case.created()
        (subscription.status, subscription.trialEndsAt) = ("on_trial", .utc("2026-11-20 00:00:00"))
        let bridge = subscription.event("subscription_updated", at: .utc("2026-11-05 00:00:00"))
        account.bodies.append(bridge)
        #expect(try account.begins(at: "2026-11-13 00:00:00") == [Self.first, Self.second])
        #expect(try account.begins(at: "2026-12-13 00:00:00") == [Self.first, Self.second])

        (subscription.status, subscription.trialEndsAt) = ("past_due", nil)
        account.bodies = [subscription.event("subscription_updated", at: subscription.createdAt), bridge]
        #expect(try account.begins(at: "2026-11-13 00:00:00") == [])
    }

    @Test("That a pause without access is over pays for no month after it")
    func resumed() throws {
        var (account, subscription) = paused("void", renewsAt: "2026-11-12 09:30:01")
        subscription.renewsAt = .utc("2026-12-20 00:00:00")
        account.bodies.append(subscription.event("subscription_unpaused", at: .utc("2026-11-20 00:00:00")))
        #expect(try account.begins(at: "2026-12-13 00:00:00") == [Self.first])
        account.bodies.append(subscription.invoice(id: 2, createdAt: .utc("2026-12-20 00:00:05")))
        #expect(try account.begins(at: "2026-12-21 00:00:00") == [Self.first, "2026-12-20T00:00:00Z"])
    }

    @Test("After it a payment, or a later renewal, lets snapshots speak again")
    func speaksAgain() throws {
        for isPaid in [true, false] {
            var (account, subscription) = paused("void", renewsAt: "2026-11-12 09:30:01")
            subscription.renewsAt = .utc("2027-11-20 00:00:00")
            let resumed = subscription.event("subscription_unpaused", at: .utc("2026-11-20 00:00:05"))
            if isPaid { account.bodies.append(subscription.invoice(id: 2, createdAt: .utc("2026-11-20 00:00:00"))) }
            account.bodies.append(resumed)
            let begins = try account.begins(at: "2026-12-21 00:00:00")
            #expect(begins.contains("2026-12-20T00:00:00Z") == isPaid)
            subscription.renewsAt = .utc("2027-12-20 00:00:00")
            account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-12-20 00:00:05")))
            let after = try account.begins(at: "2026-12-21 00:00:00")
            #expect(after.contains("2026-12-20T00:00:00Z"))
            // The month that began in the pause was not paid.
            #expect(!after.contains(Self.second))
        }
    }

    @Test("One pause that is told of twice began with the first")
    func toldTwice() throws {
        var (account, subscription) = paused("void", renewsAt: "2027-10-12 09:30:01")
        (subscription.status, subscription.pauseMode) = ("paused", "void")
        account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-11-02 00:00:00")))
        (subscription.status, subscription.pauseMode) = ("active", nil)
        account.bodies.append(subscription.event("subscription_unpaused", at: .utc("2026-12-01 00:00:00")))
        #expect(try Array(account.begins(at: "2026-12-02 00:00:00").prefix(2)) == [Self.first, Self.second])
    }
}

import Billing
import Foundation
import Payloads
import Testing

/// R11: where months start when there was a trial, or a past that nobody saw.
@Suite("Where months start")
struct MonthStartTests {
    private static let purchase = "2026-10-12T09:30:04Z"

    // MARK: Trials

    @Test("A trial is cut short only by a renewal that lies a day or more from its end")
    func aDayFromTheEnd() throws {
        for (renewsAt, begins) in [
            ("2026-10-27 09:30:01", [Self.purchase, "2026-10-15T09:30:06Z"]), ("2026-10-27 09:30:00", [Self.purchase]),
            ("2026-10-25 09:30:02", [Self.purchase]),
        ] {
            var (account, subscription) = Case.trial(until: "2026-10-26 09:30:01")
            (subscription.status, subscription.trialEndsAt) = ("active", nil)
            subscription.renewsAt = .utc(renewsAt)
            account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-10-15 09:30:06")))
            #expect(try account.begins(at: "2026-10-16 00:00:00") == begins)
        }
    }

    @Test(
        "The end that the snapshot itself names counts only if it lies between the purchase and the snapshot",
        arguments: [
            ("2026-10-14 09:30:00", "2026-11-14T09:30:00Z"), ("2026-10-26 09:30:01", "2026-11-15T09:30:06Z"),
            ("2026-10-12 09:30:04", "2026-11-15T09:30:06Z"), ("2026-10-01 00:00:00", "2026-11-15T09:30:06Z"),
        ])
    func ownEnd(trialEndsAt: String, reset: String) throws {
        var (account, subscription) = Case.trial(until: "2026-10-26 09:30:01")
        (subscription.status, subscription.trialEndsAt) = ("active", .utc(trialEndsAt))
        subscription.renewsAt = .utc("2026-11-15 09:30:00")
        account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-10-15 09:30:06")))
        #expect(try account.shown(at: "2026-10-16 00:00:00") == "starter 1000 \(reset)")
    }

    @Test("What is on trial again after it was active makes no trial longer")
    func onTrialAgain() throws {
        var (account, subscription) = Case.trial(until: "2026-10-26 09:30:01")
        subscription.status = "active"
        account.bodies.append(subscription.event("subscription_resumed", at: .utc("2026-10-15 00:00:00")))
        (subscription.status, subscription.trialEndsAt) = ("on_trial", .utc("2026-10-30 00:00:00"))
        account.bodies.append(subscription.event("subscription_updated", at: .utc("2026-10-17 00:00:00")))
        #expect(try account.shown(at: "2026-10-18 00:00:00") == "starter 1000 2026-10-26T09:30:01Z")
    }

    @Test("A trial that nobody saw is over when the first snapshot is made, and began before it ended")
    func unseenTrial() throws {
        var (account, subscription) = Case.created(renewsAt: nil)
        subscription.trialEndsAt = .utc("2026-10-11 00:00:00")
        account.bodies = [subscription.event("subscription_updated")]
        #expect(try account.begins(at: "2026-10-16 00:00:00") == [Self.purchase])

        (subscription.status, subscription.endsAt) = ("cancelled", .utc("2026-10-26 09:30:01"))
        subscription.trialEndsAt = subscription.endsAt
        account.bodies = [subscription.event("subscription_cancelled", at: .utc("2026-10-15 00:00:00"))]
        #expect(try account.begins(at: "2026-10-16 00:00:00") == [Self.purchase])
    }

    @Test("A trial that nobody saw gives nothing, but was the account's first")
    func unseenTrialIsFirst() throws {
        var (account, subscription) = Case.created(at: "2026-11-01 10:00:00", renewsAt: "2026-12-04 10:00:00")
        subscription.trialEndsAt = .utc("2026-11-04 10:00:00")
        account.bodies = [subscription.event("subscription_updated", at: .utc("2026-11-04 10:00:14"))]
        #expect(try account.begins(at: "2026-11-10 00:00:00") == ["2026-11-04T10:00:00Z"])
        var second = ProviderSubscription(
            userID: Case.user, createdAt: .utc("2026-11-10 00:00:00"), renewsAt: .utc("2026-11-17 00:00:00"))
        (second.id, second.status, second.trialEndsAt) = ("910002", "on_trial", second.renewsAt)
        account.bodies.append(second.event("subscription_created"))
        #expect(try account.begins(of: "910002", at: "2026-11-11 00:00:00") == [])
    }

    // MARK: A past that was not seen

    /// The begins of a starter bought long ago, of which one snapshot is known.
    private func begins(
        createdAt: String = "2026-03-12 09:30:04", firstSeen: String, renewsAt: String, anchor: Int? = nil
    ) throws -> [String] {
        var (account, subscription) = Case.created(at: createdAt, renewsAt: renewsAt)
        subscription.billingAnchor = anchor
        account.bodies = [subscription.event("subscription_updated", at: .utc(firstSeen))]
        return try account.begins(at: firstSeen)
    }

    @Test("Months run from the latest begin before the first snapshot that leads to its renewal")
    func unseenPast() throws {
        #expect(
            try begins(firstSeen: "2026-10-20 10:00:05", renewsAt: "2026-11-20 10:00:00") == ["2026-10-20T10:00:00Z"])
        #expect(
            try begins(firstSeen: "2026-10-20 10:00:05", renewsAt: "2026-11-22 10:00:00")
                == ["2026-09-22T10:00:00Z", "2026-10-22T10:00:00Z"])
    }

    @Test("They stay where they are if the renewal is near a begin, or leads to one before the purchase")
    func noPast() throws {
        for (firstSeen, renewsAt) in [
            ("2026-10-13 00:00:00", "2026-11-12 09:35:00"), ("2026-10-12 09:30:04", "2026-11-10 00:00:00"),
            ("2026-10-12 09:30:04", "2026-10-19 09:30:04"),
        ] {
            #expect(
                try begins(createdAt: "2026-10-12 09:30:04", firstSeen: firstSeen, renewsAt: renewsAt)
                    == [Self.purchase])
        }
    }

    @Test("What a first snapshot that is past due says of its next attempt starts nothing")
    func pastDue() throws {
        var (account, subscription) = Case.created(at: "2026-03-12 09:30:04", renewsAt: "2026-10-25 00:00:00")
        subscription.status = "past_due"
        account.bodies = [
            subscription.event("subscription_updated", at: .utc("2026-10-20 00:00:00")),
            subscription.invoice(id: 1, createdAt: .utc("2026-10-12 09:30:20")),
        ]
        #expect(try account.begins(at: "2026-10-21 00:00:00") == [Self.purchase])
    }

    @Test("Where a month lacks the billing day, the anchor tells it; on no other day")
    func anchor() throws {
        for (anchor, day) in [(31, "31"), (nil, "28"), (28, "28"), (27, "28")] {
            #expect(
                try begins(
                    createdAt: "2026-03-12 09:30:04", firstSeen: "2027-01-31 10:00:05", renewsAt: "2027-02-28 10:00:00",
                    anchor: anchor) == ["2027-01-\(day)T10:00:00Z"])
        }
        #expect(
            try begins(firstSeen: "2027-01-20 10:00:05", renewsAt: "2027-02-20 10:00:00", anchor: 31)
                == ["2027-01-20T10:00:00Z"])
        var (account, subscription) = Case.created(at: "2026-03-12 09:30:04", renewsAt: "2027-02-28 10:00:00")
        subscription.billingAnchor = 31
        account.bodies = [
            subscription.event("subscription_updated", at: .utc("2027-01-31 10:00:05")),
            subscription.invoice(id: 1, createdAt: .utc("2027-02-28 10:00:05")),
        ]
        #expect(try account.shown(at: "2027-03-01 00:00:00") == "starter 1000 2027-03-31T10:00:00Z")
    }

    // MARK: Charges

    @Test("Charges of a month that no month contains any more count for the first")
    func vanished() throws {
        var (account, _) = Case.created(renewsAt: "2027-10-12 09:30:01")
        account.charges = [
            Charge(
                line: .subscription("910001"), begin: .utc("2026-09-12 09:30:04"), consumed: 300, adjusted: 0,
                firstAt: .utc("2026-09-20 00:00:00"))
        ]
        #expect(try account.bucket("2026-10-12 09:30:04", at: "2026-10-13 00:00:00")?.consumed == 300)
        #expect(try account.shown(at: "2026-10-13 00:00:00") == "starter 700 2026-11-12T09:30:04Z")
    }
}

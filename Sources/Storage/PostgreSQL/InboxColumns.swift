import Billing
import Foundation
import LemonSqueezy
import Postgres

/// Events as the columns of `webhook_events`, one array each, for one statement whatever their number.
struct InboxColumns {
    private let events: [InboxEvent]

    init(_ events: [InboxEvent]) {
        self.events = events
    }

    var body: [Data] { events.map { Data($0.delivery.body) } }
    var digest: [Data] { events.map { Data($0.digest) } }
    var signature: [String] { events.map(\.delivery.signature) }
    var matchedSecret: [SecretMatch] { events.map(\.delivery.matchedSecret) }
    var name: [EventName?] { events.map(\.name) }
    var webhookID: [String?] { events.map(\.webhookID) }
    var testMode: [Bool?] { events.map(\.testMode) }
    var storeID: [String?] { events.map(\.storeID) }
    var dataType: [String?] { events.map(\.dataType) }
    var dataID: [String?] { events.map(\.dataID) }
    var kind: [InboxEvent.Kind] { events.map(\.kind) }
    var subscriptionID: [String?] { events.map(\.subscriptionID) }
    var customerID: [String?] { events.map(\.customerID) }
    var claimedUserID: [UUID?] { events.map(\.claimedUserID) }
    var email: [String?] { events.map(\.email) }
    var outcome: [Outcome] { events.map(\.outcome) }
    var reason: [String?] { events.map(\.reason) }

    var status: [String?] {
        events.map { $0.snapshot?.status.rawValue ?? $0.invoice?.status ?? $0.order?.status }
    }
    var variantID: [String?] { events.map { $0.snapshot?.variantID ?? $0.order?.variantID } }
    var orderID: [String?] { events.map { $0.snapshot?.orderID ?? $0.order?.orderID } }
    var orderItemID: [String?] { events.map { $0.snapshot?.orderItemID } }
    var productID: [String?] { events.map { $0.snapshot?.productID } }
    /// A pause that names no mode is told from none by the empty string.
    var pauseMode: [String?] { events.map { $0.snapshot?.pause.map { $0.mode ?? "" } } }
    var pauseResumesAt: [Date?] { events.map { $0.snapshot?.pause?.resumesAt } }
    var trialEndsAt: [Date?] { events.map { $0.snapshot?.trialEndsAt } }
    var renewsAt: [Date?] { events.map { $0.snapshot?.renewsAt } }
    var endsAt: [Date?] { events.map { $0.snapshot?.endsAt } }
    var billingAnchor: [Int?] { events.map { $0.snapshot?.billingAnchor } }
    var createdAt: [Date?] {
        events.map { $0.snapshot?.createdAt ?? $0.invoice?.createdAt ?? $0.order?.createdAt }
    }
    var updatedAt: [Date?] {
        events.map { $0.snapshot?.updatedAt ?? $0.invoice?.updatedAt ?? $0.order?.updatedAt }
    }
    var snapshotSecond: [Int?] { events.map { $0.snapshot?.order.snapshotSecond } }
    var attributesDigest: [Data?] { events.map { $0.snapshot.map { Data($0.order.digest) } } }
    var billingReason: [String?] { events.map { $0.invoice?.billingReason } }
    var refunded: [Bool?] { events.map { $0.invoice?.refunded ?? $0.order?.refunded } }
    var refundedAt: [Date?] { events.map { $0.invoice?.refundedAt ?? $0.order?.refundedAt } }
    var currency: [String?] { events.map { $0.invoice?.currency ?? $0.order?.currency } }
    var total: [Int?] { events.map { $0.invoice?.total ?? $0.order?.total } }
    var refundedAmount: [Int?] { events.map { $0.invoice?.refundedAmount ?? $0.order?.refundedAmount } }
}

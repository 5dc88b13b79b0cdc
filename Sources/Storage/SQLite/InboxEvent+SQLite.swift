import Billing
import Foundation
import GRDB
import LemonSqueezy

/// An event as the columns of `webhook_events`.
extension InboxEvent {
    static let inboxColumnNames = [
        "body", "body_sha256", "signature", "matched_secret", "event_name", "webhook_id", "test_mode", "store_id",
        "data_type", "data_id", "kind", "subscription_id", "customer_id", "claimed_user_id", "email", "status",
        "variant_id", "order_id", "order_item_id", "product_id", "pause_mode", "pause_resumes_at", "trial_ends_at",
        "renews_at", "ends_at", "billing_anchor", "source_created_at", "source_updated_at", "snapshot_second",
        "attributes_sha256",
        "billing_reason", "refunded", "refunded_at", "currency", "total", "refunded_amount", "outcome", "reason",
    ]

    /// In the order of ``inboxColumnNames``.
    var inboxColumns: [DatabaseValue] {
        [
            Data(delivery.body).sqliteValue, Data(digest).sqliteValue, delivery.signature.sqliteValue,
            delivery.matchedSecret.sqliteValue, name.sqliteValue, webhookID.sqliteValue, testMode.sqliteValue,
            storeID.sqliteValue, dataType.sqliteValue, dataID.sqliteValue, kind.sqliteValue,
            subscriptionID.sqliteValue, customerID.sqliteValue, claimedUserID.sqliteValue, email.sqliteValue,
        ] + whatIsSold + times + money + [outcome.sqliteValue, reason.sqliteValue]
    }

    private var whatIsSold: [DatabaseValue] {
        [
            (snapshot?.status.rawValue ?? invoice?.status ?? order?.status).sqliteValue,
            (snapshot?.variantID ?? order?.variantID).sqliteValue, (snapshot?.orderID ?? order?.orderID).sqliteValue,
            (snapshot?.orderItemID).sqliteValue, (snapshot?.productID).sqliteValue,
            // A pause that names no mode is told from none by the empty string.
            (snapshot?.pause.map { $0.mode ?? "" }).sqliteValue,
        ]
    }

    private var times: [DatabaseValue] {
        [
            (snapshot?.pause?.resumesAt).sqliteValue, (snapshot?.trialEndsAt).sqliteValue,
            (snapshot?.renewsAt).sqliteValue, (snapshot?.endsAt).sqliteValue, (snapshot?.billingAnchor).sqliteValue,
            (snapshot?.createdAt ?? invoice?.createdAt ?? order?.createdAt).sqliteValue,
            (snapshot?.updatedAt ?? invoice?.updatedAt ?? order?.updatedAt).sqliteValue,
            (snapshot?.order.snapshotSecond).sqliteValue, (snapshot.map { Data($0.order.digest) }).sqliteValue,
        ]
    }

    private var money: [DatabaseValue] {
        [
            (invoice?.billingReason).sqliteValue, (invoice?.refunded ?? order?.refunded).sqliteValue,
            (invoice?.refundedAt ?? order?.refundedAt).sqliteValue, (invoice?.currency ?? order?.currency).sqliteValue,
            (invoice?.total ?? order?.total).sqliteValue,
            (invoice?.refundedAmount ?? order?.refundedAmount).sqliteValue,
        ]
    }
}

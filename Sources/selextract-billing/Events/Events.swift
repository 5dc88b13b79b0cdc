import ArgumentParser
import Billing
import Storage

struct Events: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows the inbox, and decides events again.",
        subcommands: [EventsList.self, EventsShow.self, EventsRetry.self, EventsAudit.self]
    )

    static let columns: [Column<EventRecord>] = [
        Column("received_at") { Cell($0.receivedAt) },
        Column("id") { Cell($0.id) },
        Column("event_name", title: "event") { Cell($0.name) },
        Column("subscription_id", title: "subscription") { Cell($0.subscriptionID) },
        Column("outcome") { Cell($0.outcome.rawValue) },
        Column("reason") { Cell($0.reason) },
        Column("deliveries") { Cell($0.deliveries) },
        Column("data_type", inTable: false) { Cell($0.dataType) },
        Column("data_id", inTable: false) { Cell($0.dataID) },
        Column("status", inTable: false) { Cell($0.status) },
        Column("variant_id", inTable: false) { Cell($0.variantID) },
        Column("source_updated_at", inTable: false) { Cell($0.sourceUpdatedAt) },
        Column("user_id", inTable: false) { Cell($0.userID) },
        Column("claimed_user_id", inTable: false) { Cell($0.claimedUserID) },
        Column("customer_id", inTable: false) { Cell($0.customerID) },
        Column("email", inTable: false) { Cell($0.email) },
        Column("store_id", inTable: false) { Cell($0.storeID) },
        Column("test_mode", inTable: false) { Cell($0.testMode) },
        Column("webhook_id", inTable: false) { Cell($0.webhookID) },
        Column("last_received_at", inTable: false) { Cell($0.lastReceivedAt) },
        Column("attempts", inTable: false) { Cell($0.attempts) },
        Column("next_attempt_at", inTable: false) { Cell($0.nextAttemptAt) },
        Column("matched_secret", inTable: false) { Cell($0.matchedSecret) },
        Column("signature", inTable: false) { Cell($0.signature) },
        Column("size", inTable: false) { Cell($0.size) },
        Column("erased_at", inTable: false) { Cell($0.erasedAt) },
    ]
}

import Accounts
import ArgumentParser
import Billing
import Databases
import Foundation
import Selextract
import ServiceSettings
import Storage

struct Events: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows the inbox, decides events again, or discards them.",
        subcommands: [EventsList.self, EventsShow.self, EventsRetry.self, EventsDiscard.self, EventsAudit.self]
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
        Column("redeliveries", inTable: false) { .list($0.redeliveries.map(\.description)) },
        Column("attempts", inTable: false) { Cell($0.attempts) },
        Column("next_attempt_at", inTable: false) { Cell($0.nextAttemptAt) },
        Column("source", inTable: false) { Cell($0.source.rawValue) },
        Column("matched_secret", inTable: false) { Cell($0.matchedSecret) },
        Column("signature", inTable: false) { Cell($0.signature) },
        Column("size", inTable: false) { Cell($0.size) },
        Column("erased_at", inTable: false) { Cell($0.erasedAt) },
    ]
}

struct EventsList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Events, newest first.")

    @Option(help: "Only those with this outcome.")
    var outcome: Outcome?
    @Option(help: "Only those with this reason.")
    var reason: String?
    @Option(help: "Only those of this name, for example subscription_updated.")
    var name: String?
    @Option(help: ArgumentHelp("Only those of a subscription.", valueName: "id"))
    var subscription: String?
    @Option(help: ArgumentHelp("Only those that count for an account: id or e-mail.", valueName: "who"))
    var user: String?
    @Option(help: ArgumentHelp("Only those of a variant.", valueName: "id"))
    var variant: String?
    @Option(help: ArgumentHelp("Only those of a store.", valueName: "id"))
    var store: String?
    @OptionGroup var paging: PageOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let page = try await withStore { store, _ in
            var filter = EventFilter()
            filter.outcome = outcome
            filter.reason = reason
            filter.name = name
            filter.subscriptionID = subscription
            filter.variantID = variant
            filter.storeID = self.store
            if let user { filter.userID = try await store.user(named: user).id }
            return try await paging.read { [filter] in
                try await store.lists.eventRecords(filter, limit: $0, before: $1)
            } cursor: {
                Cursor(at: $0.receivedAt, id: $0.id)
            }
        }
        try output.print { $0.page("events", Events.columns, page) }
        try page.unreadable.failIfAny()
    }
}

struct EventsShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "An event; with --raw nothing but its exact bytes.")

    @Argument(help: "The event's id.")
    var id: UUID
    @Flag(help: "Print the body as it was delivered, byte for byte.")
    var raw = false
    @OptionGroup var output: OutputOptions

    func run() async throws {
        if raw {
            let (body, erasedAt) = try await withStore { store, _ in
                (try await store.eventBody(id), try await store.eventRecord(id)?.erasedAt)
            }
            if let erasedAt { throw Failure("the event's bytes were erased at \(erasedAt.formatted(.iso8601))") }
            guard let body else { throw StoreError.notFound("event “\(id.text)”") }
            try FileHandle.standardOutput.write(contentsOf: Data(body))
        } else {
            let event = try await withStore { store, _ in try await store.eventRecord(id) }
            guard let event else { throw StoreError.notFound("event “\(id.text)”") }
            try output.print {
                $0.record("event", Events.columns, event)
                if event.erasedAt != nil {
                    $0.note("What was personal in it is erased: the hash, ids, facts and times are all there is.")
                }
            }
        }
    }
}

struct EventsRetry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Decides parked, failed, quarantined and discarded events again. Prints what became of them.",
        discussion: "Exits with 1 if nothing changed. Quarantined events are judged by the settings of now.")

    @Argument(help: "The events' ids.")
    var ids: [UUID]
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let (events, haveChanged) = try await withStore(use: .decide) { store, settings in
            try await store.retry(events: ids, policy: settings.policy)
        }
        try output.print {
            $0.list("events", Events.columns, events)
            if !haveChanged { $0.note("Nothing changed: they wait for the same as before.") }
        }
        if !haveChanged { throw ExitCode.failure }
    }
}

import Accounts
import ArgumentParser
import Databases
import Foundation
import Selextract
import ServiceSettings
import Storage

struct Subscriptions: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows subscriptions, and says whose they are.",
        subcommands: [
            SubscriptionsList.self, SubscriptionsShow.self, SubscriptionsBind.self, SubscriptionsAdopt.self,
        ]
    )

    static let columns: [Column<UserSubscription>] = [
        Column("lemon_squeezy_subscription_id", title: "subscription") { Cell($0.lemonSqueezySubscriptionID) },
        Column("id", inTable: false) { Cell($0.id) },
        Column("user_id", title: "account") { Cell($0.userID) },
        Column("plan_id", title: "plan") { Cell($0.planID) },
        Column("status") { Cell($0.status) },
        Column("current_period_start", title: "period start") { Cell($0.currentPeriodStart) },
        Column("current_period_end", title: "period end") { Cell($0.currentPeriodEnd) },
        Column("cancel_at_period_end", title: "cancels") { Cell($0.cancelAtPeriodEnd) },
        Column("lemon_squeezy_customer_id", inTable: false) { Cell($0.lemonSqueezyCustomerID) },
        Column("lemon_squeezy_variant_id", inTable: false) { Cell($0.lemonSqueezyVariantID) },
        Column("renews_at", inTable: false) { Cell($0.renewsAt) },
        Column("ends_at", inTable: false) { Cell($0.endsAt) },
        Column("trial_ends_at", inTable: false) { Cell($0.trialEndsAt) },
        Column("pause_mode", inTable: false) { Cell($0.pauseMode) },
        Column("pause_resumes_at", inTable: false) { Cell($0.pauseResumesAt) },
        Column("source", inTable: false) { Cell($0.source?.rawValue) },
        Column("source_updated_at", inTable: false) { Cell($0.sourceUpdatedAt) },
        Column("created_at", inTable: false) { Cell($0.createdAt) },
        Column("updated_at", inTable: false) { Cell($0.updatedAt) },
    ]
}

struct SubscriptionsList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Subscriptions, newest first.")

    @Option(help: ArgumentHelp("Only those of an account: id or e-mail.", valueName: "who"))
    var user: String?
    @OptionGroup var paging: PageOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let page = try await withStore { store, _ in
            let id = if let user { try await store.user(named: user).id } else { UUID?.none }
            return try await paging.read {
                try await store.lists.subscriptions(user: id, limit: $0, before: $1)
            } cursor: {
                Cursor(at: $0.createdAt, id: $0.id)
            }
        }
        try output.print { $0.page("subscriptions", Subscriptions.columns, page) }
        try page.unreadable.failIfAny()
    }
}

struct SubscriptionsShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "A subscription, whose it is, and the events that are stored of it.")

    @Argument(help: "The subscription's id at Lemon Squeezy.")
    var id: String
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let (subscription, owner, events) = try await withStore { store, _ in
            var filter = EventFilter()
            filter.subscriptionID = id
            let subscription = try await store.subscription(id)
            let events = try await store.primary.eventRecords(filter, limit: 100, before: nil)
            // Events that wait make no subscription yet, but are what one wants to see then.
            if subscription == nil && events.isEmpty { throw StoreError.notFound("subscription “\(id)”") }
            let owner: User? = if let subscription { try await store.user(id: subscription.userID) } else { nil }
            return (subscription, owner, events)
        }
        try output.print {
            $0.record("subscription", Subscriptions.columns, subscription)
            $0.record("user", Users.columns, owner)
            $0.list("events", Events.columns, events.rows)
            $0.unreadable(events.unreadable)
        }
        try events.unreadable.failIfAny()
    }
}

struct SubscriptionsBind: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bind",
        abstract: "Makes a subscription an account's, whatever its events claim; both accounts are computed again.")

    @Argument(help: "The subscription's id at Lemon Squeezy.")
    var id: String
    @Argument(help: "The account: id or e-mail.")
    var who: String
    @Option(help: "Why, for the record.")
    var reason: String?
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let (subscription, user) = try await withStore(use: .decide) { store, settings in
            let user = try await store.user(named: who)
            try await store.bind(subscription: id, to: user.id, reason: reason, policy: settings.policy)
            return (try await store.subscription(id), try await store.user(id: user.id))
        }
        try output.print {
            $0.record("subscription", Subscriptions.columns, subscription)
            $0.record("user", Users.columns, user)
        }
    }
}

struct SubscriptionsAdopt: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adopt",
        abstract: "Takes over a row of another program.",
        discussion: """
            If the row names a subscription at Lemon Squeezy, it counts from now on as if that had been told before all \
            else; if it names none, its plan is granted. What the account has left of a subscription's units stays.
            """)

    @Argument(help: "The subscription's id at Lemon Squeezy, or the row's own.")
    var id: String
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let (row, user) = try await withStore(use: .decide) { store, settings in
            let row = try await store.adopt(subscription: id, policy: settings.policy)
            return (row, try await store.user(id: row.userID))
        }
        try output.print {
            $0.note("taken over: \(row.planID), \(row.subscriptionID ?? "granted")")
            $0.record("user", Users.columns, user)
        }
    }
}

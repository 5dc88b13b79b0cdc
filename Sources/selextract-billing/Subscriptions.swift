import ArgumentParser
import Selextract

struct Subscriptions: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows subscriptions, and says whose they are.",
        subcommands: [SubscriptionsList.self, SubscriptionsShow.self, SubscriptionsBind.self]
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

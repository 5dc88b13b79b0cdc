import Billing
import Databases
import Foundation
import LemonSqueezy
import Selextract

// Rows of `users`, `user_subscriptions` and the view `account_entitlements`.

extension User: Record {
    static let tableName = "users"
    static let columns: Columns = [
        "id", "email", "full_name", "google_id", "is_active", "subscription_tier", "compute_units_remaining",
        "compute_units_reset_date", "created_at", "updated_at",
    ]

    init(row: inout RowReader) throws {
        self.init(
            id: try row["id"], email: try row["email"], fullName: try row["full_name"],
            googleID: try row["google_id"], isActive: try row["is_active"],
            subscriptionTier: try row["subscription_tier"],
            computeUnitsRemaining: try row["compute_units_remaining", as: Int.self].asColumn,
            computeUnitsResetDate: try row["compute_units_reset_date"], createdAt: try row["created_at"],
            updatedAt: try row["updated_at"])
    }
}

extension AccountRow: Record {
    static let tableName = "users"
    static let columns: Columns = [
        "u.id", "u.email", "u.created_at", "u.subscription_tier", "u.compute_units_remaining",
        "u.compute_units_reset_date", "u.billing_due_at", "u.billing_valid_from", "u.billing_revision",
        """
        (
            select count(*) from user_subscriptions s
            where s.user_id = u.id and s.source is null and s.plan_id || '' = u.subscription_tier
                and s.plan_id <> 'free'
                and s.status || '' in ('active', 'on_trial', 'past_due')
        ) > 0 as has_unadopted_plan
        """, "l.kind", "l.units", "l.balance", "l.line", "l.begins_at",
    ]

    init(row: inout RowReader) throws {
        let id: UUID = try row["id"]
        self.init(
            userID: id, email: try row["email"], createdAt: try row["created_at"],
            tier: try row["subscription_tier"],
            unitsRemaining: try row["compute_units_remaining", as: Int.self].asColumn,
            resetDate: try row["compute_units_reset_date"], dueAt: try row["billing_due_at"],
            validFrom: try row["billing_valid_from"], revision: try row["billing_revision"],
            hasUnadoptedPlan: try row["has_unadopted_plan"], lastEntry: nil)
        guard let kind: LedgerEntry.Kind = try row["kind"] else { return }
        lastEntry = LedgerEntry(
            userID: id, kind: kind, units: try row["units"], balance: try row["balance"], line: try row["line"],
            begin: try row["begins_at"])
    }

    /// What a fold changes of an account.
    static let table = Table<AccountRow>(
        "users", key: ["id"],
        [
            Column("id", \.userID), Column("subscription_tier", \.tier),
            Column("compute_units_remaining", \.unitsRemaining),
            // The same in the same statement: by this the database tells this program's writing from another's.
            Column("billing_balance", \.unitsRemaining), Column("compute_units_reset_date", \.resetDate),
            Column("billing_due_at", \.dueAt), Column("billing_valid_from", \.validFrom),
            Column("billing_revision", \.revision),
        ])
}

extension Entitlement: Record {
    static let tableName = "account_entitlements"
    static let keyName = "user_id"
    static let columns: Columns = [
        "user_id", "plan_id", "has_access", "lemon_squeezy_subscription_id", "status", "access_until",
        "compute_units_remaining", "compute_units_reset_date", "compute_units_granted",
    ]

    init(row: inout RowReader) throws {
        self.init(
            userID: try row["user_id"], planID: try row["plan_id"], hasAccess: try row["has_access"],
            lemonSqueezySubscriptionID: try row["lemon_squeezy_subscription_id"], status: try row["status"],
            accessUntil: try row["access_until"], computeUnitsRemaining: try row["compute_units_remaining"],
            computeUnitsResetDate: try row["compute_units_reset_date"],
            computeUnitsGranted: try row["compute_units_granted"])
    }
}

extension UserSubscription: Record {
    static let tableName = "user_subscriptions"
    static let columns: Columns = [
        "id", "user_id", "plan_id", "lemon_squeezy_subscription_id", "status", "current_period_start",
        "current_period_end", "cancel_at_period_end", "lemon_squeezy_customer_id", "lemon_squeezy_variant_id",
        "renews_at", "ends_at", "trial_ends_at", "pause_mode", "pause_resumes_at", "source_updated_at", "source",
        "created_at", "updated_at",
    ]

    init(row: inout RowReader) throws {
        self.init(
            id: try row["id"], userID: try row["user_id"], planID: try row["plan_id"],
            lemonSqueezySubscriptionID: try row["lemon_squeezy_subscription_id"], status: try row["status"],
            currentPeriodStart: try row["current_period_start"], currentPeriodEnd: try row["current_period_end"],
            cancelAtPeriodEnd: try row["cancel_at_period_end"],
            lemonSqueezyCustomerID: try row["lemon_squeezy_customer_id"],
            lemonSqueezyVariantID: try row["lemon_squeezy_variant_id"], renewsAt: try row["renews_at"],
            endsAt: try row["ends_at"], trialEndsAt: try row["trial_ends_at"], pauseMode: try row["pause_mode"],
            pauseResumesAt: try row["pause_resumes_at"], sourceUpdatedAt: try row["source_updated_at"],
            source: try row["source"], createdAt: try row["created_at"], updatedAt: try row["updated_at"])
    }
}

extension SubscriptionRow {
    static let columns: Columns = [
        "id", "user_id", "plan_id", "lemon_squeezy_subscription_id", "status", "current_period_start",
        "current_period_end", "cancel_at_period_end", "lemon_squeezy_customer_id", "lemon_squeezy_order_id",
        "lemon_squeezy_order_item_id", "lemon_squeezy_product_id", "lemon_squeezy_variant_id", "source_created_at",
        "source_updated_at", "renews_at", "ends_at", "trial_ends_at", "pause_mode", "pause_resumes_at",
        "latest_event_at", "units_until", "source",
    ]

    /// A row that is ours; nil if there is no such plan any more.
    init?(row: inout RowReader, catalog: PlanCatalog) throws {
        let id: UUID = try row["id"]
        let user: UUID = try row["user_id"]
        let plan = catalog.plans[try row["plan_id"]]
        let provided: String? = try row["lemon_squeezy_subscription_id"]
        let status: SubscriptionStatus = try row["status"]
        let start: Date = try row["current_period_start"]
        let end: Date = try row["current_period_end"]
        let cancels: Bool = try row["cancel_at_period_end"]
        let customer: String? = try row["lemon_squeezy_customer_id"]
        let order: String? = try row["lemon_squeezy_order_id"]
        let orderItem: String? = try row["lemon_squeezy_order_item_id"]
        let product: String? = try row["lemon_squeezy_product_id"]
        let variant: String? = try row["lemon_squeezy_variant_id"]
        let created: Date? = try row["source_created_at"]
        let updated: Date = try row["source_updated_at"]
        let renews: Date? = try row["renews_at"]
        let ends: Date? = try row["ends_at"]
        let trialEnds: Date? = try row["trial_ends_at"]
        let pauseMode: String? = try row["pause_mode"]
        let pauseResumes: Date? = try row["pause_resumes_at"]
        let latest: Date? = try row["latest_event_at"]
        // Null until the account is folded for the first time since there is such a column.
        let unitsUntil: Date? = try row["units_until"]
        let isGranted = try row["source", as: UserSubscription.Source?.self] == .granted
        guard let plan, let name = isGranted ? BucketSeries.grant(id).rawValue : provided else { return nil }
        self.init(
            userID: user,
            state: SubscriptionState(
                id: name, grant: isGranted ? id : nil, plan: plan, status: status, currentPeriodStart: start,
                currentPeriodEnd: end, cancelAtPeriodEnd: cancels, customerID: customer, orderID: order,
                orderItemID: orderItem, productID: product, variantID: variant, createdAt: created ?? updated,
                updatedAt: updated, renewsAt: renews, endsAt: ends, trialEndsAt: trialEnds,
                pause: pauseMode.map { Snapshot.Pause(mode: $0, resumesAt: pauseResumes) },
                latestEventAt: latest ?? updated, unitsUntil: unitsUntil ?? .distantPast, buckets: []))
    }

    /// The provider's subscriptions.
    static let provided = Table<SubscriptionRow>(
        "user_subscriptions", key: ["lemon_squeezy_subscription_id"],
        [
            Column("user_id", \.userID), Column("plan_id", \.state.plan.id),
            Column("lemon_squeezy_subscription_id", \.state.id), Column("status", \.state.status),
            Column("current_period_start", \.state.currentPeriodStart),
            Column("current_period_end", \.state.currentPeriodEnd),
            Column("cancel_at_period_end", \.state.cancelAtPeriodEnd),
            Column("lemon_squeezy_customer_id", \.state.customerID), Column("lemon_squeezy_order_id", \.state.orderID),
            Column("lemon_squeezy_order_item_id", \.state.orderItemID),
            Column("lemon_squeezy_product_id", \.state.productID),
            Column("lemon_squeezy_variant_id", \.state.variantID), Column("source_created_at", \.state.createdAt),
            Column("source_updated_at", \.state.updatedAt), Column("renews_at", \.state.renewsAt),
            Column("ends_at", \.state.endsAt), Column("trial_ends_at", \.state.trialEndsAt),
            Column("pause_mode", \.state.pause?.mode), Column("pause_resumes_at", \.state.pause?.resumesAt),
            Column("latest_event_at", \.state.latestEventAt), Column("units_until", \.state.unitsUntil),
            Column("source") { _ in UserSubscription.Source.provider }, written,
        ])

    /// Tells that it was this program which wrote the row.
    private static let written = Column<SubscriptionRow>("written") { _ in 1 }
    static let changes = ["written": "user_subscriptions.written + 1"]

    /// Granted plans, with all columns that other programs read of a subscription filled (R19).
    static let granted = Table<SubscriptionRow>(
        "user_subscriptions", key: ["id"],
        [
            Column("id", \.state.grant), Column("user_id", \.userID), Column("plan_id", \.state.plan.id),
            Column("status", \.state.status), Column("current_period_start", \.state.currentPeriodStart),
            Column("current_period_end", \.state.currentPeriodEnd), Column("source_created_at", \.state.createdAt),
            Column("source_updated_at", \.state.updatedAt), Column("ends_at", \.state.endsAt),
            Column("latest_event_at", \.state.latestEventAt), Column("units_until", \.state.unitsUntil),
            Column("source") { _ in UserSubscription.Source.granted }, written,
        ])
}

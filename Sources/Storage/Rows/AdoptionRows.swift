import Databases
public import Foundation

/// A row of `user_subscriptions` beside what tells how it is to be taken over (R19, R21).
public struct ForeignSubscription: Sendable, Hashable, Identifiable {
    public var id: UUID
    public var userID: UUID
    public var email: String
    public var planID: String
    /// The provider's; nil: the row names none.
    public var subscriptionID: String?
    public var status: String
    /// UTC.
    public var periodStart: Date
    /// UTC.
    public var periodEnd: Date
    public var cancelsAtPeriodEnd: Bool
    /// This program speaks for the row: it is not another's.
    package var isOwn: Bool
    /// What the account has left.
    package var unitsRemaining: Int
    package var monthlyUnits: Int
    package var priceCents: Int

    /// Whether it is for a plan that an operator would have to grant, and runs at a moment (R19).
    package func isComplimentary(at moment: Date) -> Bool {
        !isOwn && subscriptionID == nil && planID != "free" && ["active", "on_trial", "past_due"].contains(status)
            && !(cancelsAtPeriodEnd && periodEnd <= moment)
    }
}

extension ForeignSubscription: Record {
    static let tableName = "user_subscriptions"
    static let columns: Columns = [
        "s.id", "s.user_id", "u.email", "s.plan_id", "s.lemon_squeezy_subscription_id", "s.status",
        "s.current_period_start", "s.current_period_end", "s.cancel_at_period_end", "s.source",
        "u.compute_units_remaining", "p.monthly_compute_units", "p.price_cents",
    ]
    static let tables = """
        from user_subscriptions s
        join users u on u.id = s.user_id
        join subscription_plans p on p.id = s.plan_id
        """

    init(row: inout RowReader) throws {
        let id: UUID = try row["id"]
        let user: UUID = try row["user_id"]
        let email: String = try row["email"]
        let plan: String = try row["plan_id"]
        let subscription: String? = try row["lemon_squeezy_subscription_id"]
        self.init(
            id: id, userID: user, email: email, planID: plan,
            subscriptionID: subscription.flatMap { $0.isEmpty ? nil : $0 }, status: try row["status"],
            periodStart: try row["current_period_start"], periodEnd: try row["current_period_end"],
            cancelsAtPeriodEnd: try row["cancel_at_period_end"],
            isOwn: try row["source", as: String?.self] != nil,
            unitsRemaining: try row["compute_units_remaining", as: Int.self].asColumn,
            monthlyUnits: try row["monthly_compute_units", as: Int.self].asColumn,
            priceCents: try row["price_cents", as: Int.self].asColumn)
    }
}

/// What another program wrote into a row that this one speaks for, until it was put right.
public struct SubscriptionOverwrite: Sendable, Hashable {
    /// When it was written, by the database's clock, UTC.
    public var at: Date
    /// The provider's; nil: a granted plan's.
    public var subscriptionID: String?
    public var statusBefore: String
    public var statusWritten: String
    public var planBefore: String
    public var planWritten: String
    /// When the row was computed again, UTC; nil: not yet.
    public var putRightAt: Date?
}

extension SubscriptionOverwrite: Record {
    static let tableName = "subscription_overwrites"
    static let columns: Columns = [
        "written_at", "subscription_id", "status_before", "status_written", "plan_before", "plan_written",
        "put_right_at",
    ]

    init(row: inout RowReader) throws {
        self.init(
            at: try row["written_at"], subscriptionID: try row["subscription_id"],
            statusBefore: try row["status_before"], statusWritten: try row["status_written"],
            planBefore: try row["plan_before"], planWritten: try row["plan_written"],
            putRightAt: try row["put_right_at"])
    }
}

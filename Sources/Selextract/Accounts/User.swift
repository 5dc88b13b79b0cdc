public import Foundation

/// An account of Selextract Cloud, a row of `users`. Times are UTC.
public struct User: Sendable, Codable, Hashable, Identifiable {
    public var id: UUID
    public var email: String
    public var fullName: String?
    public var googleID: String?
    public var isActive: Bool
    /// The id of the plan in force.
    public var subscriptionTier: String
    /// Compute units left in the current bucket; 1 unit is 1 minute of task run time.
    public var computeUnitsRemaining: Int
    /// The end of the current bucket's month, UTC; in the past it means: waiting for payment.
    public var computeUnitsResetDate: Date
    public var createdAt: Date
    public var updatedAt: Date

    /// The columns.
    public enum CodingKeys: String, CodingKey {
        case id
        case email
        case fullName = "full_name"
        case googleID = "google_id"
        case isActive = "is_active"
        case subscriptionTier = "subscription_tier"
        case computeUnitsRemaining = "compute_units_remaining"
        case computeUnitsResetDate = "compute_units_reset_date"
        case createdAt = "created_at"
        case updatedAt = "updated_at"
    }

    public init(
        id: UUID, email: String, fullName: String? = nil, googleID: String? = nil, isActive: Bool = true,
        subscriptionTier: String, computeUnitsRemaining: Int, computeUnitsResetDate: Date, createdAt: Date,
        updatedAt: Date
    ) {
        self.id = id
        self.email = email
        self.fullName = fullName
        self.googleID = googleID
        self.isActive = isActive
        self.subscriptionTier = subscriptionTier
        self.computeUnitsRemaining = computeUnitsRemaining
        self.computeUnitsResetDate = computeUnitsResetDate
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}

extension User {
    /// The most that `compute_units_remaining` can hold.
    public static let unitsMaximum = Int(Int32.max)

    /// Takes compute units.
    ///
    /// - Throws: `ComputeUnitsError.negative` or `.short` if fewer are left; then nothing is changed.
    public mutating func consumeComputeUnits(_ units: Int) throws(ComputeUnitsError) {
        guard units >= 0 else { throw .negative(units) }
        guard units <= computeUnitsRemaining else {
            throw .short(requested: units, remaining: computeUnitsRemaining)
        }
        computeUnitsRemaining -= units
    }

    /// Gives compute units.
    ///
    /// - Throws: `ComputeUnitsError.negative`, or `.tooMany` if the sum is above ``unitsMaximum``; then nothing is changed.
    public mutating func addComputeUnits(_ units: Int) throws(ComputeUnitsError) {
        guard units >= 0 else { throw .negative(units) }
        let (sum, overflow) = computeUnitsRemaining.addingReportingOverflow(units)
        guard !overflow, sum <= Self.unitsMaximum else { throw .tooMany }
        computeUnitsRemaining = sum
    }

    /// Begins a month of `plan` at `moment`: all its units, and the reset date one calendar month later (UTC; 31 January
    /// leads to 28 February). The tier stays: it follows from the subscriptions (R10).
    public mutating func resetComputeUnits(to plan: SubscriptionPlan, at moment: Date) {
        computeUnitsRemaining = plan.monthlyComputeUnits
        computeUnitsResetDate = moment.oneMonthLater
        updatedAt = moment
    }

    /// The compute units that a month of `plan`, the one in force, gives.
    public func computeUnitsLimit(plan: SubscriptionPlan) -> Int { plan.monthlyComputeUnits }

    /// How many of these are used; 0 if more are left than a month of `plan` gives.
    public func computeUnitsUsed(plan: SubscriptionPlan) -> Int {
        max(0, plan.monthlyComputeUnits - computeUnitsRemaining)
    }
}

/// Why an account's compute units were left as they are.
public enum ComputeUnitsError: Error, Sendable, Hashable {
    /// A number of units below zero.
    case negative(Int)
    /// Fewer units are left than asked for.
    case short(requested: Int, remaining: Int)
    /// More than the column can hold, 2,147,483,647.
    case tooMany
}

extension ComputeUnitsError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .negative(let units): "\(units) is no number of compute units"
        case .short(let requested, let remaining): "\(requested) compute units were asked for, \(remaining) are left"
        case .tooMany: "more compute units than an account can hold"
        }
    }
}

public import Foundation

extension User {
    /// The most that `compute_units_remaining` can hold.
    public static let unitsMaximum = Int(Int32.max)

    /// Takes units. Throws if fewer are left or `units` is negative, and changes nothing then.
    public mutating func consumeComputeUnits(_ units: Int) throws(ComputeUnitsError) {
        guard units >= 0 else { throw .negative(units) }
        guard units <= computeUnitsRemaining else {
            throw .short(requested: units, remaining: computeUnitsRemaining)
        }
        computeUnitsRemaining -= units
    }

    /// Gives units. Throws if `units` is negative or the sum too large, and changes nothing then.
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

    /// The units of a month of `plan`, the one in force.
    public func computeUnitsLimit(plan: SubscriptionPlan) -> Int { plan.monthlyComputeUnits }

    /// What of the limit is gone; 0 if more is left than a month of `plan` gives.
    public func computeUnitsUsed(plan: SubscriptionPlan) -> Int {
        max(0, plan.monthlyComputeUnits - computeUnitsRemaining)
    }
}

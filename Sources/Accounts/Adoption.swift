public import Billing
import Databases
public import Foundation
public import Storage

// What another program had is taken over: rows that name a subscription of the provider's as stored events (R21), the
// others as granted plans (R19).

extension Fold {
    /// Takes over rows that name a subscription of the provider's and have no event behind them.
    ///
    /// - Returns: those that were taken over; others have an event by now, or are gone.
    @discardableResult
    public func adopt(_ ids: [UUID]) async throws -> [ForeignSubscription] {
        let (rows, adoptable) = try await transaction.lockForeign(ids)
        let now = try await transaction.now()
        var adopted: [(row: ForeignSubscription, event: InboxEvent)] = []
        for own in Dictionary(grouping: rows, by: \.userID).values {
            let shown = own.filter { $0.givesAccess(at: now) }.max { $1.outranks($0, at: now) }
            for row in own where adoptable.contains(row.id) {
                guard let subscription = row.subscriptionID else { continue }
                let event = AdoptedSubscription(
                    subscriptionID: subscription, userID: row.userID, planID: row.planID, status: row.status,
                    periodStart: row.periodStart, periodEnd: row.periodEnd,
                    cancelsAtPeriodEnd: row.cancelsAtPeriodEnd,
                    unitsLeft: row.id == shown?.id ? row.unitsRemaining : nil, observedAt: now
                ).event
                adopted.append((row, event))
            }
        }
        adopted.sort {
            ($0.row.userID.uuidString, $0.row.id.uuidString) < ($1.row.userID.uuidString, $1.row.id.uuidString)
        }
        if !adopted.isEmpty { _ = try await receive(adopted.map(\.event)) }
        return adopted.map(\.row)
    }

    /// Makes the plans of rows that name no subscription of the provider's granted ones, from now on.
    ///
    /// - Returns: those that were granted; others do not run any more, or are this program's.
    @discardableResult
    public func grant(_ ids: [UUID], by operator: Operator) async throws -> [ForeignSubscription] {
        let reason = "another program's row was taken over"
        let (rows, _) = try await transaction.lockForeign(ids)
        let now = try await transaction.now()
        let granted = rows.filter { ids.contains($0.id) && $0.isComplimentary(at: now) }
        for row in granted { try await transaction.insert(grant: row, reason: reason, by: `operator`) }
        if !granted.isEmpty { try await refresh(users: Set(granted.map(\.userID))) }
        return granted
    }
}

extension ForeignSubscription {
    /// As its status says (R9); a pause is none.
    fileprivate func givesAccess(at moment: Date) -> Bool {
        switch status {
        case "active": !cancelsAtPeriodEnd || moment < periodEnd
        case "on_trial", "past_due": true
        case "cancelled": moment < periodEnd
        default: false
        }
    }

    /// Whether the units that the account shows are this one's rather than another's (R10).
    fileprivate func outranks(_ other: ForeignSubscription, at moment: Date) -> Bool {
        func rank(_ row: ForeignSubscription) -> [Double] {
            let isPresent = row.periodStart <= moment && moment < row.periodEnd
            return [
                isPresent ? 1 : 0, Double(row.monthlyUnits), Double(row.priceCents),
                row.periodStart.timeIntervalSince1970, Double(row.subscriptionID?.utf8.count ?? 0),
            ]
        }
        let (own, others) = (rank(self), rank(other))
        if own != others { return others.lexicographicallyPrecedes(own) }
        return (other.subscriptionID ?? "").utf8.lexicographicallyPrecedes((subscriptionID ?? "").utf8)
    }
}

/// What a take-over found in `user_subscriptions`, and did about it.
public struct AdoptionReport: Sendable, Hashable {
    /// Taken over as stored events (R21).
    public var adopted: [ForeignSubscription] = []
    /// Made granted plans (R19).
    public var granted: [ForeignSubscription] = []
    /// They name no subscription of the provider's, and give nothing until they are made granted plans.
    public var complimentary: [ForeignSubscription] = []

    public init() {}
}

extension Fold {
    /// Takes over all that there is, in this transaction.
    ///
    /// - Parameter grants: also what names no subscription of the provider's.
    public func adoptAll(grants: Bool, by operator: Operator) async throws -> AdoptionReport {
        var report = AdoptionReport()
        var seen: [UUID] = []
        while true {
            let next = try await transaction.adoptable(limit: 500, except: seen)
            if next.isEmpty { break }
            report.adopted += try await adopt(next)
            seen += next
        }
        let now = try await transaction.now()
        let complimentary = try await transaction.complimentary().filter { $0.isComplimentary(at: now) }
        if grants {
            report.granted = try await grant(complimentary.map(\.id), by: `operator`)
        } else {
            report.complimentary = complimentary
        }
        return report
    }
}

extension Store {
    /// Takes over what other programs put into `user_subscriptions` for subscriptions of the provider's, so that no
    /// event is judged before it (R21).
    ///
    /// - Returns: how many rows were taken over.
    @discardableResult
    public func adoptSubscriptions(policy: BillingPolicy) async throws -> Int {
        var seen: Set<UUID> = []
        while true {
            let before = seen
            let next = try await transaction { transaction in
                let next = try await transaction.adoptable(limit: 500, except: Array(before))
                if !next.isEmpty { try await Fold(transaction, policy: policy).adopt(next) }
                return next
            }
            if next.isEmpty { return seen.count }
            seen.formUnion(next)
        }
    }

    /// Takes over one row of another program: as a stored event if it names a subscription of the provider's (R21),
    /// else as a granted plan (R19).
    ///
    /// - Parameter name: the provider's id, or the row's.
    /// - Throws: `StoreError.notFound`; `.conflict` if there is nothing to take over.
    public func adopt(
        subscription name: String, by operator: Operator = .local, policy: BillingPolicy
    ) async throws -> ForeignSubscription {
        try await transaction { transaction in
            let ids = try await transaction.foreign(named: name)
            guard !ids.isEmpty else { throw StoreError.notFound("subscription “\(name)”") }
            let fold = Fold(transaction, policy: policy)
            if let adopted = try await fold.adopt(ids).first { return adopted }
            if let granted = try await fold.grant(ids, by: `operator`).first { return granted }
            throw StoreError.conflict(
                "there is nothing to take over: events speak for subscription “\(name)”, or it gives nothing")
        }
    }
}

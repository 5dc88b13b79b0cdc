public import Billing
import Databases
public import Foundation

/// Events that wait for one and the same thing.
public struct WaitingGroup: Sendable, Hashable {
    public var outcome: Outcome
    /// As it is stored.
    public var reason: String?
    /// That means no plan; nil: they wait for something else, or name none.
    public var variantID: String?
    /// That belongs to nobody; nil: they wait for something else.
    public var subscriptionID: String?
    /// Whose events are not applied; nil: they wait for something else, or name none.
    public var storeID: String?
    /// One of the buyers'; nil: none is named.
    public var email: String?
    public var events: Int
    /// Known, claimed, or, where neither is, customers.
    public var accounts: Int
    /// When the first of them came.
    public var oldest: Date

    /// What lists exactly these events.
    public var filter: EventFilter {
        var filter = EventFilter()
        filter.outcome = outcome
        filter.reason = reason
        filter.variantID = variantID
        filter.subscriptionID = subscriptionID
        filter.storeID = storeID
        return filter
    }
}

/// What waits, as far as it was counted.
public struct Waiting: Sendable, Hashable {
    /// Most events first.
    public var groups: [WaitingGroup]
    /// Outcomes of which more wait than were looked at.
    public var isCut: Set<Outcome>

    /// How many with an outcome; no more than were looked at.
    public func events(_ outcome: Outcome) -> Int {
        groups.reduce(0) { $0 + ($1.outcome == outcome ? $1.events : 0) }
    }

    public func oldest(_ outcome: Outcome) -> Date? { groups.filter { $0.outcome == outcome }.map(\.oldest).min() }
}

extension Lists {
    /// What waits, grouped by its cause.
    ///
    /// - Parameter limit: so many events of each outcome are looked at, the newest.
    public func waiting(limit: Int) async throws -> Waiting {
        let (parked, quarantined, failed) = try await driver.fetch(
            .waiting(.parked, limit + 1), .waiting(.quarantined, limit + 1), .waiting(.failed, limit + 1))
        let all = zip(Outcome.waiting, [parked, quarantined, failed])
        let cut = all.filter { $1.reduce(0) { $0 + $1.events } > limit }.map(\.0)
        return Waiting(
            groups: (parked + quarantined + failed).sorted {
                ($0.events, $1.oldest, $0.reason ?? "") > ($1.events, $0.oldest, $1.reason ?? "")
            }, isCut: Set(cut))
    }
}

extension Query where Result == WaitingGroup {
    /// An event stands for its variant or its subscription only where it waits for that.
    fileprivate static func waiting(_ outcome: Outcome, _ limit: Int) -> Query {
        Query(
            """
            select outcome, reason, variant_id, subscription_id, store_id, max(email) as email, count(*) as events,
                count(distinct account) as accounts, min(received_at) as oldest
            from (
                select outcome, reason, email, received_at,
                    case when reason = 'unknown_plan' then variant_id end as variant_id,
                    case
                        when outcome = 'parked'
                            and reason in ('unknown_account', 'ambiguous_account', 'unknown_subscription')
                            then subscription_id
                    end as subscription_id,
                    case when outcome = 'quarantined' then store_id end as store_id,
                    coalesce(
                        cast(user_id as varchar(40)), cast(claimed_user_id as varchar(40)), customer_id
                    ) as account
                from webhook_events
                where outcome = \(outcome) and outcome not in ('applied', 'unchanged')
                order by arrival desc limit \(limit)
            ) as waiting
            group by outcome, reason, variant_id, subscription_id, store_id
            """
        ) { row in
            WaitingGroup(
                outcome: try row["outcome"], reason: try row["reason"], variantID: try row["variant_id"],
                subscriptionID: try row["subscription_id"], storeID: try row["store_id"], email: try row["email"],
                events: try row["events"], accounts: try row["accounts"], oldest: try row["oldest"])
        }
    }
}

public import Billing
import Databases
public import Foundation

/// What came of late, hour by hour.
public struct Activity: Sendable, Hashable {
    /// Events of one outcome that came within one hour.
    public struct Hour: Sendable, Hashable {
        /// When the hour begins, UTC.
        public var begin: Date
        public var outcome: Outcome
        public var events: Int
    }

    public var hours: [Hour]
    /// More came than were looked at: earlier hours are not whole.
    public var isCut: Bool
    /// When an event came that the previous secret had signed; nil: none of these was.
    public var previousSecretAt: Date?
}

/// How far behind what has to be done is.
public struct Pulse: Sendable, Hashable {
    /// The database's clock, UTC.
    public var now: Date
    public var lastEventAt: Date?
    /// Since when an account has waited for the clock (R17); nil: none does.
    public var dueSince: Date?
}

extension Lists {
    /// - Parameters:
    ///   - since: hours before are left out.
    ///   - limit: so many events are looked at, the newest.
    public func activity(since: Date, limit: Int) async throws -> Activity {
        let rows = try await driver.fetch(
            Query<(String, Outcome, Int, Int, Date?)>(
                """
                select hour, outcome, count(*), sum(looked_at), max(previous_at)
                from (
                    select \(.hour(of: "received_at")) as hour, outcome, received_at, 1 as looked_at,
                        case when matched_secret = 'previous' then received_at end as previous_at
                    from (
                        select received_at, outcome, matched_secret
                        from webhook_events order by arrival desc limit \(limit)
                    ) as latest
                ) as hours
                where received_at >= \(since)
                group by hour, outcome order by hour
                """
            ) { (try $0.next(), try $0.next(), try $0.next(), try $0.next(), try $0.next()) })
        let hours = rows.compactMap { hour, outcome, events, _, _ in
            (try? Date(hour + ":00:00Z", strategy: .iso8601)).map {
                Activity.Hour(begin: $0, outcome: outcome, events: events)
            }
        }
        return Activity(
            hours: hours, isCut: rows.reduce(0) { $0 + $1.3 } >= limit, previousSecretAt: rows.compactMap(\.4).max())
    }

    public func pulse() async throws -> Pulse {
        let clock = driver.clock?()
        let now = try await driver.fetch(Query<Date>("select \(clock.map { "\($0)" } ?? .clock)"))[0]
        let (last, due) = try await driver.fetch(
            Query<Date>("select received_at from webhook_events order by arrival desc limit 1"),
            Query<Date?>("select min(billing_due_at) from users where billing_due_at <= \(now)"))
        return Pulse(now: now, lastEventAt: last.first, dueSince: due.first ?? nil)
    }

    /// The provider's subscriptions whose renewal is overdue (``SubscriptionState/isRenewalOverdue(at:grace:)``), as the
    /// clock last saw their accounts; those that were locked first before the others.
    ///
    /// - Parameter grace: seconds.
    public func overdueRenewals(at moment: Date, grace: TimeInterval, limit: Int) async throws -> [String] {
        try await driver.fetch(
            Query<String>(
                """
                select lemon_squeezy_subscription_id from user_subscriptions
                where source = 'provider' and status = 'active' and units_until < \(moment.addingTimeInterval(-grace))
                order by units_until, lemon_squeezy_subscription_id limit \(limit)
                """))
    }
}

extension SQL {
    /// `2026-10-12T09`, UTC.
    fileprivate static func hour(of column: String) -> SQL {
        SQL(
            postgreSQL: { "to_char(\(raw: column) at time zone 'utc', 'YYYY-MM-DD\"T\"HH24')" },
            sqlite: { "substr(\(raw: column), 1, 13)" })
    }
}

public import Billing
import Databases
public import Foundation

/// Which events a list shows; nil: any.
public struct EventFilter: Sendable, Hashable {
    public var outcome: Outcome?
    /// As stored, or its beginning up to a colon.
    public var reason: String?
    public var name: String?
    /// With the orders that it was bought with (R18).
    public var subscriptionID: String?
    public var userID: UUID?
    public var variantID: String?
    public var storeID: String?

    public init() {}

    /// Whether an index finds what it shows, so that nothing else has to be read.
    public var isAnsweredByIndex: Bool {
        let isOfRest = outcome.map { $0 != .applied && $0 != .unchanged } ?? false
        return isOfFew || isOfRest
            || (reason == nil && name == nil && variantID == nil && storeID == nil && outcome == nil)
    }

    /// Whether it shows only what one subscription or account has.
    var isOfFew: Bool { subscriptionID != nil || userID != nil }

    /// A condition for what is given, and none for what is not: `$1 is null or …` would keep indexes out of a plan.
    var condition: SQL {
        var sql: SQL = "true"
        if let outcome {
            sql += " and outcome = \(outcome)"
            // The condition of the partial index that leaves out events which went well, repeated so that the index is
            // used.
            if outcome != .applied, outcome != .unchanged { sql += " and outcome not in ('applied', 'unchanged')" }
        }
        if let reason {
            sql += " and (reason = \(reason) or substr(reason, 1, length(\(reason + ":"))) = \(reason + ":"))"
        }
        if let name { sql += " and event_name = \(name)" }
        if let subscriptionID {
            sql += """
                 and id in (
                    select id from webhook_events where subscription_id = \(subscriptionID)
                    union
                    select o.id from webhook_events s join webhook_events o on o.order_id = s.order_id
                    where o.kind = 'order' and s.order_id is not null and s.subscription_id = \(subscriptionID)
                )
                """
        }
        if let userID { sql += " and user_id = \(userID)" }
        if let variantID { sql += " and variant_id = \(variantID)" }
        if let storeID { sql += " and store_id = \(storeID)" }
        return sql
    }
}

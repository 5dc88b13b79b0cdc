import Billing
import Databases
public import Foundation

/// A change by another program that looks as if it, too, had given what an event of the provider's gives: exactly a
/// plan's units, right before or after such an event in the account's ledger.
public struct Doubling: Sendable, Hashable {
    public var email: String
    /// The change: `kind` is external, `units` are what was given.
    public var record: LedgerRecord
}

extension Store {
    /// Those that no operator has taken back since, by an adjustment of as many units; the oldest first.
    ///
    /// - Parameters:
    ///   - user: nil: of all accounts.
    ///   - most: of all that other programs have added, only the newest so many are looked at.
    public func doublings(of user: UUID? = nil, among most: Int = 1000) async throws -> [Doubling] {
        let added: SQL =
            if let user { "user_id = \(user)" } else { "true" }
        // No joins, also none that `exists` may become: beside the plans, which have no index by their units, a planner may
        // begin with all accounts or events.
        let found = try await reads.fetch(
            Query<(doubling: Doubling, takenBack: Int, alike: Int)>(
                """
                select \(raw: LedgerRecord.columns.list(of: "l")), (select email from users where id = l.user_id),
                    (
                        select count(*) from compute_unit_ledger
                        where user_id = l.user_id and id > l.id and kind = 'adjust' and units = -l.units
                    ),
                    row_number() over (partition by l.user_id, l.units order by l.id desc)
                from (
                    select * from compute_unit_ledger where kind = 'external' and units > 0 and \(added)
                    order by id desc limit \(most)
                ) as l
                where exists (
                        select 1 from subscription_plans where monthly_compute_units = l.units limit 1 offset 0
                    )
                    and exists (
                        select 1 from webhook_events where subscription_id is not null and id in (
                            (
                                select event_id from compute_unit_ledger where user_id = l.user_id and id < l.id
                                order by id desc limit 1
                            ), (
                                select event_id from compute_unit_ledger where user_id = l.user_id and id > l.id
                                order by id limit 1
                            )
                        ) limit 1 offset 0
                    )
                order by l.id
                """
            ) { row in
                let record: LedgerRecord = try row.record()
                return (Doubling(email: try row.next(), record: record), try row.next(), try row.next())
            })
        // An adjustment takes back one, the newest before it.
        return found.filter { $0.alike > $0.takenBack }.map(\.doubling)
    }
}

import Billing
import Foundation
import LemonSqueezy
import Postgres
import Selextract

extension PostgresTransaction {
    /// One statement a table, whatever the number of accounts.
    func save(_ changes: AccountChanges) async throws {
        if !changes.accounts.isEmpty { try await save(changes.accounts) }
        if !changes.removedSubscriptions.isEmpty {
            let ids = Array(changes.removedSubscriptions)
            _ = try await connection.query(
                """
                delete from user_subscriptions
                where source = 'provider' and lemon_squeezy_subscription_id = any(\(ids))
                    or source = 'granted' and 'grant:' || id = any(\(ids))
                """)
        }
        let (granted, provided) = changes.subscriptions.partitioned { $0.state.grant != nil }
        if !provided.isEmpty { try await save(provided) }
        if !granted.isEmpty { try await save(granted: granted) }
        if !changes.removedBuckets.isEmpty { try await remove(changes.removedBuckets) }
        if !changes.buckets.isEmpty { try await save(changes.buckets) }
        if !changes.charges.isEmpty { try await save(changes.charges) }
        if !changes.entries.isEmpty { try await save(changes.entries, at: changes.at) }
    }

    private func save(_ accounts: [AccountRow]) async throws {
        _ = try await connection.query(
            """
            update users u
            set subscription_tier = new.tier, compute_units_remaining = new.units,
                compute_units_reset_date = new.reset_date, billing_due_at = new.due_at,
                billing_valid_from = new.valid_from, billing_revision = new.revision
            from unnest(
                \(accounts.map(\.userID)), \(accounts.map(\.tier)), \(accounts.map(\.unitsRemaining)),
                \(accounts.map(\.resetDate)), \(accounts.map(\.dueAt)), \(accounts.map(\.validFrom)),
                \(accounts.map(\.revision))
            ) as new (id, tier, units, reset_date, due_at, valid_from, revision)
            where u.id = new.id
            """)
    }

    private func save(_ rows: [SubscriptionRow]) async throws {
        let states = rows.map(\.state)
        _ = try await connection.query(
            """
            insert into user_subscriptions as s (
                user_id, plan_id, lemon_squeezy_subscription_id, status, current_period_start, current_period_end,
                cancel_at_period_end, lemon_squeezy_customer_id, lemon_squeezy_order_id, lemon_squeezy_order_item_id,
                lemon_squeezy_product_id, lemon_squeezy_variant_id, source_created_at, source_updated_at, renews_at,
                ends_at, trial_ends_at, pause_mode, pause_resumes_at, latest_event_at, source
            )
            select *, 'provider' from unnest(
                \(rows.map(\.userID)), \(states.map(\.plan.id)), \(states.map(\.id)), \(states.map(\.status)),
                \(states.map(\.currentPeriodStart)), \(states.map(\.currentPeriodEnd)),
                \(states.map(\.cancelAtPeriodEnd)), \(states.map(\.customerID)), \(states.map(\.orderID)),
                \(states.map(\.orderItemID)), \(states.map(\.productID)), \(states.map(\.variantID)),
                \(states.map(\.createdAt)), \(states.map(\.updatedAt)), \(states.map(\.renewsAt)),
                \(states.map(\.endsAt)), \(states.map(\.trialEndsAt)), \(states.map(\.pause?.mode)),
                \(states.map(\.pause?.resumesAt)), \(states.map(\.latestEventAt))
            )
            on conflict (lemon_squeezy_subscription_id) do update set
                user_id = excluded.user_id, plan_id = excluded.plan_id, status = excluded.status,
                current_period_start = excluded.current_period_start, current_period_end = excluded.current_period_end,
                cancel_at_period_end = excluded.cancel_at_period_end,
                lemon_squeezy_customer_id = excluded.lemon_squeezy_customer_id,
                lemon_squeezy_order_id = excluded.lemon_squeezy_order_id,
                lemon_squeezy_order_item_id = excluded.lemon_squeezy_order_item_id,
                lemon_squeezy_product_id = excluded.lemon_squeezy_product_id,
                lemon_squeezy_variant_id = excluded.lemon_squeezy_variant_id,
                source_created_at = excluded.source_created_at, source_updated_at = excluded.source_updated_at,
                renews_at = excluded.renews_at, ends_at = excluded.ends_at, trial_ends_at = excluded.trial_ends_at,
                pause_mode = excluded.pause_mode, pause_resumes_at = excluded.pause_resumes_at,
                latest_event_at = excluded.latest_event_at, source = excluded.source
            """)
    }

    /// What other programs read of a granted plan is as plausible as a subscription (R19).
    private func save(granted rows: [SubscriptionRow]) async throws {
        let states = rows.map(\.state)
        _ = try await connection.query(
            """
            insert into user_subscriptions as s (
                id, user_id, plan_id, status, current_period_start, current_period_end, source_created_at,
                source_updated_at, ends_at, latest_event_at, source
            )
            select *, 'granted' from unnest(
                \(states.compactMap(\.grant)), \(rows.map(\.userID)), \(states.map(\.plan.id)),
                \(states.map(\.status)), \(states.map(\.currentPeriodStart)), \(states.map(\.currentPeriodEnd)),
                \(states.map(\.createdAt)), \(states.map(\.updatedAt)), \(states.map(\.endsAt)),
                \(states.map(\.latestEventAt))
            )
            on conflict (id) do update set
                plan_id = excluded.plan_id, status = excluded.status,
                current_period_start = excluded.current_period_start, current_period_end = excluded.current_period_end,
                ends_at = excluded.ends_at
            """)
    }

    private func remove(_ keys: [BucketRow.Key]) async throws {
        _ = try await connection.query(
            """
            delete from compute_unit_buckets b
            using unnest(\(keys.map(\.userID)), \(keys.map(\.line)), \(keys.map(\.begin))) as old (user_id, line, begins_at)
            where b.user_id = old.user_id and b.line = old.line and b.begins_at = old.begins_at
            """)
    }

    private func save(_ rows: [BucketRow]) async throws {
        let buckets = rows.map(\.bucket)
        _ = try await connection.query(
            """
            insert into compute_unit_buckets (
                user_id, line, begins_at, ends_at, unlocked_at, granted, consumed, adjusted, carried
            )
            select * from unnest(
                \(rows.map(\.userID)), \(buckets.map(\.line)), \(buckets.map(\.begin)), \(buckets.map(\.end)),
                \(buckets.map(\.unlockedAt)), \(buckets.map(\.granted)), \(buckets.map(\.consumed)),
                \(buckets.map(\.adjusted)), \(buckets.map(\.carried))
            )
            on conflict (user_id, line, begins_at) do update set
                ends_at = excluded.ends_at, unlocked_at = excluded.unlocked_at, granted = excluded.granted,
                consumed = excluded.consumed, adjusted = excluded.adjusted, carried = excluded.carried
            """)
    }

    private func save(_ rows: [ChargeRow]) async throws {
        let charges = rows.map(\.charge)
        _ = try await connection.query(
            """
            insert into compute_unit_charges as c (user_id, line, begins_at, consumed, adjusted, first_at)
            select user_id, line, begins_at, sum(consumed), sum(adjusted), min(first_at)
            from unnest(
                \(rows.map(\.userID)), \(charges.map(\.line)), \(charges.map(\.begin)), \(charges.map(\.consumed)),
                \(charges.map(\.adjusted)), \(charges.map(\.firstAt))
            ) as new (user_id, line, begins_at, consumed, adjusted, first_at)
            group by user_id, line, begins_at
            on conflict (line, user_id, begins_at) do update set
                consumed = c.consumed + excluded.consumed, adjusted = c.adjusted + excluded.adjusted,
                first_at = least(c.first_at, excluded.first_at)
            """)
    }

    private func save(_ entries: [LedgerEntry], at moment: Date) async throws {
        _ = try await connection.query(
            """
            insert into compute_unit_ledger (
                user_id, kind, units, balance, line, begins_at, event_id, task_id, shortfall, reason, created_at
            )
            select user_id, kind, units, balance, line, begins_at, event_id, task_id, shortfall, reason, \(moment)
            from unnest(
                \(entries.map(\.userID)), \(entries.map(\.kind)), \(entries.map(\.units)), \(entries.map(\.balance)),
                \(entries.map(\.line)), \(entries.map(\.begin)), \(entries.map(\.eventID)), \(entries.map(\.taskID)),
                \(entries.map(\.shortfall)), \(entries.map(\.reason))
            ) with ordinality as new (
                user_id, kind, units, balance, line, begins_at, event_id, task_id, shortfall, reason, position
            )
            order by position
            """)
    }

    func insert(_ action: OperatorAction) async throws {
        let columns = action.columns
        _ = try await connection.query(
            """
            insert into operator_actions (
                kind, user_id, subscription_id, units, line, begins_at, plan_id, until, reason, created_at
            )
            values (
                \(columns.kind), \(action.userID), \(columns.subscription), \(columns.units), \(columns.line),
                \(columns.begin), \(columns.plan), \(columns.until), \(action.reason),
                coalesce(\(clock?()), clock_timestamp())
            )
            """)
    }
}

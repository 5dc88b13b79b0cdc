import Billing
import Foundation
import GRDB
import LemonSqueezy
import Selextract

extension SQLiteTransaction {
    /// One statement a table, prepared once.
    func save(_ changes: AccountChanges) async throws {
        try await connection.transact { connection in
            try connection.save(changes.accounts)
            if !changes.removedSubscriptions.isEmpty {
                try connection.query(
                    """
                    delete from user_subscriptions
                    where source = 'provider'
                        and lemon_squeezy_subscription_id in \(each: changes.removedSubscriptions)
                        or source = 'granted' and 'grant:' || id in \(each: changes.removedSubscriptions)
                    """)
            }
            let (granted, provided) = changes.subscriptions.partitioned { $0.state.grant != nil }
            try connection.save(provided)
            try connection.save(granted: granted)
            try connection.remove(changes.removedBuckets)
            try connection.save(changes.buckets)
            try connection.save(changes.charges)
            try connection.save(changes.entries, at: changes.at)
        }
    }

    func insert(_ action: OperatorAction) async throws {
        let columns = action.columns
        try await connection.query(
            """
            insert into operator_actions (
                kind, user_id, subscription_id, units, line, begins_at, plan_id, until, reason, created_at
            )
            values (
                \(columns.kind), \(action.userID), \(columns.subscription), \(columns.units), \(columns.line),
                \(columns.begin), \(columns.plan), \(columns.until), \(action.reason),
                coalesce(\(clock?()), \(unescaped: SQLiteStore.moment))
            )
            """)
    }
}

extension SQLiteConnection {
    fileprivate func save(_ accounts: [AccountRow]) throws {
        try query(
            """
            update users
            set subscription_tier = ?, compute_units_remaining = ?, compute_units_reset_date = ?, billing_due_at = ?,
                billing_valid_from = ?, billing_revision = ?
            where id = ?
            """,
            forEach: accounts.map { row in
                [
                    row.tier.sqliteValue, row.unitsRemaining.sqliteValue, row.resetDate.sqliteValue,
                    row.dueAt.sqliteValue, row.validFrom.sqliteValue, row.revision.sqliteValue,
                    row.userID.sqliteValue,
                ]
            })
    }

    fileprivate func save(_ rows: [SubscriptionRow]) throws {
        try query(
            """
            insert into user_subscriptions (
                user_id, plan_id, lemon_squeezy_subscription_id, status, current_period_start, current_period_end,
                cancel_at_period_end, lemon_squeezy_customer_id, lemon_squeezy_order_id, lemon_squeezy_order_item_id,
                lemon_squeezy_product_id, lemon_squeezy_variant_id, source_created_at, source_updated_at, renews_at,
                ends_at, trial_ends_at, pause_mode, pause_resumes_at, latest_event_at, source
            )
            values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'provider')
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
            """,
            forEach: rows.map { row in
                let state = row.state
                return [
                    row.userID.sqliteValue, state.plan.id.sqliteValue, state.id.sqliteValue, state.status.sqliteValue,
                    state.currentPeriodStart.sqliteValue, state.currentPeriodEnd.sqliteValue,
                    state.cancelAtPeriodEnd.sqliteValue, state.customerID.sqliteValue, state.orderID.sqliteValue,
                    state.orderItemID.sqliteValue, state.productID.sqliteValue, state.variantID.sqliteValue,
                    state.createdAt.sqliteValue, state.updatedAt.sqliteValue, state.renewsAt.sqliteValue,
                    state.endsAt.sqliteValue, state.trialEndsAt.sqliteValue, (state.pause?.mode).sqliteValue,
                    (state.pause?.resumesAt).sqliteValue, state.latestEventAt.sqliteValue,
                ]
            })
    }

    /// What other programs read of a granted plan is as plausible as a subscription (R19).
    fileprivate func save(granted rows: [SubscriptionRow]) throws {
        try query(
            """
            insert into user_subscriptions (
                id, user_id, plan_id, status, current_period_start, current_period_end, source_created_at,
                source_updated_at, ends_at, latest_event_at, source
            )
            values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'granted')
            on conflict (id) do update set
                plan_id = excluded.plan_id, status = excluded.status,
                current_period_start = excluded.current_period_start, current_period_end = excluded.current_period_end,
                ends_at = excluded.ends_at
            """,
            forEach: rows.map { row in
                let state = row.state
                return [
                    state.grant.sqliteValue, row.userID.sqliteValue, state.plan.id.sqliteValue,
                    state.status.sqliteValue, state.currentPeriodStart.sqliteValue,
                    state.currentPeriodEnd.sqliteValue, state.createdAt.sqliteValue, state.updatedAt.sqliteValue,
                    state.endsAt.sqliteValue, state.latestEventAt.sqliteValue,
                ]
            })
    }

    fileprivate func remove(_ keys: [BucketRow.Key]) throws {
        try query(
            "delete from compute_unit_buckets where user_id = ? and line = ? and begins_at = ?",
            forEach: keys.map { [$0.userID.sqliteValue, $0.line.sqliteValue, $0.begin.sqliteValue] })
    }

    fileprivate func save(_ rows: [BucketRow]) throws {
        try query(
            """
            insert into compute_unit_buckets (
                user_id, line, begins_at, ends_at, unlocked_at, granted, consumed, adjusted, carried
            )
            values (?, ?, ?, ?, ?, ?, ?, ?, ?)
            on conflict (user_id, line, begins_at) do update set
                ends_at = excluded.ends_at, unlocked_at = excluded.unlocked_at, granted = excluded.granted,
                consumed = excluded.consumed, adjusted = excluded.adjusted, carried = excluded.carried
            """,
            forEach: rows.map { row in
                let bucket = row.bucket
                return [
                    row.userID.sqliteValue, bucket.line.sqliteValue, bucket.begin.sqliteValue, bucket.end.sqliteValue,
                    bucket.unlockedAt.sqliteValue, bucket.granted.sqliteValue, bucket.consumed.sqliteValue,
                    bucket.adjusted.sqliteValue, bucket.carried.sqliteValue,
                ]
            })
    }

    fileprivate func save(_ rows: [ChargeRow]) throws {
        try query(
            """
            insert into compute_unit_charges as c (user_id, line, begins_at, consumed, adjusted, first_at)
            values (?, ?, ?, ?, ?, ?)
            on conflict (line, user_id, begins_at) do update set
                consumed = c.consumed + excluded.consumed, adjusted = c.adjusted + excluded.adjusted,
                first_at = min(c.first_at, excluded.first_at)
            """,
            forEach: rows.map { row in
                let charge = row.charge
                return [
                    row.userID.sqliteValue, charge.line.sqliteValue, charge.begin.sqliteValue,
                    charge.consumed.sqliteValue, charge.adjusted.sqliteValue, charge.firstAt.sqliteValue,
                ]
            })
    }

    fileprivate func save(_ entries: [LedgerEntry], at moment: Date) throws {
        try query(
            """
            insert into compute_unit_ledger (
                user_id, kind, units, balance, line, begins_at, event_id, task_id, shortfall, reason, created_at
            )
            values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            forEach: entries.map { entry in
                [
                    entry.userID.sqliteValue, entry.kind.sqliteValue, entry.units.sqliteValue,
                    entry.balance.sqliteValue, entry.line.sqliteValue, entry.begin.sqliteValue,
                    entry.eventID.sqliteValue, entry.taskID.sqliteValue, entry.shortfall.sqliteValue,
                    entry.reason.sqliteValue, moment.sqliteValue,
                ]
            })
    }
}

import Billing
import Foundation
import LemonSqueezy
import Selextract

extension SQLiteTransaction {
    func bindings(of subscriptions: Set<String>) async throws -> [String: UUID] {
        guard !subscriptions.isEmpty else { return [:] }
        let rows = try await connection.query(
            """
            select subscription_id, user_id from operator_actions
            where kind = 'bind' and subscription_id in \(each: subscriptions)
            order by created_at desc, id desc
            """)
        return Dictionary(try rows.map { try $0.decode(String.self, UUID.self) }) { newest, _ in newest }
    }

    func knownAccounts(ids: Set<UUID>, emails: Set<String>) async throws -> KnownAccounts {
        guard !ids.isEmpty || !emails.isEmpty else { return KnownAccounts(ids: []) }
        let rows = try await connection.query(
            """
            select id, lower(email) from users where id in \(each: ids)
            union
            select id, lower(email) from users where lower(email) in \(each: emails)
            """)
        var accounts = KnownAccounts(ids: [])
        for row in rows {
            let (id, email) = try row.decode(UUID.self, String.self)
            accounts.ids.insert(id)
            accounts.byEmail[email, default: []].insert(id)
        }
        return accounts
    }

    func catalog() async throws -> PlanCatalog {
        let (plans, variants, terms) = try await connection.transact { connection in
            (
                try connection.query(SQLiteStore.plansQuery).map(SubscriptionPlan.init(row:)),
                try connection.query("select variant_id, plan_id from plan_variants")
                    .map { try $0.decode(String.self, String.self) },
                try connection.query("select plan_id, valid_from, monthly_compute_units from plan_terms")
                    .map { try $0.decode(String.self, Date.self, Int.self) }
            )
        }
        return PlanCatalog(
            plans: plans, variants: Dictionary(variants) { first, _ in first },
            terms: Dictionary(grouping: terms, by: \.0).mapValues { terms in
                terms.map { PlanCatalog.Terms(validFrom: $0.1, monthlyComputeUnits: $0.2.asColumn) }
            })
    }

    func lockAccounts(_ ids: Set<UUID>) async throws -> [AccountRow] {
        guard !ids.isEmpty else { return [] }
        let rows = try await connection.query(
            """
            select u.id, u.created_at, u.subscription_tier, u.compute_units_remaining, u.compute_units_reset_date,
                u.billing_due_at, l.kind, l.units, l.balance, l.line, l.begins_at
            from users u
            left join compute_unit_ledger l
                on l.id = (select max(id) from compute_unit_ledger where user_id = u.id)
            where u.id in \(each: ids)
            order by u.id
            """)
        return try rows.map { row in
            let (id, created, tier, units, reset, due, kind, change, balance, line, begin) = try row.decode(
                UUID.self, Date.self, String.self, Int.self, Date.self, Date?.self, LedgerEntry.Kind?.self, Int?.self,
                Int?.self, Line?.self, Date?.self)
            var last: LedgerEntry?
            if let kind, let change, let balance, let line, let begin {
                last = LedgerEntry(userID: id, kind: kind, units: change, balance: balance, line: line, begin: begin)
            }
            return AccountRow(
                userID: id, createdAt: created, tier: tier, unitsRemaining: units.asColumn, resetDate: reset,
                dueAt: due,
                lastEntry: last)
        }
    }

    func charges(users: Set<UUID>, lines: Set<Line>) async throws -> [ChargeRow] {
        let rows = try await connection.query(
            """
            select user_id, line, begins_at, consumed, adjusted, first_at from compute_unit_charges
            where user_id in \(each: users)
            union
            select user_id, line, begins_at, consumed, adjusted, first_at from compute_unit_charges
            where line in \(each: lines) and line <> 'free'
            order by 1, 2, 3
            """)
        return try rows.map { row in
            let (user, line, begin, consumed, adjusted, first) = try row.decode(
                UUID.self, Line.self, Date.self, Int.self, Int.self, Date.self)
            return ChargeRow(
                userID: user,
                charge: Charge(line: line, begin: begin, consumed: consumed, adjusted: adjusted, firstAt: first))
        }
    }

    func buckets(users: Set<UUID>) async throws -> [BucketRow] {
        try await connection.query(SQLiteStore.bucketsQuery(users: users)).map(BucketRow.init(row:))
    }

    func subscriptions(
        users: Set<UUID>, ids: Set<String>, catalog: PlanCatalog
    ) async throws -> [SubscriptionRow] {
        let rows = try await connection.query(
            """
            select user_id, plan_id, lemon_squeezy_subscription_id, status, current_period_start, current_period_end,
                cancel_at_period_end, lemon_squeezy_customer_id, lemon_squeezy_order_id, lemon_squeezy_order_item_id,
                lemon_squeezy_product_id, lemon_squeezy_variant_id, source_created_at, source_updated_at, renews_at,
                ends_at, trial_ends_at, pause_mode, pause_resumes_at, latest_event_at
            from user_subscriptions
            where lemon_squeezy_subscription_id is not null and source_updated_at is not null
                and (user_id in \(each: users) or lemon_squeezy_subscription_id in \(each: ids))
            """)
        return try rows.compactMap { row in
            let (
                user, planID, id, status, start, end, cancels, customer, order, orderItem, product, variant, created,
                updated, renews, ends, trialEnds, pauseMode, pauseResumes, latest
            ) = try row.decode(
                UUID.self, String.self, String.self, SubscriptionStatus.self, Date.self, Date.self, Bool.self,
                String?.self, String?.self, String?.self, String?.self, String?.self, Date?.self, Date.self,
                Date?.self, Date?.self, Date?.self, String?.self, Date?.self, Date?.self)
            guard let plan = catalog.plans[planID] else { return nil }
            let pause = pauseMode.map { Snapshot.Pause(mode: $0, resumesAt: pauseResumes) }
            return SubscriptionRow(
                userID: user,
                state: SubscriptionState(
                    id: id, plan: plan, status: status, currentPeriodStart: start, currentPeriodEnd: end,
                    cancelAtPeriodEnd: cancels, customerID: customer, orderID: order, orderItemID: orderItem,
                    productID: product, variantID: variant ?? "", createdAt: created ?? updated, updatedAt: updated,
                    renewsAt: renews, endsAt: ends, trialEndsAt: trialEnds, pause: pause,
                    latestEventAt: latest ?? updated, buckets: []))
        }
    }

    func dueAccounts(at now: Date, limit: Int, except: [UUID]) async throws -> [UUID] {
        try await connection.query(
            """
            select id from users where billing_due_at <= \(now) and id not in \(each: except)
            order by billing_due_at, id limit \(limit)
            """
        ).values()
    }
}

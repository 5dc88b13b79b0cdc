import Billing
import Foundation
import LemonSqueezy
import Postgres
import Selextract

extension PostgresTransaction {
    func attributions(of subscriptions: Set<String>) async throws -> Attributions {
        guard !subscriptions.isEmpty else { return Attributions() }
        let rows = try await connection.query(
            """
            select distinct on (kind, subscription_id) kind, subscription_id, user_id from operator_actions
            where kind in ('bind', 'match') and subscription_id = any(\(Array(subscriptions)))
            order by kind, subscription_id, created_at desc, id desc
            """
        ).map { try $0.decode(String.self, String.self, UUID.self) }
        return Attributions(actions: rows)
    }

    func grants(of users: Set<UUID>) async throws -> [UUID: [GrantedPlan]] {
        guard !users.isEmpty else { return [:] }
        return try await connection.query(
            """
            select id, user_id, kind = 'grant', plan_id, until, created_at from operator_actions
            where kind in ('grant', 'grant_end') and user_id = any(\(Array(users)))
            order by created_at, id
            """
        ).map { row in
            let (id, user, begins, plan, until, at) = try row.decode(
                UUID.self, UUID.self, Bool.self, String?.self, Date?.self, Date.self)
            return GrantAction(id: id, userID: user, planID: begins ? plan : nil, until: until, at: at)
        }.grants
    }

    func usage(lines: Set<Line>) async throws -> [Usage] {
        try await connection.query(
            """
            select line, begins_at, created_at, -units from compute_unit_ledger
            where kind in ('consume', 'external') and line <> 'free' and line = any(\(Array(lines)))
            """
        ).map { row in
            let (line, begin, at, units) = try row.decode(Line.self, Date.self, Date.self, Int.self)
            return Usage(line: line, begin: begin, at: at.wholeSeconds, units: units)
        }
    }

    func knownAccounts(ids: Set<UUID>, emails: Set<String>) async throws -> KnownAccounts {
        guard !ids.isEmpty || !emails.isEmpty else { return KnownAccounts(ids: []) }
        let rows = try await connection.query(
            """
            select id, lower(email) from users where id = any(\(Array(ids)))
            union
            select id, lower(email) from users where lower(email) = any(\(Array(emails)))
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
        let plans = try await connection.query(PostgresStore.plansQuery).map(SubscriptionPlan.init(row:))
        let variants = try await connection.query("select variant_id, plan_id from plan_variants")
            .map { try $0.decode(String.self, String.self) }
        let terms = try await connection.query("select plan_id, valid_from, monthly_compute_units from plan_terms")
            .map { try $0.decode(String.self, Date.self, Int.self) }
        return PlanCatalog(
            plans: plans, variants: Dictionary(variants) { first, _ in first },
            terms: Dictionary(grouping: terms, by: \.0).mapValues { terms in
                terms.map { PlanCatalog.Terms(validFrom: $0.1, monthlyComputeUnits: $0.2) }
            })
    }

    /// Two statements: the second sees what the transaction waited for in the first has committed.
    func lockAccounts(_ ids: Set<UUID>) async throws -> [AccountRow] {
        guard !ids.isEmpty else { return [] }
        let ids = Array(ids)
        _ = try await connection.query(
            "select from users where id = any(\(ids)) order by id for no key update")
        let rows = try await connection.query(
            """
            select u.id, u.created_at, u.subscription_tier, u.compute_units_remaining, u.compute_units_reset_date,
                u.billing_due_at, u.billing_valid_from, u.billing_revision,
                exists (
                    select from user_subscriptions s
                    where s.user_id = u.id and s.source is null and s.plan_id = u.subscription_tier
                        and s.plan_id <> 'free' and s.status in ('active', 'on_trial', 'past_due')
                ),
                l.kind, l.units, l.balance, l.line, l.begins_at
            from users u
            left join lateral (
                select * from compute_unit_ledger where user_id = u.id order by id desc limit 1
            ) l on true
            where u.id = any(\(ids))
            order by u.id
            """)
        return try rows.map { row in
            let (
                id, created, tier, units, reset, due, validFrom, revision, unadopted, kind, change, balance, line, begin
            ) = try row.decode(
                UUID.self, Date.self, String.self, Int.self, Date.self, Date?.self, Date?.self, Int.self, Bool.self,
                LedgerEntry.Kind?.self, Int?.self,
                Int?.self, Line?.self, Date?.self)
            var last: LedgerEntry?
            if let kind, let change, let balance, let line, let begin {
                last = LedgerEntry(userID: id, kind: kind, units: change, balance: balance, line: line, begin: begin)
            }
            return AccountRow(
                userID: id, createdAt: created, tier: tier, unitsRemaining: units, resetDate: reset, dueAt: due,
                validFrom: validFrom, revision: revision, hasUnadoptedPlan: unadopted, lastEntry: last)
        }
    }

    func charges(users: Set<UUID>, lines: Set<Line>) async throws -> [ChargeRow] {
        let rows = try await connection.query(
            """
            select user_id, line, begins_at, consumed, adjusted, first_at from compute_unit_charges
            where user_id = any(\(Array(users)))
            union
            select user_id, line, begins_at, consumed, adjusted, first_at from compute_unit_charges
            where line = any(\(Array(lines))) and line <> 'free'
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
        try await connection.query(PostgresStore.bucketsQuery(users: Array(users))).map(BucketRow.init(row:))
    }

    func subscriptions(
        users: Set<UUID>, ids: Set<String>, catalog: PlanCatalog
    ) async throws -> [SubscriptionRow] {
        let rows = try await connection.query(
            """
            select user_id, plan_id, lemon_squeezy_subscription_id, status, current_period_start, current_period_end,
                cancel_at_period_end, lemon_squeezy_customer_id, lemon_squeezy_order_id, lemon_squeezy_order_item_id,
                lemon_squeezy_product_id, lemon_squeezy_variant_id, source_created_at, source_updated_at, renews_at,
                ends_at, trial_ends_at, pause_mode, pause_resumes_at, latest_event_at,
                case source when 'granted' then id end
            from user_subscriptions
            where source is not null and (user_id = any(\(Array(users))) or lemon_squeezy_subscription_id = any(\(Array(ids))))
            """)
        return try rows.compactMap { row in
            let (
                user, planID, id, status, start, end, cancels, customer, order, orderItem, product, variant, created,
                updated, renews, ends, trialEnds, pauseMode, pauseResumes, latest, grant
            ) = try row.decode(
                UUID.self, String.self, String?.self, SubscriptionStatus.self, Date.self, Date.self, Bool.self,
                String?.self, String?.self, String?.self, String?.self, String?.self, Date?.self, Date.self,
                Date?.self, Date?.self, Date?.self, String?.self, Date?.self, Date?.self, UUID?.self)
            guard let plan = catalog.plans[planID], let id = grant.map({ Line.grant($0).rawValue }) ?? id else {
                return nil
            }
            let pause = pauseMode.map { Snapshot.Pause(mode: $0, resumesAt: pauseResumes) }
            return SubscriptionRow(
                userID: user,
                state: SubscriptionState(
                    id: id, grant: grant, plan: plan, status: status, currentPeriodStart: start, currentPeriodEnd: end,
                    cancelAtPeriodEnd: cancels, customerID: customer, orderID: order, orderItemID: orderItem,
                    productID: product, variantID: variant, createdAt: created ?? updated, updatedAt: updated,
                    renewsAt: renews, endsAt: ends, trialEndsAt: trialEnds, pause: pause,
                    latestEventAt: latest ?? updated, buckets: []))
        }
    }

    func entry(task: UUID) async throws -> LedgerEntry? {
        try await connection.query(
            """
            select \(unescaped: PostgresStore.ledgerColumns) from compute_unit_ledger where task_id = \(task)
            """
        ).map(LedgerRecord.init(row:)).first?.entry
    }
}

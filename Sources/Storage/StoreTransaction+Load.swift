package import Billing
import Databases
package import Foundation
import Selextract

// Loads what a fold needs, in two steps: first the names that the events carry are locked, and what is stored of them
// is loaded; then the accounts that any of it names are locked, and what they are computed from is loaded.

/// What the database has about the things that events name.
package struct RelatedEvents: Sendable {
    package var stored: StoredSettings?
    package var catalog: PlanCatalog
    package var catalogVersion: Int
    package var now: Date
    /// Events with the same bytes as some that came.
    package var known: [DeliveryBatch.Known]
    /// All that the rules read of the subscriptions named, of all subscriptions of the customers named, and of the
    /// orders that belong to them; in order of arrival.
    package var events: [StoredEvent]
    /// Of the same subscriptions.
    package var attributions: Attributions
    /// Beside which their events were read.
    package var checkpoints: [Checkpoint]
    /// What is named and could not be locked, because another transaction works on it.
    package var held: HeldElsewhere
}

extension StoreTransaction {
    /// Waits until no other transaction works on what is named, and loads what the database has about it.
    ///
    /// The locks are taken in one order and end with the transaction. The subscriptions bought with the orders that are
    /// named are not locked: they are known only after the first locks were taken, and further locks would be out of
    /// order and could lead to a deadlock. Whoever works on one of them holds its customer's lock, which is taken here.
    ///
    /// - Parameters:
    ///   - digests: SHA-256 of events that came.
    ///   - whole: the subscriptions of which all events are read.
    ///   - waits: if not, what another transaction works on is left unlocked, and told.
    package func lockRelated(
        _ relations: Relations, digests: [[UInt8]] = [], whole: WholeHistories = .all, waits: Bool = true
    ) async throws -> RelatedEvents {
        let names = LockNames(relations, digests: relations.isEmpty ? digests : [])
        let (held, settings, versions, known, events, checkpoints, actions, now) = try await fetch(
            .locking(names, waits: waits), .settings, .catalogVersion, .known(digests),
            .related(to: relations, whole), .checkpoints(relatedTo: relations, whole), .attributions(of: relations),
            nowQuery)
        let (catalog, version) = try await catalog(of: versions.first)
        return RelatedEvents(
            stored: settings.first, catalog: catalog, catalogVersion: version, now: now[0], known: known,
            events: events.eachOnce, attributions: Attributions(actions: actions), checkpoints: checkpoints,
            held: names.held(held))
    }

    /// Locks the accounts that anything loaded names, in order of their ids, and adds them and all that they are
    /// computed from to what is loaded. No other transaction changes them until this one ends.
    ///
    /// - Parameters:
    ///   - task: that a request is to charge.
    ///   - whole: the subscriptions of which all events are read.
    ///   - waits: if not, accounts whose rows, or whose subscriptions' rows, another transaction holds are left unlocked.
    /// - Returns: those that were left unlocked: nothing of them may be changed.
    package func lockAccounts(
        _ loaded: inout LoadedAccounts, task: UUID? = nil, whole: WholeHistories = .all, waits: Bool = true
    ) async throws -> HeldElsewhere {
        var users = loaded.namedAccounts
        if loaded.inForce.policy.matchByEmail {
            let emails = Set(loaded.related.compactMap { $0.event.email?.lowercased() })
            users.formUnion(try await fetch(.accounts(withEmails: emails)))
        }
        let names = Set(loaded.related.compactMap(\.event.subscriptionID))
        let (locked, held, now, rows, others, checkpoints, charges, subscriptions, buckets, grants, charged) =
            try await fetch(
                .locking(accounts: users, waits: waits), .heldSubscriptions(users: users, names: names, waits: waits),
                nowQuery, .rows(of: users),
                .events(of: users, besides: names, whole), .checkpoints(of: users, whole),
                .charges(users: users, lines: Set(names.map(BucketSeries.subscription))),
                .subscriptions(users: users, names: names, loaded.catalog), .buckets(of: users), .grants(of: users),
                .entry(ofTask: task))
        loaded.now = now[0]
        loaded.accounts = rows
        let known = Set(loaded.related.map(\.id))
        loaded.others = others.eachOnce.filter { !known.contains($0.id) }
        for checkpoint in checkpoints { loaded.checkpoints[checkpoint.subscriptionID] = checkpoint }
        loaded.charges = charges
        loaded.subscriptions = subscriptions.compactMap(\.self)
        loaded.buckets = buckets
        loaded.grants = grants.grants
        loaded.charged = charged.first?.entry
        let events = loaded.related + loaded.others
        // When units were used matters only where a refund takes the rest (R18).
        if loaded.inForce.policy.refundUnits == .take, events.contains(where: \.event.isFullRefund) {
            let lines = Set(events.compactMap(\.event.subscriptionID).map(BucketSeries.subscription))
            loaded.usage = try await usage(lines: lines)
        }
        var elsewhere = HeldElsewhere()
        if !waits {
            elsewhere.accounts = Set(rows.map(\.userID)).subtracting(locked).union(held.map(\.userID))
            elsewhere.subscriptions = Set(held.compactMap(\.subscription))
        }
        return elsewhere
    }

    // MARK: Single questions

    /// The newest settings that decide; nil: none are stored yet.
    package func settings() async throws -> StoredSettings? { try await fetch(.settings).first }

    /// The same, once no other transaction changes them.
    package func lockSettings() async throws -> StoredSettings? {
        let (_, settings) = try await fetch(Query<Void>(.lockOfSettings), .settings)
        return settings.first
    }

    package func insert(_ settings: StoredSettings) async throws {
        try await run(StoredSettings.table.insert([settings]))
    }

    package func catalog() async throws -> PlanCatalog {
        try await catalog(of: try await fetch(.catalogVersion).first).catalog
    }

    /// The catalogue that this process knows if it is of that version, else as the database has it.
    ///
    /// Each statement sees what is committed when it begins. If the version is the same before and after the others, no
    /// change was committed in between, since every change counts it up: then the catalogue is that version's, and is
    /// kept. No transaction that changes the catalogue asks for it, so that none keeps what is rolled back.
    private func catalog(of version: Int?) async throws -> (catalog: PlanCatalog, version: Int) {
        guard var version else { throw StoreError.schema("the table catalog_version is empty: run `validate-schema`") }
        if let known = catalogs.catalog(of: version) { return (known, version) }
        while true {
            let (plans, variants, terms, after) = try await fetch(.plans, .variants, .terms, .catalogVersion)
            if after == [version] {
                let catalog = PlanCatalog(plans, variants, terms)
                catalogs.keep(catalog, of: version)
                return (catalog, version)
            }
            version = after.first ?? version
        }
    }

    /// All events that the rules read of what is named, and of these accounts, as far as they can be read; in order of
    /// arrival. To be shown: a fold reads all or none.
    package func events(_ relations: Relations, users: Set<UUID>) async throws -> Listing<StoredEvent> {
        let (related, own) = try await fetch(
            Query<StoredEvent>.related(to: relations).each, Query<StoredEvent>.events(of: users).each)
        let all = Listing(related + own)
        return Listing(all.rows.eachOnce.map { .success($0) }, further: all.unreadable)
    }

    package func charges(users: Set<UUID>, lines: Set<BucketSeries>) async throws -> [ChargeRow] {
        try await fetch(.charges(users: users, lines: lines))
    }

    /// When units of these lines were used, by tasks and by other programs (R18).
    package func usage(lines: Set<BucketSeries>) async throws -> [Usage] {
        try await fetch(
            Query<Usage>(
                """
                select line, begins_at, created_at, -units as units from \(
                    "compute_unit_ledger", as: "l", where: "line", in: lines,
                    and: "kind in ('consume', 'external') and line <> 'free'")
                """
            ) { row in
                Usage(
                    line: try row["line"], begin: try row["begins_at"],
                    at: try row["created_at", as: Date.self].wholeSeconds, units: try row["units"])
            })
    }

    /// The plans that operators gave these accounts, also those that have ended (R19).
    package func grants(of users: Set<UUID>) async throws -> [UUID: [GrantedPlan]] {
        try await fetch(.grants(of: users)).grants
    }

    package func attributions(of subscriptions: Set<String>) async throws -> Attributions {
        Attributions(actions: try await fetch(.attributions(of: Relations(subscriptions: subscriptions))))
    }

    /// The ledger's entry for a task; nil if it was not charged yet (R15).
    package func entry(task: UUID) async throws -> LedgerEntry? { try await fetch(.entry(ofTask: task)).first?.entry }

    package func buckets(of user: UUID) async throws -> [Bucket] { try await fetch(.buckets(of: [user])).map(\.bucket) }

    /// Locks an account's row; nil if there is no such account.
    package func lockAccount(_ id: UUID) async throws -> AccountRow? {
        let (_, rows) = try await fetch(.locking(accounts: Set([id]), waits: true), .rows(of: Set([id])))
        return rows.first
    }

    // MARK: What accounts and events are about

    /// What these accounts' events and rows, and claims on these accounts, are about.
    ///
    /// - Parameter matchByEmail: whether an e-mail is a claim, where the database has no settings of its own.
    package func relations(of users: Set<UUID>, matchByEmail: Bool) async throws -> Relations {
        guard !users.isEmpty else { return Relations() }
        let rows = try await fetch(.relations(of: users, matchByEmail: matchByEmail))
        return Relations(
            customers: Set(rows.compactMap(\.customer)), subscriptions: Set(rows.compactMap(\.subscription)))
    }

    /// What these events are about.
    package func relations(ofEvents ids: [UUID]) async throws -> Relations {
        let rows = try await fetch(
            Query<(String?, String?, String?, String?)>(
                """
                select customer_id, subscription_id, case kind when 'order' then data_id end,
                    case kind when 'subscription' then order_id end
                from \("webhook_events", as: "e", where: "id", in: Set(ids))
                """
            ) { (try $0.next(), try $0.next(), try $0.next(), try $0.next()) })
        return Relations(
            customers: Set(rows.compactMap(\.0)), subscriptions: Set(rows.compactMap(\.1)),
            orders: Set(rows.compactMap(\.2)), purchases: Set(rows.compactMap(\.3)))
    }
}

extension LoadedAccounts {
    /// All that anything which is loaded names.
    fileprivate var namedAccounts: Set<UUID> {
        asked.union(related.compactMap(\.userID)).union(related.compactMap(\.event.claimedUserID))
            .union(attributions.bindings.values).union(attributions.matches.values)
    }
}

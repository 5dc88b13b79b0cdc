public import Billing
import Databases
public import Foundation
public import Selextract
public import Storage

/// What an operator does. Accounts are brought up to date in the same transaction, or right after.
extension Store {
    /// The account that a person names by its id or its e-mail.
    ///
    /// - Throws: `StoreError.notFound`; `.conflict` if more than one account has the e-mail.
    public func user(named who: String) async throws -> User {
        if let id = UUID(uuidString: who) {
            guard let user = try await user(id: id) else { throw StoreError.notFound("account “\(who)”") }
            return user
        }
        let users = try await users(email: who)
        guard let user = users.first else { throw StoreError.notFound("account “\(who)”") }
        guard users.count == 1 else {
            let each = users.map { "\($0.email) (\($0.id.text))" }.joined(separator: ", ")
            throw StoreError.conflict("\(users.count) accounts have the e-mail “\(who)”: name one by its id: \(each)")
        }
        return user
    }

    /// Creates an account, and gives it what already waits for it (R3).
    ///
    /// - Throws: as ``createUser(_:)``.
    public func createAccount(_ new: NewUser, policy: BillingPolicy) async throws -> User {
        let user = try await createUser(new)
        try await transaction { transaction in
            _ = try await Fold(transaction, policy: policy).refresh(users: [user.id])
        }
        return try await self.user(id: user.id) ?? user
    }

    /// Deletes an account with all that is its. What it had bought waits for an account of that id (R3).
    ///
    /// - Parameters:
    ///   - erase: also removes what is personal from its stored events (R20); then the account may have been deleted
    ///     before.
    /// - Returns: how many events were erased.
    /// - Throws: `StoreError.notFound`.
    @discardableResult
    public func deleteAccount(_ id: UUID, erase: Bool = false, policy: BillingPolicy) async throws -> Int {
        try await transaction { transaction in
            let fold = Fold(transaction, policy: policy)
            let scope = try await fold.scope(of: [id])
            _ = try await transaction.lockRelated(scope)
            let erased = erase ? try await transaction.eraseEvents(of: id, at: try await transaction.now()) : 0
            guard try await transaction.deleteUser(id) || erased > 0 else {
                throw StoreError.notFound("account “\(id.text)”")
            }
            try await fold.refresh(users: [], relations: scope)
            return erased
        }
    }

    /// Gives an account a plan that no event takes back (R19).
    ///
    /// - Parameters:
    ///   - until: when it ends, UTC; nil: until it is ended.
    ///   - reason: why, for the record.
    /// - Throws: `StoreError.notFound` for the account or the plan; `.conflict` if it would end before it begins.
    public func grant(
        _ plan: String, to user: UUID, until: Date?, reason: String, by operator: Operator = .local,
        policy: BillingPolicy
    ) async throws {
        try await transaction { transaction in
            try await transaction.once(`operator`)
            guard try await transaction.catalog().plans[plan] != nil else {
                throw StoreError.notFound("plan “\(plan)”")
            }
            if let until, until <= (try await transaction.now()) {
                throw StoreError.conflict("the plan would end at \(until.formatted(.iso8601)), which has passed")
            }
            try await record(.grant(plan: plan, until: until), of: user, reason, by: `operator`, transaction, policy)
        }
    }

    /// Ends all plans that were granted to an account and still run (R19).
    ///
    /// - Throws: `StoreError.notFound` for the account; `.conflict` if none runs.
    public func endGrants(
        of user: UUID, reason: String?, by operator: Operator = .local, policy: BillingPolicy
    ) async throws {
        try await transaction { transaction in
            try await transaction.once(`operator`)
            let now = try await transaction.now()
            let grants = try await transaction.grants(of: [user])[user] ?? []
            guard grants.contains(where: { $0.until.map { $0 > now } ?? true }) else {
                throw StoreError.conflict("no granted plan of that account runs")
            }
            try await record(.endGrants, of: user, reason, by: `operator`, transaction, policy)
        }
    }

    private func record(
        _ kind: OperatorAction.Kind, of user: UUID, _ reason: String?, by operator: Operator,
        _ transaction: StoreTransaction, _ policy: BillingPolicy
    ) async throws {
        let fold = Fold(transaction, policy: policy)
        // In the order in which a fold locks.
        _ = try await transaction.lockRelated(try await fold.scope(of: [user]))
        guard try await transaction.lockAccount(user) != nil else {
            throw StoreError.notFound("account “\(user.text)”")
        }
        try await transaction.insert(OperatorAction(userID: user, kind: kind, reason: reason, by: `operator`))
        try await fold.refresh(users: [user])
    }

    /// Makes a subscription an account's, whatever its events claim (R5). Both the old and the new account are computed
    /// again, and what else the provider's customer has.
    ///
    /// - Throws: `StoreError.notFound` if nothing is stored of that subscription.
    public func bind(
        subscription: String, to user: UUID, reason: String?, by operator: Operator = .local, policy: BillingPolicy
    ) async throws {
        try await transaction { transaction in
            try await transaction.once(`operator`)
            let events = try await transaction.events(Relations(subscriptions: [subscription]), users: [])
            guard !events.isEmpty else { throw StoreError.notFound("event of a subscription “\(subscription)”") }
            try await transaction.insert(
                OperatorAction(userID: user, kind: .bind(subscription: subscription), reason: reason, by: `operator`))
            try await Fold(transaction, policy: policy).refresh(
                users: [user],
                relations: Relations(
                    customers: Set(events.compactMap(\.event.customerID)), subscriptions: [subscription]))
        }
    }

    /// Gives an account units, or takes some (R15): an entry of its own in the ledger, on the month that is current.
    ///
    /// - Parameter units: positive to give, negative to take.
    /// - Throws: `UnitRefusal` if more would be taken than is left; `StoreError.notFound`.
    public func adjust(
        _ user: UUID, units: Int, reason: String, by operator: Operator = .local, policy: BillingPolicy
    ) async throws -> LedgerEntry {
        let request = UnitRequest(userID: user, kind: .adjust(reason: reason), units: units)
        return try await transaction { transaction in
            try await transaction.once(`operator`)
            return try await Fold(transaction, policy: policy).grant(request, by: `operator`)
        }
    }

    /// Discards events that wait: from now on they count for nothing, whatever comes later, until they are retried (R3).
    /// The accounts for which one of them counted, as one whose plan alone is unknown does, are computed without it.
    ///
    /// - Parameter reason: why, for the record.
    /// - Returns: the events as they are now, in the order given.
    /// - Throws: `StoreError.notFound` if one of them is not stored; `.conflict` if one does not wait. Then none was
    ///   discarded.
    public func discard(
        events ids: [UUID], reason: String, by operator: Operator = .local, policy: BillingPolicy
    ) async throws -> [EventRecord] {
        try await transaction { transaction in
            try await transaction.once(`operator`)
            // In the order in which a fold locks.
            let scope = try await transaction.relations(ofEvents: ids)
            _ = try await transaction.lockRelated(scope)
            let events = try await transaction.lockEvents(ids)
            let stored = Dictionary(uniqueKeysWithValues: events.map { ($0.decision.eventID, $0.decision) })
            for id in ids {
                guard let decision = stored[id] else { throw StoreError.notFound("event “\(id.text)”") }
                guard decision.outcome.waits else {
                    let what = EventDecision.isDiscarded(decision.outcome, decision.reason) ? "discarded already" : nil
                    throw StoreError.conflict(
                        "event “\(id.text)” is \(what ?? decision.outcome.rawValue): only what is parked, failed or "
                            + "quarantined can be discarded")
                }
            }
            try await transaction.discard(events, reason: reason, by: `operator`)
            try await Fold(transaction, policy: policy, whole: .all).refresh(
                users: Set(events.compactMap(\.decision.userID)), relations: scope)
        }
        return try await eventRecords(ids)
    }

    /// Decides parked, failed, quarantined and discarded events again, as if they had just come; others stay as they are.
    ///
    /// - Parameter operator: who wants it, for the record.
    /// - Returns: the events as they are now, in the order given, and whether anything became of them.
    /// - Throws: `StoreError.notFound` if one of them is not stored.
    public func retry(
        events ids: [UUID], by operator: Operator = .local, policy: BillingPolicy
    ) async throws -> (events: [EventRecord], haveChanged: Bool) {
        let before = try await eventRecords(ids)
        let acts = before.filter { $0.outcome.waits || $0.isDiscarded }
            .map { RecordedAct(.retry, subscription: $0.subscriptionID, event: $0.id) }
        let waiting = acts.compactMap(\.event)
        if !waiting.isEmpty {
            try await transaction { transaction in
                try await transaction.once(`operator`)
                try await transaction.record(acts, by: `operator`)
                let rows = try await transaction.inbox(ids: waiting)
                let fold = Fold(transaction, policy: policy)
                let acceptance = try await fold.inForce().policy.acceptance
                try await transaction.reread(
                    rows.filter { $0.outcome == .quarantined || $0.isDiscarded }, acceptance, takingBack: true)
                try await fold.retry(
                    try await transaction.inbox(ids: waiting)
                        .filter { $0.outcome != .quarantined && !$0.isDiscarded }.map(\.id))
            }
        }
        let after = try await eventRecords(ids)
        return (after, zip(before, after).contains { $0.outcome != $1.outcome || $0.reason != $1.reason })
    }

    private func eventRecords(_ ids: [UUID]) async throws -> [EventRecord] {
        var records: [EventRecord] = []
        for id in ids {
            guard let record = try await eventRecord(id) else {
                throw StoreError.notFound("event “\(id.text)”")
            }
            records.append(record)
        }
        return records
    }

    /// Releases what waited for a variant or an account that is known now (R3).
    ///
    /// - Returns: how many subscriptions were looked at.
    @discardableResult
    public func release(policy: BillingPolicy) async throws -> Int {
        var seen: Set<String> = []
        while true {
            let before = seen
            let found = try await transaction { transaction in
                let fold = Fold(transaction, policy: policy)
                let found = try await transaction.releasable(
                    limit: 500, matchByEmail: try await fold.inForce().policy.matchByEmail, except: before)
                if !found.isEmpty { try await fold.refresh(users: [], relations: Relations(subscriptions: found)) }
                return found
            }
            if found.isEmpty { return seen.count }
            seen.formUnion(found)
        }
    }
}

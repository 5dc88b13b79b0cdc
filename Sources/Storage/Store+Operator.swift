public import Billing
public import Foundation
public import Selextract

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
            throw StoreError.conflict("\(users.count) accounts have the e-mail “\(who)”: name one by its id")
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
    /// - Throws: `StoreError.notFound`.
    public func deleteAccount(_ id: UUID, policy: BillingPolicy) async throws {
        try await transaction { transaction in
            let fold = Fold(transaction, policy: policy)
            let scope = try await fold.lockedScope(of: [id])
            guard try await transaction.deleteUser(id) else { throw StoreError.notFound("account “\(id.text)”") }
            try await fold.refresh(users: [], subscriptions: scope.subscriptions, customers: scope.customers)
        }
    }

    /// Makes a subscription an account's, whatever its events claim (R5). Both the old and the new account are computed
    /// again, and what else the provider's customer has.
    ///
    /// - Throws: `StoreError.notFound` if nothing is stored of that subscription.
    public func bind(
        subscription: String, to user: UUID, reason: String?, policy: BillingPolicy
    ) async throws {
        try await transaction { transaction in
            let events = try await transaction.events(customers: [], subscriptions: [subscription], users: [])
            guard !events.isEmpty else { throw StoreError.notFound("event of a subscription “\(subscription)”") }
            try await transaction.insert(
                OperatorAction(userID: user, kind: .bind(subscription: subscription), reason: reason))
            try await Fold(transaction, policy: policy).refresh(
                users: [user], subscriptions: [subscription], customers: Set(events.compactMap(\.event.customerID)))
        }
    }

    /// Gives an account units, or takes some (R15): an entry of its own in the ledger, on the month that is current.
    ///
    /// - Parameter units: positive to give, negative to take.
    /// - Throws: `UnitRefusal` if more would be taken than is left; `StoreError.notFound`.
    public func adjust(
        _ user: UUID, units: Int, reason: String, policy: BillingPolicy
    ) async throws -> LedgerEntry {
        let request = UnitRequest(userID: user, kind: .adjust(reason: reason), units: units)
        return try await transaction { try await Fold($0, policy: policy).grant(request) }
    }

    /// Decides parked and failed events again, as if they had just come; others stay as they are.
    ///
    /// - Returns: the events as they are now, in the order given.
    /// - Throws: `StoreError.notFound` if one of them is not stored.
    public func retry(events ids: [UUID], policy: BillingPolicy) async throws -> [EventRecord] {
        let waiting = try await eventRecords(ids).filter { $0.outcome == .parked || $0.outcome == .failed }
        if !waiting.isEmpty {
            try await transaction { transaction in
                let arrivals = try await transaction.retryable(
                    waiting.map(\.id), at: try await transaction.now(), limit: waiting.count)
                try await Fold(transaction, policy: policy).refresh(
                    users: [], subscriptions: Set(waiting.compactMap(\.subscriptionID)),
                    customers: Set(waiting.compactMap(\.customerID)), arrivals: arrivals)
            }
        }
        return try await eventRecords(ids)
    }

    private func eventRecords(_ ids: [UUID]) async throws -> [EventRecord] {
        var records: [EventRecord] = []
        for id in ids {
            guard let record = try await eventRecord(id) else {
                throw StoreError.notFound("event “\(id.uuidString.lowercased())”")
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
                let found = try await transaction.releasable(
                    limit: 500, matchByEmail: policy.matchByEmail, except: before)
                if !found.isEmpty {
                    _ = try await Fold(transaction, policy: policy).refresh(users: [], subscriptions: found)
                }
                return found
            }
            if found.isEmpty { return seen.count }
            seen.formUnion(found)
        }
    }
}

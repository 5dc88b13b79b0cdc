import Foundation

/// The events of one fold: whose they are (R5, R18), in which accounts they count, and what becomes of them (R2, R3).
struct EventGroup {
    /// The events of one account.
    struct Own {
        /// Of its subscriptions that are not related to the events at hand, so that they stay this account's.
        var others: [BillingEvent] = []
        /// Of the related subscriptions, which may change hands: those that counted for this account before, and that
        /// do now.
        var before: [BillingEvent] = []
        var after: [BillingEvent] = []
        /// To be decided, in order.
        var arriving: [BillingEvent] = []
    }

    let claims: OwnershipClaims
    /// Of the related subscriptions, as it is now.
    let owners: [String: Ownership]
    private let orders: OrderOwners
    /// Accounts that are to be folded, those that do not exist included.
    let concerned: Set<UUID>
    private let loaded: LoadedAccounts
    private let arrived: Set<UUID>
    private var own: [UUID: Own] = [:]

    init(_ loaded: LoadedAccounts, arrivals: [UUID]) {
        self.loaded = loaded
        arrived = Set(arrivals)
        let events = loaded.related.map(\.event)
        let known = KnownAccounts(
            ids: Set(loaded.accounts.map(\.userID)),
            byEmail: Dictionary(
                loaded.accounts.compactMap { account in account.email.comparedAsEmail.map { ($0, [account.userID]) } }
            ) { Set($0).union($1) })
        let claims = OwnershipClaims(
            events: events, attributions: loaded.attributions, accounts: known,
            matchByEmail: loaded.inForce.policy.matchByEmail)
        self.claims = claims
        owners = Dictionary(uniqueKeysWithValues: claims.subscriptions.map { ($0, claims.owner(of: $0)) })
        orders = OrderOwners(events: events, owners: owners, accounts: known)
        var concerned = loaded.asked.union(loaded.related.compactMap(\.userID)).union(orders.accounts)
        for case .account(let user) in owners.values { concerned.insert(user) }
        self.concerned = concerned
        group(arrivals)
    }

    private mutating func group(_ arrivals: [UUID]) {
        var arriving: [UUID: BillingEvent] = [:]
        for stored in loaded.related where !stored.isUndecodable {
            if arrived.contains(stored.id) {
                arriving[stored.id] = stored.event
                continue
            }
            if let user = stored.userID { own[user, default: Own()].before.append(stored.event) }
            if let user = account(of: stored.event) { own[user, default: Own()].after.append(stored.event) }
        }
        for event in arrivals.compactMap({ arriving[$0] }) {
            if let user = account(of: event) { own[user, default: Own()].arriving.append(event) }
        }
        for stored in loaded.others where !stored.isUndecodable {
            if let user = stored.userID { own[user, default: Own()].others.append(stored.event) }
        }
    }

    func events(of user: UUID) -> Own { own[user] ?? Own() }

    /// nil: nobody's, or more than one account's.
    private func account(of event: BillingEvent) -> UUID? {
        if event.isOrder { return orders.owner(of: event) }
        if case .account(let user)? = event.subscriptionID.flatMap({ owners[$0] }) { return user }
        return nil
    }

    /// What became of the arrivals, and of stored events that wait no longer, or wait now.
    ///
    /// - Parameter applied: the arrivals that changed something.
    func decisions(_ applied: Set<UUID>) -> [EventDecision] {
        let parking = Parking(catalog: loaded.catalog, events: loaded.related.map(\.event), now: loaded.now)
        return loaded.related.compactMap { stored in
            let isArriving = arrived.contains(stored.id)
            var decision = stored.decision
            decision.userID = account(of: stored.event)
            let owner = stored.event.subscriptionID.flatMap { owners[$0] } ?? .unknown
            if stored.isUndecodable {
                // Waits for a program that can read it; only its account may become known.
            } else if let waits = parking.reason(stored.event, owner: owner) {
                (decision.outcome, decision.reason) = (.parked, waits.rawValue)
            } else if stored.event.isOrder, isArriving || stored.outcome != .applied {
                // It is applied only if it takes units (R18).
                (decision.outcome, decision.reason) = (applied.contains(stored.id) ? .applied : .ignored, nil)
            } else if isArriving {
                (decision.outcome, decision.reason) = (applied.contains(stored.id) ? .applied : .unchanged, nil)
            } else if stored.outcome == .parked || stored.outcome == .failed {
                (decision.outcome, decision.reason) = (.applied, "released")
            }
            return isArriving || decision != stored.decision ? decision : nil
        }
    }
}

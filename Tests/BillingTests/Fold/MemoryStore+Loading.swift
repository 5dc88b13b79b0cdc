import Billing
import Foundation
import LemonSqueezy

extension MemoryStore.Row {
    /// What the rules read of it; nil: nothing, or it is put aside.
    fileprivate var stored: StoredEvent? {
        guard decision.outcome != .quarantined, decision.outcome != .rejected,
            let read = event.billingEvent(id: id)
        else { return nil }
        return StoredEvent(
            event: read, isUndecodable: read.fact == .none, outcome: decision.outcome, reason: decision.reason,
            userID: decision.userID)
    }

    fileprivate var orderID: String? { event.snapshot?.orderID ?? event.order?.orderID }
}

extension MemoryStore {
    func known(_ events: [InboxEvent]) -> [DeliveryBatch.Known] {
        let digests = Set(events.map(\.digest))
        return inbox.filter { digests.contains($0.event.digest) }.map {
            DeliveryBatch.Known(digest: $0.event.digest, decision: $0.decision, attempts: $0.attempts)
        }
    }

    /// What is stored of what is named, and of what that leads to.
    func related(
        to relations: Relations, events: [InboxEvent] = []
    ) -> (loaded: LoadedAccounts, known: [DeliveryBatch.Known]) {
        var scope = relations
        while true {
            let names = subscriptions(of: scope)
            let orders = scope.orders.union(scope.purchases).union(
                inbox.filter { $0.event.subscriptionID.map(names.contains) ?? false }.compactMap(\.orderID))
            let related = inbox.filter { row in
                if let name = row.event.subscriptionID, names.contains(name) { return true }
                guard row.event.kind == .order else { return false }
                return row.orderID.map(orders.contains) ?? false
                    || row.event.customerID.map(scope.customers.contains) ?? false
            }.compactMap(\.stored)
            var wider = scope
            wider.customers.formUnion(related.compactMap(\.event.customerID))
            if wider == scope {
                let loaded = LoadedAccounts(
                    now: now, inForce: inForce, catalog: catalog, related: related,
                    attributions: Attributions(actions: actions))
                return (loaded, known(events))
            }
            scope = wider
        }
    }

    /// Named, of the customers named, and bought with the orders named.
    private func subscriptions(of relations: Relations) -> Set<String> {
        relations.subscriptions.union(
            inbox.filter { row in
                row.event.customerID.map(relations.customers.contains) ?? false
                    || row.orderID.map(relations.orders.contains) ?? false
            }.compactMap(\.event.subscriptionID))
    }

    /// Adds the accounts that anything names, and what they are computed from.
    func lockAccounts(_ loaded: inout LoadedAccounts, task: UUID? = nil) {
        let events = loaded.related.map(\.event)
        var users = loaded.asked.union(loaded.related.compactMap(\.userID)).union(events.compactMap(\.claimedUserID))
            .union(loaded.attributions.bindings.values).union(loaded.attributions.matches.values)
        if inForce.policy.matchByEmail {
            let emails = Set(events.compactMap { $0.email?.lowercased() })
            users.formUnion(accounts.values.filter { emails.contains($0.email.lowercased()) }.map(\.userID))
        }
        let names = Set(events.compactMap(\.subscriptionID))
        loaded.accounts = accounts.values.filter { users.contains($0.userID) }.map { row in
            var row = row
            row.lastEntry = ledger.last { $0.entry.userID == row.userID }?.entry
            return row
        }.sorted { $0.userID.uuidString < $1.userID.uuidString }
        let known = Set(loaded.related.map(\.id))
        let own = inbox.filter { row in
            if let user = row.decision.userID { return users.contains(user) }
            return row.event.kind == .order && row.event.claimedUserID.map(users.contains) ?? false
        }
        loaded.others = own.compactMap(\.stored).filter { !known.contains($0.id) }
        let lines = Set(names.union(own.compactMap(\.event.subscriptionID)).map(BucketSeries.subscription))
        loaded.charges = charges.filter { users.contains($0.key.userID) || lines.contains($0.key.line) }
            .map { ChargeRow(userID: $0.key.userID, charge: $0.value) }
        loaded.subscriptions = subscriptions.values.filter {
            users.contains($0.userID) || names.contains($0.state.id)
        }
        loaded.buckets = buckets.values.filter { users.contains($0.userID) }
        loaded.grants = grants.filter { users.contains($0.userID) }.grants
        if inForce.policy.refundUnits == .take {
            loaded.usage = usage.filter { lines.contains($0.line) }
        }
        loaded.charged = task.flatMap { task in ledger.first { $0.entry.taskID == task }?.entry }
    }

    /// What tasks and other programs used, by the ledger.
    private var usage: [Usage] {
        ledger.filter { [.consume, .external].contains($0.entry.kind) }.map {
            Usage(line: $0.entry.line, begin: $0.entry.begin, at: $0.at.wholeSeconds, units: -$0.entry.units)
        }
    }

    /// All that concerns accounts, and what is named beside them.
    func loaded(_ users: Set<UUID>, _ relations: Relations = Relations(), task: UUID? = nil) -> LoadedAccounts {
        let own = inbox.map(\.event).enumerated().filter { index, event in
            inbox[index].decision.userID.map(users.contains) ?? false
                || event.claimedUserID.map(users.contains) ?? false
                || inForce.policy.matchByEmail && inbox[index].decision.outcome == .parked
                    && accounts.values.contains {
                        users.contains($0.userID) && $0.email.lowercased() == event.email?.lowercased()
                    }
        }.map(\.element)
        let rows = subscriptions.values.filter { users.contains($0.userID) && $0.state.grant == nil }
        let scope = Relations(
            customers: Set(own.compactMap(\.customerID) + rows.compactMap(\.state.customerID)),
            subscriptions: Set(own.compactMap(\.subscriptionID) + rows.map(\.state.id)))
        var loaded = related(to: scope.union(relations)).loaded
        loaded.asked = users
        lockAccounts(&loaded, task: task)
        return loaded
    }
}

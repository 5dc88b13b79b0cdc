import Foundation

// With checkpoints, a transaction goes: load what they read; if `outgrownCheckpoints` names some, load those whole;
// fold; if `voidCheckpoints` names some, load those whole and fold again; save; of what was loaded whole, save or
// delete the checkpoint as `madeCheckpoints` says.
extension LoadedAccounts {
    /// The subscriptions of which so much was read beside their checkpoint that a newer one is worth making: to be
    /// loaded whole.
    public var outgrownCheckpoints: Set<String> {
        Set(checkpoints.values.filter { $0.isOutgrown(by: related + others, at: now) }.map(\.subscriptionID))
    }

    /// The checkpoints of the subscriptions that were loaded whole, as they are after a fold; those that get none are
    /// to have none.
    ///
    /// - Parameters:
    ///   - folded: what the fold of this led to, with no void checkpoints.
    ///   - most: with no more events than that a subscription gets none.
    public func madeCheckpoints(
        _ folded: FoldedAccounts, beyond most: Int = Checkpoint.mostRead
    ) -> [Checkpoint] {
        let loaded = related + others
        // Most histories are short, and need no look.
        var lengths: [String: Int] = [:]
        for stored in loaded { if let id = stored.event.subscriptionID { lengths[id, default: 0] += 1 } }
        let long = Set(lengths.filter { $0.value > most }.keys).subtracting(checkpoints.keys)
        if long.isEmpty { return [] }
        var stored: [StoredEvent] = []
        for var event in loaded {
            if let decision = folded.decisions[event.id] {
                (event.outcome, event.reason, event.userID) = (decision.outcome, decision.reason, decision.userID)
            }
            stored.append(event)
        }
        let owned = Dictionary(grouping: stored.filter { $0.userID != nil }, by: \.userID)
        let book = ChargeBook(charges + folded.changes.charges)
        return folded.found.flatMap { row -> [Checkpoint] in
            let own = owned[row.userID] ?? []
            let ids = Set(own.compactMap(\.event.subscriptionID))
            let candidates = ids.intersection(long).filter { id in
                own.count { $0.event.subscriptionID == id } > most
            }
            if candidates.isEmpty { return [] }
            let account = Account(
                userID: row.userID, createdAt: row.createdAt, events: own.map(\.event),
                charges: book.charges(of: row.userID, lines: Set(ids.map(BucketSeries.subscription))))
            let firstTrial = account.histories(at: now).firstTrial
            return candidates.sorted().compactMap { id in
                CheckpointMaking(
                    id: id,
                    stored: stored.filter {
                        $0.event.subscriptionID == id || $0.event.isOrder && $0.userID == row.userID
                    },
                    account: account, circumstances: circumstances(owner: row.userID), firstTrial: firstTrial
                ).latest()
            }
        }
    }

    /// Those that events, or whose it is, make void.
    func voidCheckpoints(_ group: EventGroup, arrivals: Set<UUID>) -> Set<String> {
        guard !checkpoints.isEmpty else { return [] }
        let events = Dictionary(grouping: related + others) { $0.event.isOrder ? nil : $0.event.subscriptionID }
        let orders = events[nil] ?? []
        return Set(
            checkpoints.values.filter { checkpoint in
                let id = checkpoint.subscriptionID
                let own = events[id] ?? []
                let owner: UUID? =
                    switch group.owners[id] {
                    case .account(let user): user
                    case .ambiguous, .unknown: nil
                    // It is not related to what is at hand, and stays whose it is.
                    case nil: own.first?.userID
                    }
                return checkpoint.isVoid(own + orders, arriving: arrivals, circumstances(owner: owner))
            }.map(\.subscriptionID))
    }

    func isClosed(_ line: BucketSeries, _ begin: Date) -> Bool {
        checkpoints[line.rawValue].map { begin < $0.closedBefore } ?? false
    }

    private func circumstances(owner: UUID?) -> Checkpoint.Circumstances {
        Checkpoint.Circumstances(
            now: now, inForce: inForce, catalog: catalog, catalogVersion: catalogVersion, owner: owner)
    }
}

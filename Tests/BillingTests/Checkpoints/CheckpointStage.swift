import Billing
import Foundation
import LemonSqueezy
import Payloads

/// One account as a store has it, and what it would load of it: everything, or what checkpoints read.
struct CheckpointStage {
    var now: Date
    var policy = BillingPolicy()
    var catalog = Case.plans
    var catalogVersion = 0
    private(set) var events: [StoredEvent] = []
    private(set) var row: AccountRow
    private(set) var subscriptions: [String: SubscriptionRow] = [:]
    private(set) var buckets: [BucketRow.Key: BucketRow] = [:]
    private(set) var charges: [BucketRow.Key: Charge] = [:]
    private(set) var entries: [LedgerEntry] = []
    private var usage: [Usage] = []
    var attributions = Attributions()
    /// Further accounts, which may be named.
    var others: [AccountRow] = []

    init(_ user: UUID = Case.user, at now: Date) {
        self.now = now
        row = Self.account(user, "ada@example.com", at: now)
    }

    static func account(_ user: UUID, _ email: String, at now: Date) -> AccountRow {
        AccountRow(
            userID: user, email: email, createdAt: now, tier: "free", unitsRemaining: 100,
            resetDate: now.adding(months: 1), dueAt: now, lastEntry: nil)
    }

    // MARK: Loading

    /// - Parameters:
    ///   - arriving: events that are not stored yet.
    ///   - checkpoints: beside which only what they read is loaded.
    func loaded(_ arriving: [StoredEvent] = [], checkpoints: [Checkpoint] = []) -> LoadedAccounts {
        let checkpoints = Dictionary(uniqueKeysWithValues: checkpoints.map { ($0.subscriptionID, $0) })
        func isOpen(_ line: BucketSeries, _ begin: Date) -> Bool {
            checkpoints[line.rawValue].map { begin >= $0.closedBefore } ?? true
        }
        let read = events.filter { stored in
            guard !stored.event.isOrder, let id = stored.event.subscriptionID, let checkpoint = checkpoints[id] else {
                return true
            }
            let isOpen = stored.outcome == .parked || stored.outcome == .failed
            return isOpen || checkpoint.reads(stored.event)
        }
        var loaded = LoadedAccounts(
            now: now, inForce: PolicyInForce(own: policy, stored: nil), catalog: catalog, related: read + arriving,
            attributions: attributions, asked: [row.userID])
        loaded.accounts = [row] + others
        loaded.catalogVersion = catalogVersion
        loaded.checkpoints = checkpoints
        loaded.charges = charges.filter { isOpen($0.key.line, $0.key.begin) }
            .map { ChargeRow(userID: $0.key.userID, charge: $0.value) }
        loaded.subscriptions = Array(subscriptions.values)
        loaded.buckets = buckets.values.filter { isOpen($0.bucket.line, $0.bucket.begin) }
        if policy.refundUnits == .take { loaded.usage = usage }
        return loaded
    }

    // MARK: Saving

    mutating func save(_ folded: FoldedAccounts, _ arriving: [StoredEvent] = []) {
        events += arriving
        for index in events.indices {
            guard let decision = folded.decisions[events[index].id] else { continue }
            (events[index].outcome, events[index].reason) = (decision.outcome, decision.reason)
            events[index].userID = decision.userID
        }
        for changed in folded.changes.accounts where changed.userID == row.userID { row = changed }
        for id in folded.changes.removedSubscriptions { subscriptions[id] = nil }
        for changed in folded.changes.subscriptions { subscriptions[changed.state.id] = changed }
        for key in folded.changes.removedBuckets { buckets[key] = nil }
        for changed in folded.changes.buckets { buckets[changed.key] = changed }
        for added in folded.changes.charges {
            let key = BucketRow.Key(userID: added.userID, line: added.charge.line, begin: added.charge.begin)
            guard var charge = charges[key] else {
                charges[key] = added.charge
                continue
            }
            charge.consumed += added.charge.consumed
            charge.adjusted += added.charge.adjusted
            charges[key] = charge
        }
        entries += folded.changes.entries
        row.lastEntry = entries.last
        usage += folded.changes.entries.filter { [.consume, .external].contains($0.kind) }.map {
            Usage(line: $0.line, begin: $0.begin, at: folded.changes.at.wholeSeconds, units: -$0.units)
        }
    }

    /// Another program writes the balance.
    mutating func write(units: Int) { row.unitsRemaining = units }

    /// Takes an event's outcome back.
    mutating func decide(_ id: UUID, _ outcome: Outcome) {
        for index in events.indices where events[index].id == id { events[index].outcome = outcome }
    }

    /// Loads everything, folds and saves.
    @discardableResult
    mutating func receive(_ bodies: [[UInt8]]) throws -> FoldedAccounts {
        let arriving = bodies.map { Self.stored($0) }.filter { new in
            !events.contains { $0.event.digest == new.event.digest }
        }
        let folded = try loaded(arriving).fold(arriving.map(\.id))
        save(folded, arriving)
        return folded
    }

    /// As a store does it that keeps checkpoints: loads what they read, or more where they do not hold.
    ///
    /// - Returns: how many events were read.
    mutating func receive(_ bodies: [[UInt8]], _ checkpoints: inout [Checkpoint]) throws -> Int {
        let arriving = bodies.map(Self.stored)
        var loaded = loaded(arriving, checkpoints: checkpoints)
        var read = loaded.related.count
        var whole = loaded.outgrownCheckpoints
        var folded = FoldedAccounts(at: now)
        repeat {
            checkpoints.removeAll { whole.contains($0.subscriptionID) }
            if !whole.isEmpty {
                loaded = self.loaded(arriving, checkpoints: checkpoints)
                read += loaded.related.count
            }
            folded = try loaded.fold(arriving.map(\.id))
            whole = folded.voidCheckpoints
        } while !whole.isEmpty
        save(folded, arriving)
        checkpoints += loaded.madeCheckpoints(folded, beyond: Checkpoint.fewestLeftOut)
        return read
    }

    static func stored(_ body: [UInt8]) -> StoredEvent {
        let digest = SHA256.digest(body)
        let id = NSUUID(uuidBytes: Array(digest.prefix(16))) as UUID
        let event = InboxEvent(body: body)
        let read = event.billingEvent(id: id)
        guard let read else { preconditionFailure("the rules read nothing of it") }
        return StoredEvent(
            event: read, isUndecodable: read.fact == .none, outcome: event.outcome, reason: event.reason, userID: nil)
    }
}

extension FoldedAccounts {
    /// What differs from another; nil if nothing does.
    func difference(from other: FoldedAccounts) -> String? {
        func rows(_ rows: [BucketRow]) -> [BucketRow] {
            rows.sorted { ($0.bucket.line.rawValue, $0.bucket.begin) < ($1.bucket.line.rawValue, $1.bucket.begin) }
        }
        if decisions != other.decisions {
            return "decisions: \(decisions.values.map { "\($0)" }.sorted())\n"
                + "instead of \(other.decisions.values.map { "\($0)" }.sorted())"
        }
        if changes.accounts != other.changes.accounts {
            return "accounts: \(changes.accounts)\ninstead of \(other.changes.accounts)"
        }
        if changes.entries != other.changes.entries {
            return "entries: \(changes.entries)\ninstead of \(other.changes.entries)"
        }
        if changes.subscriptions != other.changes.subscriptions {
            return "subscriptions: \(changes.subscriptions)\ninstead of \(other.changes.subscriptions)"
        }
        if rows(changes.buckets) != rows(other.changes.buckets) {
            return "buckets: \(rows(changes.buckets))\ninstead of \(rows(other.changes.buckets))"
        }
        if Set(changes.removedBuckets) != Set(other.changes.removedBuckets) {
            return "removed: \(changes.removedBuckets)\ninstead of \(other.changes.removedBuckets)"
        }
        if changes.charges != other.changes.charges {
            return "charges: \(changes.charges)\ninstead of \(other.changes.charges)"
        }
        if changes.removedSubscriptions != other.changes.removedSubscriptions { return "removed subscriptions" }
        if granted != other.granted { return "granted" }
        return matches == other.matches ? nil : "matches"
    }
}

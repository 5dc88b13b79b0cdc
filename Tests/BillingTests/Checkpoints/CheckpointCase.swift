import Billing
import Foundation
import Payloads

/// A subscription that is paid month after month, and the checkpoint that is made of it.
struct CheckpointCase {
    static let start = Date.utc("2026-01-12 09:30:04")
    var stage: CheckpointStage
    var subscription: ProviderSubscription
    /// The number of the month that was paid last; 0 is the first.
    private(set) var month = 0

    init(_ policy: BillingPolicy = BillingPolicy(), trialUntil: Date? = nil) throws {
        stage = CheckpointStage(at: .utc("2026-01-01 00:00:00"))
        stage.policy = policy
        subscription = ProviderSubscription(
            userID: Case.user, createdAt: Self.start, renewsAt: Self.start.adding(months: 1))
        stage.now = Self.start
        if let trialUntil {
            (subscription.status, subscription.trialEndsAt) = ("on_trial", trialUntil)
            subscription.renewsAt = trialUntil
        }
        try stage.receive([subscription.event("subscription_created"), subscription.order()])
        guard trialUntil == nil else { return }
        try receive(invoice("initial", at: Self.start))
    }

    /// Pays months, up to and including the one with this number, each told by an invoice and two snapshots.
    mutating func pay(through last: Int, invoiced: Bool = true) throws {
        while month < last {
            month += 1
            let due = Self.start.adding(months: month)
            stage.now = due + 60
            if invoiced { try receive(invoice("renewal", at: due + 5)) }
            (subscription.status, subscription.trialEndsAt) = ("active", nil)
            subscription.renewsAt = Self.start.adding(months: month + 1)
            try receive(subscription.event("subscription_updated", at: due + 10))
            try receive(subscription.event("subscription_updated", at: due + 10, snapshotAt: due + 20))
        }
    }

    /// Passes a month in which nothing is told.
    mutating func skip() { month += 1 }

    mutating func consume(_ units: Int, at moment: Date) throws {
        stage.now = moment
        let request = UnitRequest(userID: Case.user, kind: .consume(task: UUID(), inFull: false), units: units)
        stage.save(try stage.loaded().fold([], request))
    }

    mutating func receive(_ body: [UInt8]) throws { try stage.receive([body]) }

    /// An invoice whose number is the moment it was made at.
    func invoice(
        _ reason: String, _ name: String = "subscription_payment_success", status: String = "paid", at: Date,
        told: Date? = nil
    ) -> [UInt8] {
        subscription.invoice(
            name, id: Int(at.timeIntervalSince1970), reason: reason, status: status, createdAt: at, updatedAt: told,
            refundedAt: status == "refunded" ? told : nil)
    }

    /// The subscription as it is, changed, as an event of a moment.
    func snapshot(at moment: Date, _ change: (inout ProviderSubscription) -> Void = { _ in }) -> [UInt8] {
        var subscription = subscription
        change(&subscription)
        return subscription.event("subscription_updated", at: moment)
    }

    /// As the clock's look finds it now.
    mutating func made() throws -> Checkpoint? {
        let loaded = stage.loaded()
        let folded = try loaded.fold()
        stage.save(folded)
        return loaded.madeCheckpoints(folded, beyond: Checkpoint.fewestLeftOut).first {
            $0.subscriptionID == subscription.id
        }
    }

    enum Answer {
        /// The checkpoint does not hold, and says so.
        case void
        /// All is as it is with the whole history.
        case same
        case different
    }

    /// What comes of events beside a checkpoint.
    ///
    /// - Parameter change: what else is otherwise than it was.
    func answer(
        _ checkpoint: Checkpoint, _ bodies: [[UInt8]] = [], _ change: (inout LoadedAccounts) -> Void = { _ in }
    ) throws -> Answer {
        let arriving = bodies.map { CheckpointStage.stored($0) }
        var (whole, reduced) = (stage.loaded(arriving), stage.loaded(arriving, checkpoints: [checkpoint]))
        change(&whole)
        change(&reduced)
        let folded = try reduced.fold(arriving.map(\.id))
        if !folded.voidCheckpoints.isEmpty { return .void }
        return try folded.difference(from: whole.fold(arriving.map(\.id))) == nil ? .same : .different
    }
}

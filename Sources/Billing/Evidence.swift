import Foundation
import LemonSqueezy

/// Why and when a month of a subscription is unlocked (R12).
struct Evidence {
    private let history: SubscriptionHistory
    /// Only the account's first trial gives units.
    private let trialCounts: Bool
    private let charges: [Charge]
    private let claims: [Claim]

    /// What a snapshot says about months: it speaks for those that begin at least a day before `until`; of those that
    /// begin after it was made, only for those that begin before the next one `spoke`.
    private struct Claim {
        var index: Int
        var madeAt: Date
        var until: Date
        var next: Date?
    }

    init(history: SubscriptionHistory, trialCounts: Bool, charges: [Charge]) {
        self.history = history
        self.trialCounts = trialCounts
        self.charges = charges
        var claims: [Claim] = []
        for (index, snapshot) in history.snapshots.enumerated() {
            let until: Date? =
                switch snapshot.status {
                case .active: snapshot.renewsAt
                case .cancelled where index == 0: snapshot.endsAt
                default: nil
                }
            guard let until, until > snapshot.updatedAt else { continue }
            if !claims.isEmpty { claims[claims.count - 1].next = snapshot.updatedAt }
            claims.append(Claim(index: index, madeAt: snapshot.updatedAt, until: until))
        }
        self.claims = claims
    }

    /// The `renews_at` of the newest snapshot that says so; nil if none does.
    var paidThrough: Date? { claims.last?.until }

    /// No month that begins later can be unlocked by what is known.
    var horizon: Date {
        let invoices = history.paidInvoices.map(\.paysFor)
        let resumptions = history.snapshots.enumerated().compactMap { index, snapshot in
            snapshot.isPausedFree ? pauseEnd(index) ?? .distantFuture : nil
        }
        return ([history.start] + claims.map(\.until) + invoices + resumptions + charges.map(\.begin)).max()
            ?? history.start
    }

    /// The moment from which the month gives units; nil while it is locked. Never earlier than its begin.
    func unlocked(_ month: Month) -> Date? {
        var moments = charges.filter { month.contains($0.begin) }.map(\.firstAt)
        if month.isTrial {
            if trialCounts, let trial = history.trial { moments.append(trial.knownAt) }
        } else {
            moments += invoiceMoments(month)
            moments += snapshotMoments(month)
        }
        return moments.min().map { max($0, month.begin) }
    }

    private func invoiceMoments(_ month: Month) -> [Date] {
        let earliest = history.trial?.endsAt.addingTimeInterval(-3600) ?? .distantPast
        return history.paidInvoices
            .filter { $0.createdAt >= earliest && month.contains($0.paysFor) }
            .map(\.updatedAt)
    }

    private func snapshotMoments(_ month: Month) -> [Date] {
        let failure = unpaidFailure(month)
        let pause = voidPause(at: month.begin)
        var moments: [Date] = []
        for claim in claims where covers(claim, month) {
            if let failure, claim.madeAt <= failure { continue }
            guard let pause else {
                moments.append(claim.madeAt)
                continue
            }
            // A month that began while paused was paid for only if that was said before the pause.
            if claim.index < pause, let resumed = activeAgain(after: pause) { moments.append(resumed) }
        }
        guard pause == nil else { return moments }
        moments += firstMonthMoments(month).filter { moment in failure.map { moment > $0 } ?? true }
        if failure == nil, isFreelyPaused(at: month.begin) { moments.append(month.begin) }
        return moments
    }

    private func covers(_ claim: Claim, _ month: Month) -> Bool {
        guard month.begin <= claim.until.addingTimeInterval(-86_400) else { return false }
        guard month.begin > claim.madeAt, let next = claim.next else { return true }
        return month.begin < next
    }

    /// Right after a purchase the provider may send `renews_at` equal to that moment: being active in the first month is
    /// evidence enough for it.
    private func firstMonthMoments(_ month: Month) -> [Date] {
        guard history.trial == nil, month.begin == history.start else { return [] }
        return history.snapshots.enumerated()
            .filter { index, snapshot in
                (snapshot.status == .active || index == 0 && snapshot.status == .cancelled)
                    && snapshot.updatedAt < month.end
            }
            .map(\.element.updatedAt)
    }

    /// When the month's invoice failed last, if it was not paid since.
    private func unpaidFailure(_ month: Month) -> Date? {
        let paid = Set(history.paidInvoices.map(\.invoiceID))
        return history.invoices
            .filter { name, invoice in
                name == .subscriptionPaymentFailed && invoice.billingReason != "updated"
                    && !paid.contains(invoice.invoiceID) && month.contains(invoice.paysFor)
            }
            .map(\.invoice.updatedAt).max()
    }

    // MARK: Pauses

    /// When the pause that the snapshot at `index` tells of ends: at the next snapshot or its own `resumes_at`.
    private func pauseEnd(_ index: Int) -> Date? {
        [history.end(of: index), history.snapshots[index].pause?.resumesAt].compactMap(\.self).min()
    }

    private func pause(at moment: Date, where matches: (Snapshot) -> Bool) -> Int? {
        history.snapshots.indices.first { index in
            let snapshot = history.snapshots[index]
            return matches(snapshot) && snapshot.updatedAt <= moment
                && (pauseEnd(index).map { moment < $0 } ?? true)
        }
    }

    private func isFreelyPaused(at moment: Date) -> Bool {
        pause(at: moment) { $0.isPausedFree } != nil
    }

    /// The first snapshot of the pause without access that `moment` lies in.
    private func voidPause(at moment: Date) -> Int? {
        guard var index = pause(at: moment, where: { $0.status == .paused && !$0.isPausedFree }) else { return nil }
        while index > 0, history.snapshots[index - 1].status == .paused { index -= 1 }
        return index
    }

    private func activeAgain(after pause: Int) -> Date? {
        for index in pause..<history.snapshots.count {
            let snapshot = history.snapshots[index]
            if snapshot.status == .active { return snapshot.updatedAt }
            if snapshot.status == .paused, let resumes = snapshot.pause?.resumesAt,
                history.end(of: index).map({ resumes < $0 }) ?? true
            {
                return resumes
            }
        }
        return nil
    }
}

extension Snapshot {
    /// Paused, with access and without charge. Any other mode, or none, is `void` (R9).
    var isPausedFree: Bool { status == .paused && pause?.mode == "free" }
}

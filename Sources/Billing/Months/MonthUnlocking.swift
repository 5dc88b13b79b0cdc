import Foundation
import LemonSqueezy

/// Why and when a month of a subscription is unlocked (R12).
struct MonthUnlocking {
    private let history: SubscriptionHistory
    /// Only the account's first trial gives units.
    private let trialCounts: Bool
    /// Under the begins of the months that are asked about.
    var charges: [Charge]
    private let refunds: [Refund]
    private let spans: [PaidSpan]
    /// Failed, and not paid since; those for a change of plan aside.
    private let unpaidInvoices: [Invoice]
    private let voidPauses: [SubscriptionHistory.StateSpan]
    private let freeSpans: [SubscriptionHistory.StateSpan]
    /// Whether a pause without access was seen, and no payment since.
    let isResuming: Bool

    /// What a snapshot says about months: it speaks for those that begin at least a day before `until`; of those that
    /// begin after it was made, only for those that begin before the next one `spoke`.
    private struct PaidSpan {
        var index: Int
        var madeAt: Date
        var until: Date
        var next: Date?
        /// Made when a pause without access was over, with no payment known since: until when was paid before it.
        var paidBefore: Date?
    }

    /// - Parameter refunds: those that take units (R18), as far as they have happened.
    init(history: SubscriptionHistory, trialCounts: Bool, charges: [Charge], refunds: [Refund] = []) {
        self.history = history
        self.trialCounts = trialCounts
        self.charges = charges
        self.refunds = refunds
        var spans: [PaidSpan] = []
        // The snapshot that ends a pause without access tells the next charge as `renews_at`, and nothing was paid by
        // then. Only a later `renews_at` shows a payment.
        var (paid, resumed): (PaidSpan?, Date?) = (nil, nil)
        var wasPaused = false
        for (index, snapshot) in history.snapshots.enumerated() {
            if snapshot.isPausedVoid { wasPaused = true }
            let until: Date? =
                switch snapshot.status {
                case .active: snapshot.renewsAt
                case .cancelled where index == 0: snapshot.endsAt
                default: nil
                }
            guard let until, until > snapshot.updatedAt else { continue }
            if !spans.isEmpty { spans[spans.count - 1].next = snapshot.updatedAt }
            var span = PaidSpan(index: index, madeAt: snapshot.updatedAt, until: until)
            if wasPaused { resumed = until }
            wasPaused = false
            if let before = paid, let next = resumed, until <= next,
                !history.paidInvoices.contains(where: {
                    $0.createdAt > before.madeAt.addingTimeInterval(.day) && $0.updatedAt <= span.madeAt
                })
            {
                span.paidBefore = before.until
            } else {
                (paid, resumed) = (span, nil)
            }
            spans.append(span)
        }
        self.spans = spans
        isResuming = wasPaused || resumed != nil
        let paidIDs = Set(history.paidInvoices.map(\.invoiceID))
        unpaidInvoices = history.invoices.compactMap { name, invoice in
            name == .subscriptionPaymentFailed && !invoice.isForChange && !paidIDs.contains(invoice.invoiceID)
                ? invoice : nil
        }
        voidPauses = history.states { history.snapshots[$0].isPausedVoid }
        freeSpans = history.states(where: history.isFree)
    }

    /// When the newest snapshot was made that says what is paid; nil: none does.
    var lastSaidAt: Date? { spans.last?.madeAt }

    /// The `renews_at` of the newest snapshot that says so; nil if none does.
    var paidThrough: Date? { spans.last?.until }

    /// What was known to be paid before a moment.
    func paidThrough(before moment: Date) -> Date? { spans.last { $0.madeAt < moment }?.until }

    /// No month that begins later can be unlocked by what is known.
    var horizon: Date {
        let invoices = history.paidInvoices.map(\.paysFor)
        let resumptions = freeSpans.map { $0.end ?? .distantFuture }
        let adopted = [history.adopted?.end].compactMap(\.self)
        return ([history.start] + adopted + spans.map(\.until) + invoices + resumptions + charges.map(\.begin)).max()
            ?? history.start
    }

    /// The moment from which the month gives units, never earlier than its begin; nil while it is locked.
    ///
    /// - Returns: `inFull` is false if the only evidence is that units of it were used: then it grants no more than
    ///   those.
    func unlocked(_ month: Month) -> (at: Date, inFull: Bool)? {
        var moments: [Date] = []
        if month.isTrial {
            if trialCounts, let knownAt = history.trial?.knownAt { moments.append(knownAt) }
        } else {
            moments += invoiceMoments(month)
            moments += snapshotMoments(month)
        }
        // What another program gave is not taken back (R21).
        if let adopted = history.adopted, adopted.covers(month) { moments.append(adopted.begin) }
        let used = charges.filter { month.contains($0.begin) }.map(\.firstAt)
        return (moments + used).min().map { (max($0, month.begin), !moments.isEmpty) }
    }

    /// The moment of the first evidence for a paid month, consumption aside; nil: there is none.
    func evidenced(_ month: Month) -> Date? {
        (invoiceMoments(month) + snapshotMoments(month)).min()
    }

    private func invoiceMoments(_ month: Month) -> [Date] {
        let earliest = history.start.addingTimeInterval(-.hour)
        let givenBack = refunds.filter { $0.at < month.begin }.compactMap(\.invoiceID)
        return history.paidInvoices
            .filter {
                $0.createdAt >= earliest && month.contains($0.paysFor) && !givenBack.contains($0.invoiceID)
            }
            .map(\.updatedAt)
    }

    private func snapshotMoments(_ month: Month) -> [Date] {
        let failure = unpaidFailure(month)
        let pause = voidPause(at: month.begin)
        var moments: [Date] = []
        for span in spans where covers(span, month) {
            // After a failure, a `renews_at` within two weeks of the month's begin is the next attempt, and shows no
            // payment.
            if let failure, span.madeAt <= failure || span.until < month.begin.addingTimeInterval(15 * .day) {
                continue
            }
            guard let pause else {
                moments.append(span.madeAt)
                continue
            }
            // A month that began while paused was paid for only if that was said before the pause.
            if span.index < pause, let resumed = activeAgain(after: pause) { moments.append(resumed) }
        }
        guard pause == nil else { return moments }
        moments += firstMonthMoments(month).filter { moment in failure.map { moment > $0 } ?? true }
        if failure == nil, isFree(at: month.begin) { moments.append(month.begin) }
        return moments
    }

    private func covers(_ span: PaidSpan, _ month: Month) -> Bool {
        let until = min(span.until, span.paidBefore ?? span.until)
        guard month.begin <= until.addingTimeInterval(-.day), !isTakenBack(span, month) else { return false }
        guard month.begin > span.madeAt, let next = span.next else { return true }
        return month.begin < next
    }

    /// Whether a refund before the month cancels the span as evidence for it (R18): the span was told by then, or is
    /// paid no longer than what had been told by then.
    private func isTakenBack(_ span: PaidSpan, _ month: Month) -> Bool {
        refunds.contains { refund in
            guard refund.at < month.begin else { return false }
            let paidBefore = spans.filter { $0.madeAt <= refund.at }.map(\.until).max()
            return span.madeAt <= refund.at || paidBefore.map { span.until <= $0 } ?? false
        }
    }

    /// Right after a purchase the provider may send `renews_at` equal to that moment: being active in the first month
    /// is evidence enough for it.
    private func firstMonthMoments(_ month: Month) -> [Date] {
        guard history.trial == nil, month.begin == history.start, history.snapshots[0].adoption == nil else {
            return []
        }
        return history.snapshots.enumerated()
            .filter { index, snapshot in
                (snapshot.status == .active || index == 0 && snapshot.status == .cancelled)
                    && snapshot.updatedAt < month.end
            }
            .map(\.element.updatedAt)
    }

    /// When the month's invoice failed last, if it was not paid since.
    private func unpaidFailure(_ month: Month) -> Date? {
        unpaidInvoices
            .filter { invoice in
                // An invoice for a month is made about when that begins. One that is made later was for another:
                // the billing day has moved.
                month.contains(invoice.paysFor) && month.begin >= invoice.createdAt.addingTimeInterval(-.day)
            }
            .map(\.updatedAt).max()
    }

    // MARK: Pauses and bridges

    private func isFree(at moment: Date) -> Bool { freeSpans.contains { $0.contains(moment) } }

    /// The first snapshot of the pause without access that `moment` lies in.
    private func voidPause(at moment: Date) -> Int? {
        guard var index = voidPauses.first(where: { $0.contains(moment) })?.index else { return nil }
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
    /// Paused without access.
    var isPausedVoid: Bool { status == .paused && !isPausedFree }
}

import Foundation
import LemonSqueezy

/// The months of one subscription: where they start (R11), and where they start anew because the billing day moved
/// (R11a).
struct SubscriptionMonths: Sendable {
    /// nil without a trial.
    let trial: Trial?
    /// Of the paid months, in order; each ends where the next starts.
    private(set) var runs: [MonthRun]
    /// When the snapshots were made that moved the billing day.
    private(set) var movedAt: [Date] = []
    private let createdAt: Date
    /// While nothing but another program's row is known, its period comes first (R21).
    private let adopted: AdoptedPeriod?

    struct Trial: Sendable {
        /// When the first snapshot told of it; nil: it was over before the first snapshot was made.
        var knownAt: Date?
        var endsAt: Date
    }

    /// - Parameter snapshots: in canonical order, at least one.
    init(snapshots: [Snapshot], createdAt: Date) {
        self.createdAt = createdAt
        adopted = snapshots[0].status == .onTrial ? nil : AdoptedPeriod(snapshots[0])
        if let adopted {
            trial = nil
            runs = [MonthRun(start: adopted.end)]
            return
        }
        trial = Trial(snapshots: snapshots, createdAt: createdAt)
        runs = [MonthRun(start: trial?.endsAt ?? createdAt)]
        if let unseen = unseenPast(snapshots[0]) { runs = [unseen] }
        for snapshot in snapshots {
            guard let moved = move(snapshot) else { continue }
            runs.append(moved)
            movedAt.append(snapshot.updatedAt)
        }
    }

    /// Where the paid months begin.
    var start: Date { runs[0].start }

    /// Those that begin no later than `limit`, those of the trial first.
    func months(beginningBy limit: Date) -> [Month] {
        var months: [Month] = []
        if let trial {
            let run = MonthRun(start: createdAt)
            var number = 0
            while run.begin(number) < trial.endsAt, run.begin(number) <= limit {
                months.append(
                    Month(begin: run.begin(number), end: min(run.begin(number + 1), trial.endsAt), isTrial: true))
                number += 1
            }
        }
        months += adopted?.months.filter { $0.begin <= limit } ?? []
        for (index, run) in runs.enumerated() {
            let end = index + 1 < runs.count ? runs[index + 1].start : .distantFuture
            var (number, begin) = (0, run.start)
            while begin < end, begin <= limit {
                let next = run.begin(number + 1)
                months.append(Month(begin: begin, end: min(next, end), fullEnd: next))
                (number, begin) = (number + 1, next)
            }
        }
        return months
    }

    /// The begin of the month that `moment` lies in; of the first, if it is earlier.
    func begin(at moment: Date) -> Date {
        if let adopted, moment < adopted.end {
            return adopted.months.last { $0.begin <= moment }?.begin ?? adopted.begin
        }
        let run = runs.last { $0.start <= moment } ?? runs[0]
        return run.begin(max(0, run.number(at: moment)))
    }

    /// The first begin of a paid month that is not before `moment`.
    func begin(notBefore moment: Date) -> Date {
        for (index, run) in runs.enumerated() {
            let begin = run.begin(notBefore: moment)
            guard index + 1 < runs.count else { return begin }
            if begin < runs[index + 1].start { return begin }
        }
        return runs[runs.count - 1].begin(notBefore: moment)
    }

    // MARK: Where months start anew

    /// The months counted back from what the first snapshot says is paid, if that does not fit to the start: then the
    /// subscription has a past that we have not seen.
    private func unseenPast(_ first: Snapshot) -> MonthRun? {
        guard first.status == .active, let renewsAt = first.renewsAt, runs[0].distance(of: renewsAt) >= .day,
            let run = first.monthsBeforeRenewal(startingBy: first.updatedAt), run.start > runs[0].start
        else { return nil }
        return run
    }

    /// The months that start anew with a snapshot; nil: it does not move the billing day. Only one made within three
    /// days of a begin tells that: in the middle of a month, and of a weekly plan, `renews_at` says nothing about
    /// months.
    private func move(_ snapshot: Snapshot) -> MonthRun? {
        let present = runs[runs.count - 1]
        guard snapshot.status == .active, let renewsAt = snapshot.renewsAt, present.distance(of: renewsAt) >= .day,
            let run = snapshot.monthsBeforeRenewal(startingBy: snapshot.updatedAt.addingTimeInterval(3 * .day)),
            run.start >= snapshot.updatedAt.addingTimeInterval(-3 * .day),
            run.start > present.start.addingTimeInterval(.day)
        else { return nil }
        return run
    }
}

extension SubscriptionMonths.Trial {
    /// From the snapshots before the first active one; or, if the first snapshot of all is past it, as that tells it.
    fileprivate init?(snapshots: [Snapshot], createdAt: Date) {
        let first = snapshots[0]
        guard first.status == .onTrial else {
            guard let endsAt = first.trialEndsAt, endsAt > createdAt, endsAt <= first.updatedAt else { return nil }
            self.init(knownAt: nil, endsAt: endsAt)
            return
        }
        let active = snapshots.first { $0.status == .active }
        let told = snapshots.prefix { $0.status != .active }.last { $0.status == .onTrial && $0.trialEndsAt != nil }
        guard let told, var endsAt = told.trialEndsAt, endsAt > createdAt else { return nil }
        // Cancelled and resumed, it is active while the trial goes on: then it renews where the trial ends.
        if let active, active.updatedAt < endsAt, let renewsAt = active.renewsAt,
            abs(renewsAt.timeIntervalSince(endsAt)) >= .day
        {
            let own = active.trialEndsAt.flatMap { $0 > createdAt && $0 <= active.updatedAt ? $0 : nil }
            endsAt = own ?? max(active.updatedAt, createdAt)
            guard endsAt > createdAt else { return nil }
        }
        self.init(knownAt: first.updatedAt, endsAt: endsAt)
    }
}

extension Snapshot {
    /// The months that lead to `renews_at`, from the latest begin by `limit` that is at least a month before it.
    fileprivate func monthsBeforeRenewal(startingBy limit: Date) -> MonthRun? {
        guard let renewsAt else { return nil }
        var day = renewsAt.dayOfMonth
        if let billingAnchor, day == renewsAt.daysInMonth, billingAnchor > day { day = billingAnchor }
        var count = max(1, limit.months(until: renewsAt))
        while renewsAt.adding(months: -count, on: day) > limit { count += 1 }
        return MonthRun(start: renewsAt.adding(months: -count, on: day), day: day)
    }
}

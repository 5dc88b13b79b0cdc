import Foundation
import LemonSqueezy

/// The period that a row of another program says is paid, and what its account had left of it (R21).
///
/// While the provider has said nothing, these are the subscription's first months. Once it has, months run as it says,
/// and this goes on counting for those that lie where the adopted ones did: they stay unlocked, and what was used before
/// the adoption stays used.
struct AdoptedPeriod: Sendable {
    let adoption: Snapshot.Adoption
    /// One, unless the period is longer than a month: a yearly plan's has twelve.
    let months: [Month]

    /// nil: the snapshot was not adopted.
    init?(_ snapshot: Snapshot) {
        guard let adoption = snapshot.adoption else { return nil }
        self.adoption = adoption
        let run = MonthRun(start: snapshot.createdAt)
        let told: Date? =
            switch snapshot.status {
            case .cancelled, .expired: snapshot.endsAt
            case .onTrial: snapshot.trialEndsAt
            default: snapshot.renewsAt
            }
        // A row may say that it ends before it begins.
        let end = told.flatMap { $0 > run.start ? $0 : nil } ?? run.begin(1)
        let isTrial = snapshot.status == .onTrial
        guard end > run.begin(1).addingTimeInterval(3 * .day) else {
            // Another program may count a month as 30 or 31 days.
            months = [Month(begin: run.start, end: end, isTrial: isTrial)]
            return
        }
        var (months, number): ([Month], Int) = ([], 0)
        while run.begin(number) < end {
            let next = run.begin(number + 1)
            months.append(Month(begin: run.begin(number), end: min(next, end), fullEnd: next, isTrial: isTrial))
            number += 1
        }
        self.months = months
    }

    var begin: Date { months[0].begin }
    var end: Date { months[months.count - 1].end }

    /// Whether the month lies where one of the period's does. Another program's period begins some seconds or days off
    /// the provider's month, so that the middle is what tells.
    func covers(_ month: Month) -> Bool { months.contains { month.contains($0.middle) } }

    /// A moment within the month that a begin was charged under, by which that month is found again among others.
    func moment(of begin: Date) -> Date { months.first { $0.begin == begin }?.middle ?? begin }

    /// What was used of the present month before the adoption, as far as the row tells; negative: there was more than
    /// the plan gives.
    func used(_ catalog: PlanCatalog) -> Int {
        guard let left = adoption.unitsLeft else { return 0 }
        let units = catalog.units(plan: adoption.planID, monthBeginning: present.begin)
        return units * Int(present.end.timeIntervalSince(present.begin)) / present.fullSeconds - left
    }

    /// The month that the row was read in; if that was after the period, its last.
    private var present: Month { months.last { $0.begin <= adoption.observedAt } ?? months[0] }

    func charge(_ line: BucketSeries, _ catalog: PlanCatalog) -> Charge {
        Charge(
            line: line, begin: present.middle, consumed: 0, adjusted: -used(catalog), firstAt: adoption.observedAt)
    }

    func usage(_ line: BucketSeries, _ catalog: PlanCatalog) -> Usage {
        Usage(line: line, begin: present.middle, at: adoption.observedAt, units: max(0, used(catalog)))
    }
}

extension Month {
    fileprivate var middle: Date {
        begin.addingTimeInterval((end.timeIntervalSince(begin) / 2).rounded(.down))
    }
}

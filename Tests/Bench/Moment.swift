import Foundation

/// A second in UTC, counted and written without a calendar: there are millions to write.
struct Moment {
    let seconds: Int

    init(_ seconds: Int) { self.seconds = seconds }

    /// No later than the 28th of its month, so that every other month has its day, and some days ago.
    static func recent(_ variety: Int) -> Moment {
        let moment = Moment(Int(Date.now.timeIntervalSince1970) - 2 * 86_400 - variety % 20 * 3600)
        return moment.after(-max(0, moment.date.day - 28) * 86_400)
    }

    func after(_ seconds: Int) -> Moment { Moment(self.seconds + seconds) }

    func after(months: Int) -> Moment {
        let (year, month, day) = date
        let count = year * 12 + month - 1 + months
        let days = Self.days(year: count / 12, month: count % 12 + 1, day: day)
        return Moment(days * 86_400 + seconds % 86_400)
    }

    /// As the provider writes it.
    var text: String {
        let (year, month, day) = date
        let rest = seconds % 86_400
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(year)-\(two(month))-\(two(day))T\(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60)).000000Z"
    }

    var day: Int { date.day }

    /// The civil date of a number of days, in the calendar whose years begin in March (Howard Hinnant's algorithms).
    private var date: (year: Int, month: Int, day: Int) {
        let days = seconds / 86_400 + 719_468
        let era = days / 146_097
        let dayOfEra = days % 146_097
        let year = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * year + year / 4 - year / 100)
        let month = (5 * dayOfYear + 2) / 153
        let civil = month < 10 ? month + 3 : month - 9
        return (year + era * 400 + (civil <= 2 ? 1 : 0), civil, dayOfYear - (153 * month + 2) / 5 + 1)
    }

    private static func days(year: Int, month: Int, day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return year / 400 * 146_097 + year % 400 * 365 + year % 400 / 4 - year % 400 / 100 + dayOfYear - 719_468
    }
}

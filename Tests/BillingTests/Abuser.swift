import Billing
import Foundation
import Payloads

/// What the provider has in its books of one subscription: what it told, and what was paid for which time.
struct Books {
    var subscription: ProviderSubscription
    /// When the next charge is due.
    var renewal: Date
    var isYearly = false
    /// Where months were begun anew: at the start, and where the billing day moved.
    var runs: [Date]
    /// From when on which plan held, and whether its time is paid, or free of charge by the store's own will.
    var terms: [Terms]
    /// Of the trial, a month of its own.
    var trialUnits = 0

    struct Terms {
        var at: Date
        var units: Int
        var isPaid: Bool
    }

    static let units = ["101": 1000, "102": 5000, "103": 25_000]
    var told: Int { Self.units[subscription.variantID ?? ""] ?? 0 }

    func next(_ moment: Date) -> Date { moment.adding(months: isYearly ? 12 : 1) }

    mutating func note(_ units: Int, isPaid: Bool, at moment: Date) {
        terms.removeAll { $0.at == moment }
        terms.append(Terms(at: moment, units: units, isPaid: isPaid))
    }

    /// The plans' monthly units, each weighted by its share of the month, of all time that was paid, up to the end of
    /// the month that `moment` lies in. `greatest`: within a month the greatest plan held so far counts on.
    func earned(by moment: Date, greatest: Bool) -> Double {
        var earned = Double(trialUnits)
        for (index, run) in runs.enumerated() {
            let end = index + 1 < runs.count ? runs[index + 1] : .distantFuture
            var (number, begin) = (0, run)
            while begin < end, begin <= moment {
                let next = run.adding(months: number + 1)
                earned += weighted(from: begin, to: min(next, end), greatest) / next.timeIntervalSince(begin)
                (number, begin) = (number + 1, next)
            }
        }
        return earned
    }

    private func weighted(from begin: Date, to end: Date, _ greatest: Bool) -> Double {
        var (sum, held) = (0.0, 0)
        for (index, terms) in terms.enumerated() {
            let until = index + 1 < self.terms.count ? self.terms[index + 1].at : .distantFuture
            let (from, to) = (max(begin, terms.at), min(end, until))
            guard from < to else { continue }
            held = greatest ? max(held, terms.units) : terms.units
            if terms.isPaid { sum += Double(held) * to.timeIntervalSince(from) }
        }
        return sum
    }
}

/// A customer who tries whatever the provider lets one do, and uses up all there is each time; made from a seed.
/// The provider tells of it consistently and takes its money.
struct Abuser {
    let policy: BillingPolicy
    private var random: SplitMix
    private(set) var account: Account
    private(set) var books: [Books] = []
    private(set) var now: Date
    private var invoices = 0
    private(set) var log: [String] = []
    /// Whether the store bills a change of plan at once. If not, it takes the new price with the next renewal.
    private let billsAtOnce: Bool

    /// The plans between which it changes.
    private let variants: [String]
    /// A month of the greatest of them.
    var greatest: Int { variants.compactMap { Books.units[$0] }.max() ?? 0 }

    static let hour: TimeInterval = 3600
    static let day: TimeInterval = 86_400

    init(seed: UInt64, policy: BillingPolicy) {
        self.policy = policy
        random = SplitMix(seed: seed)
        let createdAt = Date.utc("2026-01-01 00:00:00")
            .addingTimeInterval(Double(Int.random(in: 0..<(365 * 86_400), using: &random)))
        account = Account(userID: Case.user, createdAt: createdAt, events: [], charges: [])
        now = createdAt
        variants = Array(Life.variants.prefix(1 + Int(seed % 3)))
        billsAtOnce = policy.upgradeUnits == .atOnce || seed % 2 == 0
        subscribe()
    }

    // MARK: What was used, what was earned

    /// Of a subscription.
    func used(_ books: Books) -> Int { used(of: .subscription(books.subscription.id)) }

    func used(of line: BucketSeries) -> Int {
        account.charges.filter { $0.line == line }.reduce(0) { $0 + $1.consumed }
    }

    /// - Returns: when to look again.
    @discardableResult
    private mutating func useAll() -> Date {
        let state = account.state(at: now, catalog: Case.plans, policy: policy)
        let bucket = state.current
        guard bucket.shown > 0 else { return state.nextChange }
        account.charges.append(
            Charge(line: bucket.line, begin: bucket.begin, consumed: bucket.shown, adjusted: 0, firstAt: now))
        account.usage.append(Usage(line: bucket.line, begin: bucket.begin, at: now, units: bucket.shown))
        log.append(
            "\(now.formatted(.iso8601)) uses \(bucket.shown) of \(bucket.line.rawValue) "
                + "\(bucket.begin.formatted(.iso8601))")
        return state.nextChange
    }

    // MARK: Time

    /// One thing, some time after the last; all that falls due on the way; and all units whenever there are some.
    mutating func step() throws {
        let hours = chance(40) ? pick(1...30) : pick(24...300)
        try advance(to: now.addingTimeInterval(Double(hours) * Self.hour + Double(pick(0...3599))))
        try act()
    }

    private mutating func advance(to target: Date) throws {
        while let due = books.last?.renewal, due <= target {
            pass(until: due)
            try fallDue()
        }
        pass(until: target)
    }

    private mutating func pass(until target: Date) {
        var next = useAll()
        while next < target, next > now {
            now = next
            next = useAll()
        }
        now = target
    }

    // MARK: The provider

    private var last: Int { books.count - 1 }

    private mutating func subscribe() {
        let isTrial = books.isEmpty && chance(40)
        var subscription = ProviderSubscription(userID: Case.user, createdAt: now, renewsAt: nil)
        subscription.id = "91000\(books.count)"
        subscription.variantID = variant()
        let end = isTrial ? now.addingTimeInterval(14 * Self.day) : now
        var books = Books(subscription: subscription, renewal: end, runs: [end], terms: [])
        books.note(books.told, isPaid: !isTrial, at: now)
        if isTrial {
            books.trialUnits = books.told
            (books.subscription.status, books.subscription.trialEndsAt) = ("on_trial", end)
        } else {
            books.renewal = books.next(now)
        }
        self.books.append(books)
        tell("subscription_created")
        if !isTrial { try? invoice("initial") }
    }

    /// What the subscription is now, as a delivery.
    private mutating func tell(_ name: String = "subscription_updated") {
        books[last].subscription.renewsAt = books[last].renewal
        let body = books[last].subscription.event(name, at: now)
        if let event = try? BillingEvent(body: body) { account.events.append(event) }
        let (books, told) = (books[last], books[last].subscription)
        log.append(
            "\(now.formatted(.iso8601)) \(name) \(told.id) \(told.status) \(told.pauseMode ?? "") "
                + "variant \(told.variantID ?? "-") renews \(books.renewal.formatted(.iso8601))")
    }

    private mutating func invoice(
        _ reason: String, _ name: String = "subscription_payment_success", id: Int? = nil, createdAt: Date? = nil
    ) throws {
        invoices += 1
        let isFailure = name == "subscription_payment_failed"
        let body = books[last].subscription.invoice(
            name, id: id ?? invoices, reason: reason, status: isFailure ? "pending" : "paid",
            createdAt: createdAt ?? now, updatedAt: now)
        account.events.append(try BillingEvent(body: body))
        log.append("\(now.formatted(.iso8601)) \(name) \(id ?? invoices) \(reason)")
    }

    /// The day of a charge, or of an end, has come.
    private mutating func fallDue() throws {
        let due = books[last].renewal
        switch books[last].subscription.status {
        case "cancelled":
            books[last].note(0, isPaid: false, at: due)
            (books[last].subscription.status, books[last].subscription.endsAt) = ("expired", due)
            books[last].renewal = .distantFuture
            books[last].subscription.renewsAt = due
            account.events.append(
                try BillingEvent(body: books[last].subscription.event("subscription_expired", at: due)))
            log.append("\(due.formatted(.iso8601)) expired")
        case "paused":
            books[last].renewal = books[last].next(due)
            books[last].note(books[last].told, isPaid: books[last].subscription.pauseMode == "free", at: due)
            tell()
        default:
            if chance(12) { return try fail() }
            let wasTrial = books[last].subscription.status == "on_trial"
            books[last].subscription.status = "active"
            books[last].renewal = books[last].next(due)
            books[last].note(books[last].told, isPaid: true, at: due)
            // After a bridge months run from the new day.
            if wasTrial, books[last].runs.last != due { books[last].runs.append(due) }
            now = due.addingTimeInterval(Double(pick(2...40)))
            try invoice("renewal")
            tell()
        }
    }

    /// The charge fails, and is paid some days later, or never.
    private mutating func fail() throws {
        let due = books[last].renewal
        let wasTrial = books[last].subscription.status == "on_trial"
        books[last].note(books[last].told, isPaid: false, at: due)
        if wasTrial, books[last].runs.last != due { books[last].runs.append(due) }
        now = due.addingTimeInterval(20)
        try invoice("renewal", "subscription_payment_failed")
        let (id, createdAt) = (invoices, now)
        books[last].subscription.status = "past_due"
        books[last].renewal = due.addingTimeInterval(5 * Self.day)
        tell()
        pass(until: due.addingTimeInterval(Double(pick(1...13)) * Self.day))
        if chance(60) {
            for index in books[last].terms.indices where books[last].terms[index].at >= due {
                books[last].terms[index].isPaid = true
            }
            books[last].subscription.status = "active"
            books[last].renewal = books[last].next(due)
            try invoice("renewal", "subscription_payment_recovered", id: id, createdAt: createdAt)
            try invoice("renewal", id: id, createdAt: createdAt)
            tell()
        } else {
            books[last].subscription.status = "cancelled"
            books[last].subscription.endsAt = now
            books[last].renewal = now
            tell("subscription_cancelled")
            try fallDue()
        }
    }

    // MARK: The customer

    private mutating func act() throws {
        let status = books[last].subscription.status
        switch (status, pick(0...11)) {
        case ("expired", _): if books.count < 4 { subscribe() }
        case ("active", 0...2): try changePlan()
        case ("active", 3):
            // Up, all of it, and down again.
            try changePlan(to: variants.last)
            pass(until: min(now.addingTimeInterval(Self.hour), books[last].renewal.addingTimeInterval(-1)))
            try changePlan(to: variants.first)
        case ("active", 4), ("active", 5): try changeInterval()
        case ("active", 6), ("active", 7):
            try invoice("renewal")
            startAnew()
        case ("active", 8):
            books[last].subscription.status = "on_trial"
            books[last].renewal = books[last].renewal.addingTimeInterval(Double(pick(1...25)) * Self.day)
            books[last].subscription.trialEndsAt = books[last].renewal
            tell()
        case ("active", 9):
            (books[last].subscription.status, books[last].subscription.endsAt) = ("cancelled", books[last].renewal)
            tell("subscription_cancelled")
        case ("active", 10):
            books[last].subscription.status = "paused"
            books[last].subscription.pauseMode = chance(50) ? "void" : "free"
            tell("subscription_paused")
        case ("cancelled", 0...7):
            (books[last].subscription.status, books[last].subscription.endsAt) = ("active", nil)
            tell("subscription_resumed")
        case ("paused", _):
            (books[last].subscription.status, books[last].subscription.pauseMode) = ("active", nil)
            tell("subscription_unpaused")
        case ("on_trial", 0...5) where !books[last].terms.contains(where: \.isPaid):
            // Paid before the trial is over.
            books[last].subscription.status = "active"
            books[last].subscription.trialEndsAt = chance(50) ? now : nil
            try invoice("renewal")
            books[last].runs = []
            startAnew()
        case ("on_trial", _): try changePlan()
        default: tell()
        }
    }

    private mutating func changePlan(to variant: String? = nil) throws {
        let before = books[last].told
        books[last].subscription.variantID = variant ?? self.variant()
        let isUp = books[last].told > before
        let isPaid = books[last].terms.last?.isPaid ?? false
        // What is not billed is not paid for until the renewal.
        let paidFor = books[last].terms.last?.units ?? 0
        let counts = isUp && !billsAtOnce ? min(paidFor, books[last].told) : books[last].told
        books[last].note(counts, isPaid: isPaid, at: now)
        tell(chance(30) ? "subscription_plan_changed" : "subscription_updated")
        if isUp, billsAtOnce, isPaid { try invoice("updated") }
    }

    private mutating func changeInterval() throws {
        books[last].isYearly.toggle()
        if chance(30) { books[last].subscription.variantID = variant() }
        if books[last].isYearly { try invoice("updated") }
        startAnew()
    }

    /// A period begins now, paid.
    private mutating func startAnew() {
        books[last].renewal = books[last].next(now)
        books[last].runs.append(now)
        books[last].note(books[last].told, isPaid: true, at: now)
        tell()
    }

    // MARK: Dice

    private mutating func variant() -> String { variants[pick(0...(variants.count - 1))] }
    private mutating func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    private mutating func chance(_ percent: Int) -> Bool { pick(1...100) <= percent }
}

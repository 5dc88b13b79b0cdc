/// What the provider sends in one subscription's life, month by month until the present one.
struct Life {
    enum End {
        /// Some changes that mean nothing for plan or units.
        case changes
        /// The last renewal's payment fails, and is paid later.
        case failure
        /// It is cancelled, and ends.
        case cancellation
    }

    typealias Event = (name: String, values: [Template.Hole: String])

    private let number: Int
    private let changes: Int
    private var subscription: [Template.Hole: String]
    private(set) var events: [Event] = []

    /// - Parameters:
    ///   - number: of the subscription and its account.
    ///   - end: nil: it just goes on.
    ///   - changes: that mean nothing, in each month.
    init(number: Int, months: Int, end: End?, changes: Int = 0) {
        self.number = number
        self.changes = changes
        let start = Moment.recent(number).after(months: 1 - months)
        subscription = [
            .user: Account.id(number), .subscription: "\(1_000_000 + number)",
            .customer: "\(2_000_000 + number)", .order: "\(3_000_000 + number)",
            .email: "account-\(number)@example.com", .variant: ["101", "101", "102", "103"][number % 4],
            .status: "\"active\"", .cancelled: "false", .endsAt: "null", .createdAt: "\"\(start.text)\"",
            .anchor: "\(start.day)",
        ]
        send("order_created", at: start)
        renewsAt(start.after(months: 1))
        send("subscription_created", at: start.after(3))
        pay("subscription_payment_success", month: 0, at: start.after(1), reason: "initial")
        send("subscription_updated", at: start.after(5))
        change(changes, after: start)
        for month in 1..<max(1, months) {
            let due = start.after(months: month)
            if end == .failure, month == months - 1 { fail(month, at: due) } else { renew(month, at: due) }
        }
        let last = start.after(months: months - 1)
        switch end {
        case .changes: change(3, after: last)
        case .cancellation: cancel(at: last.after(3600))
        case .failure, nil: break
        }
    }

    private mutating func renew(_ month: Int, at due: Moment) {
        pay("subscription_payment_success", month: month, at: due)
        renewsAt(due.after(months: 1))
        send("subscription_updated", at: due.after(4))
        change(changes, after: due)
    }

    private mutating func change(_ count: Int, after moment: Moment) {
        for change in 0..<count { send("subscription_updated", at: moment.after((change + 1) * 3600)) }
    }

    private mutating func fail(_ month: Int, at due: Moment) {
        pay("subscription_payment_failed", month: month, at: due, status: "pending")
        subscription[.status] = "\"past_due\""
        send("subscription_updated", at: due.after(4))
        pay("subscription_payment_success", month: month, at: due, updatedAt: due.after(7200))
        pay("subscription_payment_recovered", month: month, at: due, updatedAt: due.after(7201))
        subscription[.status] = "\"active\""
        renewsAt(due.after(months: 1))
        send("subscription_updated", at: due.after(7202))
    }

    private mutating func cancel(at moment: Moment) {
        subscription[.status] = "\"cancelled\""
        subscription[.cancelled] = "true"
        subscription[.endsAt] = "\"\(moment.after(86_400).text)\""
        send("subscription_cancelled", at: moment)
        send("subscription_updated", at: moment.after(1))
        subscription[.status] = "\"expired\""
        send("subscription_expired", at: moment.after(86_400))
    }

    private mutating func renewsAt(_ moment: Moment) { subscription[.renewsAt] = "\"\(moment.text)\"" }

    private mutating func send(_ name: String, at moment: Moment, _ changes: [Template.Hole: String] = [:]) {
        var values = subscription.merging(changes) { $1 }
        if name.hasPrefix("order") { values[.status] = "\"paid\"" }
        values[.webhook] = "00000000-0000-4000-9000-\(100_000_000_000 + number * 10_000 + events.count)"
        values[.updatedAt] = "\"\(moment.text)\""
        values[.expires] = "\(moment.seconds + 6 * 3600)"
        events.append((name, values))
    }

    private mutating func pay(
        _ name: String, month: Int, at moment: Moment, updatedAt: Moment? = nil, reason: String = "renewal",
        status: String = "paid"
    ) {
        send(
            name, at: updatedAt ?? moment.after(3),
            [
                .invoice: "\(10_000_000 + number * 1000 + month)", .reason: "\"\(reason)\"",
                .status: "\"\(status)\"", .createdAt: "\"\(moment.text)\"",
            ])
    }
}

/// The accounts are numbered, as sql/accounts.sql numbers them.
enum Account {
    static func id(_ number: Int) -> String {
        let digits = String(number, radix: 16)
        return "00000000-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
    }
}

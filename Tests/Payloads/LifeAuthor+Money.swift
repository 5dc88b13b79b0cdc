import Foundation

/// Invoices, orders, refunds, and what an operator does.
extension LifeAuthor {
    mutating func pay(_ run: inout Running, _ reason: String, at moment: Date) {
        invoices += 1
        let id = base + invoices
        run.invoices.append(Running.Paid(id: id, reason: reason, createdAt: moment))
        send(run.subscription.invoice(id: id, reason: reason, createdAt: moment, delivery: pick(0...9)), at: moment)
    }

    /// - Returns: the invoice that could not be charged.
    mutating func sendFailure(_ run: Running, _ reason: String, at moment: Date) -> Int {
        invoices += 1
        let failure = run.subscription.invoice(
            "subscription_payment_failed", id: base + invoices, reason: reason, status: "pending", createdAt: moment)
        send(failure, at: moment.addingTimeInterval(1))
        return base + invoices
    }

    mutating func sendRecovery(_ run: Running, _ invoice: Int, _ reason: String, createdAt: Date, paidAt: Date) {
        for name in ["subscription_payment_recovered", "subscription_payment_success"] {
            let paid = run.subscription.invoice(
                name, id: invoice, reason: reason, createdAt: createdAt, updatedAt: paidAt, delivery: pick(1...9))
            send(paid, at: paidAt)
        }
    }

    /// A renewal that is not paid at once.
    ///
    /// - Returns: whether it was paid in the end.
    mutating func fail(_ run: inout Running) -> Bool {
        let due = run.renewal
        let invoice = sendFailure(run, "renewal", at: due.addingTimeInterval(19))
        run.subscription.status = "past_due"
        run.subscription.renewsAt = due.addingTimeInterval(5 * Self.day)
        change(&run, at: due.addingTimeInterval(21))
        if chance(30) { consume(at: due.addingTimeInterval(Self.day)) }
        if chance(30) {
            run.subscription.status = "unpaid"
            change(&run, at: due.addingTimeInterval(6 * Self.day))
        }
        if chance(25) {
            (run.subscription.status, run.subscription.endsAt) = ("cancelled", due.addingTimeInterval(10 * Self.day))
            change(&run, "subscription_cancelled", at: due.addingTimeInterval(7 * Self.day))
        }
        if chance(40), !passes(90) {
            expire(&run, at: due.addingTimeInterval(10 * Self.day))
            return false
        }
        let paid = due.addingTimeInterval(Double(pick(6...9)) * Self.day)
        sendRecovery(run, invoice, "renewal", createdAt: due.addingTimeInterval(19), paidAt: paid)
        (run.subscription.status, run.subscription.endsAt) = ("active", nil)
        // Some start the period anew when it is paid at last.
        if chance(15) { run.anchor = paid.day }
        run.renewal = next(run.anchor == paid.day ? paid : due, run)
        run.subscription.renewsAt = run.renewal
        change(&run, at: paid)
        return true
    }

    /// The newest payment, an older one or the order, in full or in part.
    mutating func refund(_ run: inout Running, at moment: Date) {
        if chance(20) {
            let order = run.subscription.order(
                "order_refunded", status: "refunded", updatedAt: moment, refundedAt: moment)
            return send(order, at: moment)
        }
        guard let invoice = chance(70) ? run.invoices.last : run.invoices.first else { return }
        let isFull = chance(70)
        let refund = run.subscription.invoice(
            "subscription_payment_refunded", id: invoice.id, reason: invoice.reason,
            status: isFull ? "refunded" : "partial_refund", createdAt: invoice.createdAt, updatedAt: moment,
            refundedAt: moment)
        send(refund, at: moment)
        if isFull, chance(30) { expire(&run, at: moment) }
    }

    // MARK: The operator

    /// Plans that are given by hand.
    mutating func grants() -> [Life.Grant] {
        (0..<(chance(15) ? pick(1...2) : 0)).map { _ in
            let at = createdAt.addingTimeInterval(Double(pick(0...(120 * 86_400))))
            let until = chance(60) ? at.addingTimeInterval(Double(pick(1...90)) * Self.day) : nil
            let endedAt = chance(40) ? at.addingTimeInterval(Double(pick(0...(60 * 86_400)))) : nil
            let isEarlier = endedAt.map { endedAt in until.map { endedAt < $0 } ?? true } ?? false
            return (at, ["starter", "professional"][pick(0...1)], until, isEarlier ? endedAt : nil)
        }
    }

    mutating func choices() -> Life.Choices { (chance(40), chance(40), chance(40)) }
}

import Foundation

/// What customers do within a period, and what the provider makes of it.
extension LifeAuthor {
    mutating func between(_ run: inout Running) {
        let from = run.subscription.updatedAt
        let span = run.renewal.timeIntervalSince(from)
        guard span > Self.day else { return }
        let moments = (0..<pick(0...3)).map { _ in from.addingTimeInterval(Double(pick(60...Int(span - 3600)))) }
        for moment in moments.sorted() where run.subscription.status != "expired" && moment < run.renewal {
            switch pick(0...17) {
            case 0...4: consume(at: moment)
            case 5, 6: changePlan(&run, at: moment)
            case 7: pause(&run, at: moment)
            case 8: cancel(&run, at: moment)
            case 9: refund(&run, at: moment)
            case 10: moveBillingDay(&run, at: moment)
            case 11: changeInterval(&run, at: moment)
            case 12: bridge(&run, at: moment)
            case 13, 14: cutTrialShort(&run, at: moment)
            case 15: oddity(&run, at: moment)
            default: change(&run, at: moment)
            }
        }
    }

    // MARK: The plan

    private mutating func changePlan(_ run: inout Running, at moment: Date) {
        let before = run.subscription.variantID
        run.subscription.variantID = chance(8) ? Life.unmappedVariant : Life.variants[pick(0...2)]
        if chance(20), run.subscription.status == "active" { return failToChange(&run, from: before, at: moment) }
        change(&run, chance(30) ? "subscription_plan_changed" : "subscription_updated", at: moment)
        if chance(50) { pay(&run, "updated", at: moment.addingTimeInterval(2)) }
        if chance(30) {
            run.subscription.variantID = before
            let later = chance(50) ? 0.0 : Double(pick(1...86_400))
            change(&run, at: moment.addingTimeInterval(later), tie: 40)
        }
    }

    /// The new plan's invoice fails; then it is paid, or the old plan comes back, or neither until the renewal.
    private mutating func failToChange(_ run: inout Running, from before: String?, at moment: Date) {
        run.subscription.status = "past_due"
        let invoice = sendFailure(run, "updated", at: moment)
        change(&run, at: moment)
        if chance(40) { consume(at: moment.addingTimeInterval(3600)) }
        let later = moment.addingTimeInterval(Double(pick(3600...(2 * 86_400))))
        guard later < run.renewal else { return }
        switch pick(0...3) {
        case 0, 1:
            (run.subscription.status, run.subscription.variantID) = ("active", before)
            change(&run, at: later)
        case 2:
            sendRecovery(run, invoice, "updated", createdAt: moment, paidAt: later)
            run.subscription.status = "active"
            change(&run, at: later)
        default: break
        }
    }

    /// Monthly to yearly is charged at once; yearly to monthly is not. Both move the billing day to now.
    private mutating func changeInterval(_ run: inout Running, at moment: Date) {
        guard run.subscription.status == "active" else { return }
        if chance(30) { run.subscription.variantID = Life.variants[pick(0...2)] }
        run.isYearly.toggle()
        if run.isYearly, chance(15) {
            run.subscription.renewsAt = next(moment, run)
            let before = run.renewal
            failToChange(&run, from: run.subscription.variantID, at: moment)
            run.isYearly = run.subscription.status == "active" && chance(50)
            run.renewal = run.isYearly ? next(moment, run) : before
            return
        }
        if run.isYearly { pay(&run, "updated", at: moment) }
        startAnew(&run, at: moment)
    }

    // MARK: The billing day

    /// The period ends now and a new one begins.
    private mutating func startAnew(_ run: inout Running, at moment: Date) {
        run.anchor = moment.day
        if run.subscription.billingAnchor != nil { run.subscription.billingAnchor = run.anchor }
        run.renewal = next(moment, run)
        run.subscription.renewsAt = run.renewal
        change(&run, at: moment.addingTimeInterval(Double(pick(0...30))))
    }

    private mutating func moveBillingDay(_ run: inout Running, at moment: Date) {
        guard run.subscription.status == "active" else { return }
        switch pick(0...3) {
        case 0, 1:
            // To today, or to one of the days that not every month has, charged at once.
            let late = chance(50) ? moment.adding(months: 0, on: pick(29...31)) : moment
            let moved = late > moment && late < run.renewal ? late : moment
            if chance(70) { pay(&run, "renewal", at: moved) }
            startAnew(&run, at: moved)
        default:
            // The next charge is earlier, or later, than it would have been; nothing is paid now.
            let most = Int(run.renewal.timeIntervalSince(moment) / Self.day)
            run.renewal = moment.addingTimeInterval(Double(pick(1...max(2, most + 20))) * Self.day)
            run.anchor = run.renewal.day
            if run.subscription.billingAnchor != nil { run.subscription.billingAnchor = run.anchor }
            run.subscription.renewsAt = run.renewal
            change(&run, at: moment)
        }
    }

    /// A paying customer is on trial for the days until the new billing day.
    private mutating func bridge(_ run: inout Running, at moment: Date) {
        guard run.subscription.status == "active" else { return }
        run.renewal = run.renewal.addingTimeInterval(Double(pick(-3...25)) * Self.day)
        if run.renewal <= moment { run.renewal = moment.addingTimeInterval(Self.day) }
        run.anchor = run.renewal.day
        if run.subscription.billingAnchor != nil { run.subscription.billingAnchor = run.anchor }
        (run.subscription.status, run.subscription.trialEndsAt) = ("on_trial", run.renewal)
        run.subscription.renewsAt = run.renewal
        change(&run, at: moment)
    }

    /// Paid before the trial was over.
    private mutating func cutTrialShort(_ run: inout Running, at moment: Date) {
        guard run.subscription.status == "on_trial" else { return change(&run, at: moment) }
        run.subscription.status = "active"
        let told = [nil, moment, run.subscription.trialEndsAt]
        run.subscription.trialEndsAt = told[pick(0...2)]
        pay(&run, "renewal", at: moment.addingTimeInterval(-2))
        startAnew(&run, at: moment)
    }

    // MARK: The rest

    private mutating func pause(_ run: inout Running, at moment: Date) {
        guard run.subscription.status == "active" else { return }
        let span = run.renewal.timeIntervalSince(moment)
        run.subscription.status = "paused"
        run.subscription.pauseMode = ["void", "free", nil][pick(0...2)]
        if chance(30) { run.subscription.resumesAt = moment.addingTimeInterval(Double(pick(1...40)) * Self.day) }
        change(&run, "subscription_paused", at: moment)
        if chance(60) {
            (run.subscription.status, run.subscription.pauseMode, run.subscription.resumesAt) = ("active", nil, nil)
            let later = Double(pick(0...Int(max(1, span + 20 * Self.day))))
            change(&run, "subscription_unpaused", at: moment.addingTimeInterval(later))
        }
    }

    private mutating func cancel(_ run: inout Running, at moment: Date) {
        let before = run.subscription.status
        guard before == "active" || before == "on_trial" else { return }
        (run.subscription.status, run.subscription.endsAt) = ("cancelled", run.renewal)
        change(&run, "subscription_cancelled", at: moment)
        if chance(40) {
            (run.subscription.status, run.subscription.endsAt) = (chance(60) ? "active" : before, nil)
            change(&run, "subscription_resumed", at: moment.addingTimeInterval(Double(pick(0...3600))))
        }
    }

    /// What is seldom seen and must do no harm.
    private mutating func oddity(_ run: inout Running, at moment: Date) {
        switch pick(0...2) {
        case 0: sendAhead(run.subscription, at: moment)
        case 1:
            let variant = run.subscription.variantID
            run.subscription.variantID = nil
            change(&run, at: moment)
            run.subscription.variantID = variant
        default:
            let order = run.subscription.order(status: "fraudulent", updatedAt: moment)
            send(order, at: moment)
        }
    }
}

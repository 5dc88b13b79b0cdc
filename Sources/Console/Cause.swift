import Billing
import Foundation
import Storage

extension WaitingGroup {
    /// What they wait for, and what it is about, without what follows a colon.
    private var word: String { reason.map { String($0.prefix { $0 != ":" }) } ?? "" }

    /// Why they wait, in a sentence.
    func sentence(_ policy: BillingPolicy) -> HTML {
        switch (outcome, ParkingReason(rawValue: word)) {
        case (.quarantined, _) where word == "wrong_store":
            let expected: HTML = policy.acceptance.storeID.map { ", expected <b>\($0)</b>" } ?? ""
            return "Store <b>\(storeID ?? "unknown")</b>\(expected)"
        case (.quarantined, _) where word == "wrong_mode":
            return "The other mode than \(policy.acceptance.mode.rawValue)"
        case (.quarantined, _): return "Put aside: \(reason ?? "no reason")"
        case (.failed, _): return "Our own fault: \(reason ?? "no reason")"
        case (_, .unknownPlan?):
            return variantID.map { "Variant <b>\($0)</b> means no plan" }
                ?? "The plan is unknown: no variant is named"
        case (_, .unknownAccount?), (_, .ambiguousAccount?), (_, .unknownSubscription?):
            guard let subscriptionID else { return "Nobody is named" }
            let link: HTML = "<a href=\"\(Link("subscriptions", subscriptionID))\">\(subscriptionID)</a>"
            let buyer: HTML = email.map { ", buyer \($0)" } ?? ""
            return switch ParkingReason(rawValue: word) {
            case .ambiguousAccount?: "Subscription \(link) could be several accounts’\(buyer)"
            case .unknownSubscription?: "Subscription \(link) itself has not come yet\(buyer)"
            default: "Subscription \(link) belongs to nobody\(buyer)"
            }
        case (_, let parking?): return "Waits for \(parking.remedy)"
        default: return "\(reason ?? "no reason")"
        }
    }

    /// What releases them: an act, or the setting that does.
    var remedy: HTML {
        switch (outcome, ParkingReason(rawValue: word)) {
        case (.quarantined, _) where word == "wrong_store": "Setting <code>LEMON_SQUEEZY_STORE_ID</code>"
        case (.quarantined, _) where word == "wrong_mode": "Setting <code>LEMON_SQUEEZY_MODE</code>"
        case (_, .unknownPlan?):
            variantID.map {
                "<a href=\"\(Link("acts", "map", values: ["variant": $0]))\">Map to a plan</a>"
            } ?? ""
        case (_, .unknownAccount?), (_, .ambiguousAccount?):
            subscriptionID.map {
                "<a href=\"\(Link("acts", "bind", values: ["subscription": $0]))\">Find the account</a>"
            } ?? ""
        default: ""
        }
    }
}

extension EventFilter {
    /// The same on a page or in an act: each named as the option of `events list`.
    func link(_ path: String...) -> Link {
        Link(
            path,
            [
                ("outcome", outcome?.rawValue), ("reason", reason), ("name", name), ("subscription", subscriptionID),
                ("user", userID?.text), ("variant", variantID), ("store", storeID),
            ])
    }

    /// - Throws: `ConsoleMistake` for an outcome or an id that is none.
    init(_ values: FormValues) throws {
        self.init()
        if let text = values["outcome"] {
            guard let outcome = Outcome(rawValue: text) else { throw ConsoleMistake("There is no outcome “\(text)”.") }
            self.outcome = outcome
        }
        reason = values["reason"]
        name = values["name"]
        subscriptionID = values["subscription"]
        variantID = values["variant"]
        storeID = values["store"]
    }

    /// As the options of `events list`, with a blank before each.
    var options: String {
        let pairs = [
            ("outcome", outcome?.rawValue), ("reason", reason), ("name", name), ("subscription", subscriptionID),
            ("user", userID?.text), ("variant", variantID), ("store", storeID),
        ]
        return pairs.compactMap { name, value in value.map { " --\(name) \($0.shellWord)" } }.joined()
    }
}

extension String {
    /// As a shell takes it for one word.
    var shellWord: String {
        wholeMatch(of: #/[A-Za-z0-9@._:\/+-]+/#) != nil ? self : "'" + replacing("'", with: "'\\''") + "'"
    }
}

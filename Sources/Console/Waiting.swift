import Billing
import Databases
import Foundation
import Storage

/// Why events wait, so that those that one act releases stand together.
enum Cause: Hashable {
    /// The variant means no plan; nil: the event names none.
    case unknownPlan(variant: String?)
    case nobody(subscription: String, email: String?, isAmbiguous: Bool)
    /// What else it waits for: the remedy.
    case parked(ParkingReason)
    case quarantined(String)
    case failed(String)
    case other(String)

    init(_ event: EventRecord) {
        let word = event.reason.map { String($0.prefix { $0 != ":" }) } ?? ""
        switch (event.outcome, ParkingReason(rawValue: word)) {
        case (.quarantined, _): self = .quarantined(event.reason ?? "quarantined")
        case (.failed, _): self = .failed(event.reason ?? "failed")
        case (_, .unknownPlan?): self = .unknownPlan(variant: event.variantID)
        case (_, .unknownAccount?), (_, .ambiguousAccount?):
            self =
                event.subscriptionID.map {
                    .nobody(subscription: $0, email: event.email, isAmbiguous: word == "ambiguous_account")
                } ?? .parked(.unknownAccount)
        case (_, let reason?): self = .parked(reason)
        default: self = .other(word)
        }
    }

    var sentence: HTML {
        switch self {
        case .unknownPlan(let variant?): "Variant <b>\(variant)</b> means no plan"
        case .unknownPlan(nil): "The plan is unknown: the event names no variant of its own"
        case .nobody(let subscription, let email, let isAmbiguous):
            """
            Subscription <a href="\(Link("subscriptions", subscription))">\(subscription)</a>
            \(isAmbiguous ? "could be several accounts'" : "belongs to nobody")\(email.map { ", buyer \($0)" })
            """
        case .parked(let reason): "Waits for \(reason.remedy)"
        case .quarantined(let reason): "Put aside: \(reason)"
        case .failed(let reason): "Failed: \(reason)"
        case .other(let reason): "\(reason)"
        }
    }

    /// What releases them.
    var act: HTML {
        switch self {
        case .unknownPlan(let variant?):
            "<a href=\"\(Link("acts", "map", values: ["variant": variant]))\">Map to a plan</a>"
        case .nobody(let subscription, _, _):
            "<a href=\"\(Link("acts", "bind", values: ["subscription": subscription]))\">Bind to an account</a>"
        case .quarantined(let reason):
            reason.hasPrefix("wrong_store")
                ? "<span>Setting <code>LEMON_SQUEEZY_STORE_ID</code></span>"
                : "<span>Setting <code>LEMON_SQUEEZY_MODE</code></span>"
        case .unknownPlan, .parked, .failed, .other: ""
        }
    }
}

/// Events that wait for one cause, oldest last.
struct WaitingGroup {
    var cause: Cause
    var events: [EventRecord]

    /// Known and claimed accounts.
    var accounts: Int { Set(events.compactMap { $0.userID ?? $0.claimedUserID }).count }
}

extension Console {
    /// So many events of each outcome are looked at: a page counts no further.
    static let bound = 1000
    /// So many events one act takes at a time.
    static let most = 200

    func waitingEvents() async throws -> [(outcome: Outcome, events: Listing<EventRecord>)] {
        var found: [(Outcome, Listing<EventRecord>)] = []
        for outcome in [Outcome.parked, .quarantined, .failed] {
            var filter = EventFilter()
            filter.outcome = outcome
            found.append((outcome, try await store.lists.eventRecords(filter, limit: Self.bound + 1, before: nil)))
        }
        return found
    }

    func now() async throws -> Page {
        let waiting = try await waitingEvents()
        let last = try await store.lists.eventRecords(EventFilter(), limit: 8, before: nil)
        let moment = Date()
        let tiles: [HTML] = waiting.map { outcome, events in
            let oldest = events.rows.last.map { "oldest \(relative($0.receivedAt, now: moment))" } ?? "none"
            let number = count(events.entries.count, bound: Self.bound)
            return """
                <li><a href="\(Link("waiting"))"><small>\(outcome.rawValue)</small><b>\(number)</b>
                <small>\(oldest)</small></a></li>
                """
        }
        let age = last.rows.first.map { relative($0.receivedAt, now: moment) } ?? "none yet"
        return Page(
            title: "Now", section: "", command: "selextract-billing stats", isLive: true,
            content: """
                <p class="soft">What waits for somebody, and what came last.</p>
                <ul class="tiles">\(tiles)
                <li><a href="\(Link("events"))"><small>last event</small><b>\(age)</b><small>all events</small></a></li></ul>
                <h2>The latest events</h2>\(eventTable(last.rows))
                """)
    }

    func waiting(_ role: ConsoleRole) async throws -> Page {
        var groups: [WaitingGroup] = []
        var places: [Cause: Int] = [:]
        var isCut = false
        for (_, events) in try await waitingEvents() {
            isCut = isCut || events.entries.count > Self.bound
            for event in events.rows.prefix(Self.bound) {
                let cause = Cause(event)
                if let place = places[cause] {
                    groups[place].events.append(event)
                } else {
                    places[cause] = groups.count
                    groups.append(WaitingGroup(cause: cause, events: [event]))
                }
            }
        }
        groups.sort { ($0.events.count, $0.events[0].receivedAt) > ($1.events.count, $1.events[0].receivedAt) }
        let rows: [HTML] = groups.prefix(200).map { group in
            let ids = group.events.prefix(Self.most).map(\.id.uuidString)
            func form(_ act: String, _ name: String) -> HTML {
                let fields: [HTML] = ids.map { "<input type=\"hidden\" name=\"id\" value=\"\($0)\">" }
                return """
                    <form method="post" action="\(Link("acts", act))">\(fields)<button>\(name)</button></form>
                    """
            }
            let acts: HTML =
                role == .viewer
                ? "" : "\(group.cause.act)\(form("retry", "Decide again"))\(form("discard", "Discard"))"
            return """
                <tr><td>\(group.cause.sentence)</td><td class="n">\(count(group.events.count))</td>
                <td class="n">\(count(group.accounts))</td><td>\(time(group.events.last?.receivedAt))</td>
                <td><div class="acts">\(acts)</div></td></tr>
                """
        }
        let cut: HTML =
            isCut ? "<p class=\"note\">More wait than are shown here: the newest 1,000 of each kind.</p>" : ""
        return Page(
            title: "Waiting", section: "waiting", command: "selextract-billing events list --outcome parked",
            isLive: true,
            content: """
                <p class="soft">Events that change nothing yet, by what they wait for.</p>\(cut)
                \(table(
                    "Waiting", ["Cause", "<span class=\"n\">Events</span>", "Accounts", "Oldest", "What releases them"], rows,
                    empty: "Nothing waits."))
                """)
    }
}

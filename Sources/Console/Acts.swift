import Accounts
import Billing
import Databases
import Foundation
import Selextract
import Storage

extension Console {
    /// Who acts, for the record: the console knows roles and no names, so it says from which address.
    private func actor(_ request: ConsoleRequest) -> Operator { Operator(name: "console", origin: request.peer) }

    /// Each act has a page that says what it will do, and does it when that is sent: `confirm=yes`.
    func act(_ request: ConsoleRequest, _ role: ConsoleRole) async throws -> ConsoleAnswer {
        guard request.path.count == 2 else { throw ConsoleMistake("There is no such act.") }
        let isConfirmed = request.method == "POST" && request.form["confirm"] == "yes"
        let page =
            switch request.path[1] {
            case "map": try await map(request, isConfirmed)
            case "bind": try await bind(request, isConfirmed)
            case "retry": try await retry(request, isConfirmed)
            case "discard": try await discard(request, isConfirmed)
            default: throw ConsoleMistake("There is no such act.")
            }
        return ConsoleAnswer(page.html(role: role))
    }

    private func form(_ act: String, _ fields: HTML, _ button: String) -> HTML {
        """
        <form class="row" method="post" action="\(Link("acts", act))"><input type="hidden" name="confirm" value="yes">
        \(fields)<button class="main">\(button)</button></form><p><a href="\(Link("waiting"))">Back, and do nothing</a></p>
        """
    }

    private func done(_ text: String) -> HTML {
        """
        <p class="note" role="status">\(text)</p><p><a href="\(Link("waiting"))">What waits now</a></p>
        """
    }

    // MARK: Variants

    private func map(_ request: ConsoleRequest, _ isConfirmed: Bool) async throws -> Page {
        let values = isConfirmed ? request.form : request.query
        guard let variant = values["variant"], variant.utf8.count <= 100,
            variant.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { throw ConsoleMistake("A variant id is digits only.") }
        let command = "selextract-billing plans map \(values["plan"] ?? "PLAN") \(variant)"
        guard isConfirmed else {
            let number = try await waitingEvents().flatMap(\.events.rows).count {
                Cause($0) == .unknownPlan(variant: variant)
            }
            let options: [HTML] = try await store.primary.plans().filter { $0.id != "free" }
                .map {
                    "<option value=\"\($0.id)\">\($0.name), \(count($0.monthlyComputeUnits)) units a month</option>"
                }
            return Page(
                title: "Map variant \(variant)", section: "waiting", command: command,
                content: """
                    <p>\(count(number, bound: Self.bound)) events wait for it. From then on the variant means the plan, and they
                    are decided.</p>
                    \(form(
                        "map",
                        """
                        <input type="hidden" name="variant" value="\(variant)">
                        <label>Plan<br><select name="plan" required>\(options)</select></label>
                        """, "Map and decide"))
                    """)
        }
        guard let plan = values["plan"] else { throw ConsoleMistake("Choose a plan.") }
        let released = try await underWay.once("map \(variant)") {
            try await store.mapVariant(variant, to: plan)
            return try await store.release(policy: policy)
        }
        return Page(
            title: "Variant \(variant) means \(plan)", section: "waiting", command: command,
            content: done("\(count(released)) subscriptions were looked at again."))
    }

    // MARK: Ownership

    private func bind(_ request: ConsoleRequest, _ isConfirmed: Bool) async throws -> Page {
        let values = request.method == "POST" ? request.form : request.query
        guard let subscription = values["subscription"] else { throw ConsoleMistake("Name the subscription.") }
        let command = "selextract-billing subscriptions bind \(subscription) \(values["who"] ?? "WHO")"
        guard let who = values["who"] else {
            return Page(
                title: "Bind subscription \(subscription)", section: "waiting", command: command,
                content: """
                    <p>Whose is it? The account is shown before anything is done.</p>
                    <form class="row" action="\(Link("acts", "bind"))">
                    <input type="hidden" name="subscription" value="\(subscription)">
                    <label>Account: id or e-mail<br><input type="search" name="who" size="40" required></label>
                    <button class="main">Find</button></form>
                    """)
        }
        let user = try await store.user(named: who)
        let present = try await store.subscription(subscription)
        guard isConfirmed else {
            let before: HTML =
                if let present { "It is account <code>\(present.userID.uuidString.lowercased())</code>’s now." } else {
                    "It is nobody’s now."
                }
            return Page(
                title: "Bind subscription \(subscription)", section: "waiting", command: command,
                content: """
                    <p>\(before) It becomes <b>\(user.email)</b>’s (<code>\(user.id.uuidString.lowercased())</code>), whatever its
                    events claim. Both accounts are computed again.</p>
                    \(form(
                        "bind",
                        """
                        <input type="hidden" name="subscription" value="\(subscription)">
                        <input type="hidden" name="who" value="\(user.id.uuidString)">
                        <label>Reason<br><input name="reason" size="40" maxlength="500" required></label>
                        """, "Bind"))
                    """)
        }
        guard let reason = values["reason"] else { throw ConsoleMistake("Say why: a reason is recorded with it.") }
        try await underWay.once("bind \(subscription)") {
            guard try await store.subscription(subscription)?.userID != user.id else {
                throw StoreError.conflict("subscription \(subscription) is that account’s already")
            }
            try await store.bind(
                subscription: subscription, to: user.id, reason: reason, by: actor(request), policy: policy)
        }
        let link = Link("accounts", user.id.uuidString.lowercased())
        return Page(
            title: "Subscription \(subscription) is bound", section: "waiting", command: command,
            content: "\(done("It is \(user.email)’s."))<p><a href=\"\(link)\">The account</a></p>")
    }

    // MARK: Events

    private func ids(_ request: ConsoleRequest) throws -> [UUID] {
        let texts = request.form.all("id") + request.query.all("id")
        let ids = texts.compactMap(UUID.init(uuidString:))
        guard !ids.isEmpty, ids.count == texts.count, ids.count <= Self.most else {
            throw ConsoleMistake("Name from 1 to \(Self.most) events.")
        }
        return ids
    }

    private func fields(_ ids: [UUID]) -> HTML {
        "\(ids.map { "<input type=\"hidden\" name=\"id\" value=\"\($0.uuidString)\">" as HTML })"
    }

    private func retry(_ request: ConsoleRequest, _ isConfirmed: Bool) async throws -> Page {
        let ids = try ids(request)
        let command = "selextract-billing events retry \(ids[0].uuidString.lowercased())\(ids.count > 1 ? " …" : "")"
        guard isConfirmed else {
            return Page(
                title: "Decide \(count(ids.count)) events again", section: "waiting", command: command,
                content: """
                    <p>They are decided as if they had just come. Those that still lack something go on waiting.</p>
                    \(form("retry", fields(ids), "Decide \(count(ids.count)) again"))
                    """)
        }
        let (events, _) = try await underWay.once("retry \(ids)") { try await store.retry(events: ids, policy: policy) }
        let waiting = events.count { [.parked, .failed, .quarantined].contains($0.outcome) }
        return Page(
            title: "\(count(ids.count)) events were decided again", section: "waiting", command: command,
            content: "\(done("\(count(waiting)) of them still wait."))\(eventTable(events))")
    }

    private func discard(_ request: ConsoleRequest, _ isConfirmed: Bool) async throws -> Page {
        let ids = try ids(request)
        let command = "selextract-billing events discard \(ids[0].uuidString.lowercased()) --reason TEXT"
        guard isConfirmed else {
            return Page(
                title: "Discard \(count(ids.count)) events", section: "waiting", command: command,
                content: """
                    <p>They count for nothing from then on, until they are decided again. Their bytes stay.</p>
                    \(form(
                        "discard",
                        "\(fields(ids))<label>Reason<br><input name=\"reason\" size=\"40\" maxlength=\"500\" required></label>",
                        "Discard \(count(ids.count))"))
                    """)
        }
        guard let reason = request.form["reason"] else {
            throw ConsoleMistake("Say why: a reason is recorded with it.")
        }
        let events = try await store.discard(events: ids, reason: reason, by: actor(request), policy: policy)
        return Page(
            title: "\(count(events.count)) events were discarded", section: "waiting", command: command,
            content: "\(done("They count for nothing now."))\(eventTable(events))")
    }
}

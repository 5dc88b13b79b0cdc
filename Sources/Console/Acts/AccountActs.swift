import Accounts
import Billing
import Databases
import Foundation
import Selextract
import Storage

extension Console {
    private func user(_ values: FormValues) async throws -> User {
        try await store.user(named: try required("who", in: values, "Name the account."))
    }

    private func link(_ user: User) -> Link { Link("accounts", user.id.text) }

    private func done(_ title: String, _ text: HTML, _ user: User, command: String) -> Page {
        done(title, text, command: command, section: "accounts", links: [(user.email, link(user))])
    }

    /// What an account has, now that something was done.
    private func standing(of user: User) async throws -> HTML {
        let now = try await store.user(id: user.id) ?? user
        return "\(user.email) is on \(now.subscriptionTier), with \(count(now.computeUnitsRemaining)) units left."
    }

    // MARK: Whose it is

    /// Without an account, whose it may be is asked first: that page does nothing.
    func confirmBind(_ values: FormValues) async throws -> Confirmation {
        let subscription = try required("subscription", in: values, "Name the subscription.")
        let present = try await store.subscription(subscription)
        guard let who = values["who"] else { throw WhoIsAsked(subscription: subscription) }
        let user = try await store.user(named: who)
        var filter = EventFilter()
        filter.subscriptionID = subscription
        let events = try await store.primary.eventRecords(filter, limit: Self.bound + 1, before: nil).entries.count
        guard events > 0 else { throw StoreError.notFound("event of a subscription “\(subscription)”") }
        let before: HTML =
            if let present, let owner = try await store.user(id: present.userID) {
                owner.id == user.id ? "It is this account’s already." : "It is <b>\(owner.email)</b>’s now."
            } else { "It is nobody’s now." }
        let last = try await store.primary.lastAct(subscription: subscription)
        return Confirmation(
            act: "bind", title: "Bind subscription \(subscription)",
            command: "selextract-billing subscriptions bind \(subscription.shellWord) \(user.id.text)",
            question: """
                <p>\(before) It becomes <b>\(user.email)</b>’s (<code>\(user.id.text)</code>), with
                \(count(events, "event", bound: Self.bound)), whatever they claim. Both accounts are computed again.</p>
                """,
            values: [("subscription", subscription), ("who", user.id.text)], fields: Confirmation.reason,
            button: "Bind to \(user.email)", back: Link("subscriptions", subscription),
            form: form("bind", about: subscription, after: last))
    }

    /// A page that asks for the account, instead of one that confirms.
    struct WhoIsAsked: Error {
        var subscription: String

        var page: Page {
            Page(
                title: "Bind subscription \(subscription)", section: "waiting",
                command: "selextract-billing subscriptions bind \(subscription.shellWord) WHO",
                content: """
                    <form class="act" action="\(Link("acts", "bind"))">
                    <p>Whose is it? The account is shown before anything is done.</p>
                    <input type="hidden" name="subscription" value="\(subscription)">
                    <label>Account: id or e-mail<input class="long" type="search" name="who" required></label>
                    <div class="acts"><button class="main">Find</button> <a href="\(Link("waiting"))">Do nothing</a></div>
                    </form>
                    """)
        }
    }

    func bind(_ values: FormValues, _ actor: Operator) async throws -> Page {
        let subscription = try required("subscription", in: values, "Name the subscription.")
        let user = try await user(values)
        try await store.bind(
            subscription: subscription, to: user.id, reason: try reason(in: values), by: actor, policy: policy)
        let now = try await store.user(id: user.id) ?? user
        return done(
            "Subscription \(subscription) is bound",
            "It is \(user.email)’s: plan \(now.subscriptionTier), \(count(now.computeUnitsRemaining)) units left.",
            user,
            command: "selextract-billing subscriptions bind \(subscription.shellWord) \(user.id.text)")
    }

    // MARK: Units

    func confirmAdjust(_ values: FormValues) async throws -> Confirmation {
        let user = try await user(values)
        let last = try await store.primary.lastAct(user: user.id)
        return Confirmation(
            act: "adjust", title: "Adjust units of \(user.email)",
            command: "selextract-billing users adjust \(user.id.text) UNITS --reason TEXT",
            question: """
                <p><b>\(user.email)</b> has <b>\(count(user.computeUnitsRemaining))</b> units left. The ledger gets an entry
                of its own, on the present month.</p>
                """,
            values: [("who", user.id.text)],
            fields: """
                <label>Units: more than 0 are given, less are taken<input type="number" name="units" required
                min="-1000000000" max="1000000000" step="1"></label>\(Confirmation.reason)
                """,
            button: "Adjust", back: link(user), form: form("adjust", about: user.id.text, after: last))
    }

    func adjust(_ values: FormValues, _ actor: Operator) async throws -> Page {
        let user = try await user(values)
        let text = try required("units", in: values, "Say how many units.")
        guard let units = Int(text), units != 0, (-1_000_000_000...1_000_000_000).contains(units) else {
            throw ConsoleMistake("Units are a whole number other than 0, at most 1,000,000,000.")
        }
        let entry = try await store.adjust(
            user.id, units: units, reason: try reason(in: values), by: actor, policy: policy)
        return done(
            "\(count(units)) units",
            "\(user.email) had \(count(entry.balance - entry.units)), and has \(count(entry.balance)) now.",
            user, command: "selextract-billing users adjust \(user.id.text) \(units) --reason TEXT")
    }

    // MARK: Granted plans

    func confirmGrant(_ values: FormValues) async throws -> Confirmation {
        let user = try await user(values)
        let last = try await store.primary.lastAct(user: user.id)
        let options: [HTML] = try await store.primary.plans().filter { $0.id != "free" }.map { plan in
            "<option value=\"\(plan.id)\">\(plan.name): \(count(plan.monthlyComputeUnits)) units a month</option>"
        }
        return Confirmation(
            act: "grant", title: "Grant \(user.email) a plan",
            command: "selextract-billing users grant \(user.id.text) PLAN --reason TEXT",
            question: """
                <p><b>\(user.email)</b> is on <b>\(user.subscriptionTier)</b> now. The plan begins at once, and no event takes
                it back; of all that give access the greatest counts.</p>
                """,
            values: [("who", user.id.text)],
            fields: """
                <label>Plan<select name="plan" required><option value="">Choose one</option>\(options)</select></label>
                <label>Until, a day in UTC; empty: until it is ended<input type="date" name="until"></label>
                \(Confirmation.reason)
                """,
            button: "Grant", back: link(user), form: form("grant", about: user.id.text, after: last))
    }

    func grant(_ values: FormValues, _ actor: Operator) async throws -> Page {
        let user = try await user(values)
        let plan = try required("plan", in: values, "Choose a plan.")
        var until: Date?
        if let text = values["until"] {
            guard let day = try? Date(text + "T00:00:00Z", strategy: .iso8601) else {
                throw ConsoleMistake("A day is written as 2026-12-31.")
            }
            until = day
        }
        try await store.grant(
            plan, to: user.id, until: until, reason: try reason(in: values), by: actor, policy: policy)
        return done(
            "Granted \(plan)", try await standing(of: user), user,
            command: "selextract-billing users grant \(user.id.text) \(plan) --reason TEXT")
    }

    func confirmEndGrants(_ values: FormValues) async throws -> Confirmation {
        let user = try await user(values)
        let granted = try await store.primary.subscriptions(user: user.id, limit: 100, before: nil)
            .filter { $0.source == .granted && $0.status == "active" }
        guard !granted.isEmpty else { throw StoreError.conflict("no granted plan of that account runs") }
        let last = try await store.primary.lastAct(user: user.id)
        return Confirmation(
            act: "end-grants", title: "End granted plans of \(user.email)",
            command: "selextract-billing users grant \(user.id.text) --end",
            question: """
                <p><b>\(count(granted.count, "granted plan"))</b> of \(user.email)
                (\(Set(granted.map(\.planID)).sorted().joined(separator: ", "))) end now.</p>
                """,
            values: [("who", user.id.text)], fields: Confirmation.reason,
            button: "End \(count(granted.count, "granted plan"))", back: link(user),
            form: form("end-grants", about: user.id.text, after: last))
    }

    func endGrants(_ values: FormValues, _ actor: Operator) async throws -> Page {
        let user = try await user(values)
        try await store.endGrants(of: user.id, reason: try reason(in: values), by: actor, policy: policy)
        return done(
            "Granted plans ended", try await standing(of: user), user,
            command: "selextract-billing users grant \(user.id.text) --end")
    }

    // MARK: Keys

    func confirmRevoke(_ values: FormValues) async throws -> Confirmation {
        let (user, id) = (try await user(values), try key(values))
        let keys = try await store.keys(user: user.id, limit: 1000, before: nil)
        guard let key = keys.first(where: { $0.id == id }) else { throw StoreError.notFound("key “\(id.text)”") }
        guard key.isActive else { throw StoreError.conflict("the key is revoked already") }
        return Confirmation(
            act: "revoke", title: "Revoke a key of \(user.email)",
            command: "selextract-billing keys revoke \(id.text)",
            question: """
                <p>Key <b>\(key.name)</b> (<code>\(key.keyPrefix)…</code>), \(key.lastUsedAt.map { "last used \(time($0))" as HTML }
                    ?? "never used"), opens nothing from then on, in any process. That cannot be taken back.</p>
                """,
            values: [("who", user.id.text), ("key", id.text)], button: "Revoke", back: link(user),
            form: form("revoke", about: id.text, after: nil))
    }

    func revoke(_ values: FormValues, _ actor: Operator) async throws -> Page {
        let (user, id) = (try await user(values), try key(values))
        let key = try await store.revokeKey(id, of: user.id, by: actor)
        return done(
            "Key \(key.name) is revoked", "It opens nothing from now on.", user,
            command: "selextract-billing keys revoke \(id.text)")
    }

    private func key(_ values: FormValues) throws -> UUID {
        guard let id = values["key"].flatMap(UUID.init(uuidString:)) else { throw ConsoleMistake("Name the key.") }
        return id
    }
}

public import Billing
import Databases
import Foundation
public import Storage

/// The operators' pages: what waits, why an account has what it has, and the acts that put it right.
///
/// It decides nothing: a page shows what lists and time lines tell, and an act is the one that a command does.
public struct Console: Sendable {
    /// What acts change, and what they are confirmed by.
    let store: Store
    /// What pages read: the replica, where there is one, by connections of their own.
    let pages: Store
    let policy: BillingPolicy
    let access: ConsoleAccess
    let surroundings: ConsoleSurroundings

    /// - Parameters:
    ///   - store: what acts change.
    ///   - pages: what pages read; nil: the same.
    public init(
        store: Store, pages: Store? = nil, policy: BillingPolicy, access: ConsoleAccess,
        surroundings: ConsoleSurroundings = ConsoleSurroundings()
    ) {
        self.store = store
        self.pages = pages ?? store
        self.policy = policy
        self.access = access
        self.surroundings = surroundings
    }

    /// So many rows a page shows.
    static let pageLength = 50

    /// Answers any request, and never throws: what goes wrong is a sentence on a page.
    @concurrent
    public func answer(_ request: ConsoleRequest) async -> ConsoleAnswer {
        var answer = await PageTime.$moment.withValue(surroundings.now?()) { await answered(request) }
        if !access.hearsOfSites(request) { answer.tellsOwnReferrer = true }
        return answer
    }

    private func answered(_ request: ConsoleRequest) async -> ConsoleAnswer {
        do {
            if request.method == "GET", request.path.first == "assets" { return asset(request) }
            try access.admit(request)
            if request.path == ["login"] { return try login(request) }
            guard let visitor = try access.visitor(of: request) else {
                // One that has logged out, or was never in, is led to the door.
                return request.method == "GET" && request.headers["authorization"] == nil
                    ? .redirect(to: Link("login")) : refusal(401, "Log in first.", nil)
            }
            if request.path == ["logout"], request.method == "POST" {
                access.close(request)
                return .redirect(to: Link("login"))
            }
            return await answer(request, visitor)
        } catch {
            return refusal(error.status, error.text, nil)
        }
    }

    /// The roles are told apart here, once for all pages: acts, and whatever is no GET, are the operator's.
    private func answer(_ request: ConsoleRequest, _ visitor: Visitor) async -> ConsoleAnswer {
        let isAct = request.path.first == "acts"
        guard !isAct && request.method == "GET" || visitor.role == .operator else {
            return refusal(403, "A viewer may read, and not act.", visitor)
        }
        guard request.method == "GET" || request.method == "POST" && isAct else {
            return refusal(405, "This page can be read, and no more.", visitor)
        }
        do {
            if isAct {
                let page = try await act(request, visitor)
                return ConsoleAnswer(status: page.status, page.html(for: visitor))
            }
            if request.path.count == 3, request.path[0] == "events", request.path[2] == "raw" {
                return try await raw(request.path[1])
            }
            guard let page = try await page(request, visitor) else {
                return refusal(404, "There is nothing at this address.", visitor)
            }
            return ConsoleAnswer(status: page.status, page.html(for: visitor))
        } catch {
            let (status, text) = told(error)
            return refusal(status, text, visitor)
        }
    }

    private func page(_ request: ConsoleRequest, _ visitor: Visitor) async throws -> Page? {
        let path = request.path
        return switch (path.count, path.first ?? "") {
        case (0, _): await nowPage()
        case (1, "waiting"): try await waitingPage(visitor)
        case (1, "events"): try await eventsPage(request)
        case (2, "events"): try await eventPage(path[1], visitor)
        case (1, "accounts"): try await accountsPage(request)
        case (2, "accounts"): try await accountPage(path[1], visitor)
        case (3, "accounts") where path[2] == "ledger": try await ledgerPage(path[1], request)
        case (2, "subscriptions"): try await subscriptionPage(path[1], visitor)
        case (1, "plans"): try await plansPage(visitor)
        case (1, "health"): await healthPage()
        case (1, "reconcile"): try await reconcilePage(request, visitor)
        case (2, "reconcile"): try await runPage(path[1])
        case (1, "actions"): try await actionsPage(request)
        default: nil
        }
    }

    /// What an error means, for people; what nobody at the page can do anything about is logged.
    func told(_ error: any Error) -> (status: Int, text: String) {
        let (status, text) = Self.told(error)
        if status >= 500 { surroundings.onFailure(error) }
        return (status, text)
    }

    private static func told(_ error: any Error) -> (status: Int, text: String) {
        switch error {
        case let error as ConsoleMistake: (400, error.text)
        case StoreError.notFound(let what): (404, "There is no \(what).")
        case StoreError.conflict(let what): (409, "Nothing was changed: \(what).")
        case let error as UnitRefusal: (409, "Nothing was changed: \(error).")
        case StoreError.tooSlow: (503, "The database took longer than a page waits, and was stopped.")
        case StoreError.busy: (503, "Another transaction holds what is needed. Nothing was changed; try again.")
        case StoreError.unavailable: (503, "The database cannot be reached.")
        case StoreError.schema: (503, "The database is not ready: its schema is not up to date.")
        case StoreError.unreadable(let row): (500, "This cannot be shown: \(row).")
        default: (500, "This could not be read or done. The service’s log says why.")
        }
    }

    /// A part of a page; if it cannot be read, the sentence that says so, so that the others are shown all the same.
    func part(_ body: () async throws -> HTML) async -> HTML {
        do {
            return try await body()
        } catch {
            return note("\(told(error).text)", .bad)
        }
    }

    private func refusal(_ status: Int, _ text: String, _ visitor: Visitor?) -> ConsoleAnswer {
        let titles = [404: "Not found", 409: "Not done", 401: "Log in", 403: "Refused", 503: "Not now"]
        let back: HTML = visitor == nil ? "" : "<p><a href=\"\(Link())\">Now</a></p>"
        let page = Page(
            title: titles[status] ?? "Not possible", section: "-",
            content: "<p class=\"note bad\" role=\"alert\">\(text)</p>\(back)")
        var answer = ConsoleAnswer(status: status, page.html(for: visitor))
        if status == 401 { answer.headers.append(("www-authenticate", "Bearer realm=\"Billing console\"")) }
        if status == 429 { answer.headers.append(("retry-after", "60")) }
        if status == 405 { answer.headers.append(("allow", "GET, HEAD")) }
        return answer
    }

    private func asset(_ request: ConsoleRequest) -> ConsoleAnswer {
        guard request.path.count == 2, let asset = Asset.all.first(where: { $0.name == request.path[1] }) else {
            return refusal(404, "There is nothing at this address.", nil)
        }
        return ConsoleAnswer(type: asset.type, caching: "public, max-age=31536000, immutable", asset.bytes)
    }

    /// A token comes in a form's body, never in an address, which histories and logs keep. A ticket does: it works once.
    private func login(_ request: ConsoleRequest) throws(ConsoleAccess.Refusal) -> ConsoleAnswer {
        let token = request.method == "POST" ? request.form["token"] : nil
        let ticket = request.method == "GET" ? request.query["ticket"] : nil
        let cookie: String? =
            if let token {
                try access.open(token: token, for: request)
            } else if let ticket {
                access.open(ticket: ticket, for: request)
            } else { nil }
        if let cookie {
            var answer = ConsoleAnswer.redirect(to: Link())
            answer.headers.append(("set-cookie", cookie))
            return answer
        }
        let isWrong = token != nil || ticket != nil
        let wrong: HTML =
            isWrong
            ? "<p class=\"note bad\" role=\"alert\">That opens nothing, or has been used before.</p>" : ""
        let page = Page(
            title: "Log in", section: "-",
            content: """
                \(wrong)<form class="row" method="post" action="\(Link("login"))">
                <label>Token<input class="long" type="password" name="token" autocomplete="current-password" required
                ></label><button class="main">Log in</button></form>
                <p class="soft">SELEXTRACT_CONSOLE_TOKEN acts, SELEXTRACT_CONSOLE_VIEWER_TOKEN reads.</p>
                """)
        return ConsoleAnswer(status: isWrong ? 401 : 200, page.html(for: nil))
    }
}

/// What was asked for cannot be: a sentence.
struct ConsoleMistake: Error {
    var text: String

    init(_ text: String) { self.text = text }
}

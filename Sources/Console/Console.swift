public import Billing
import Databases
import Foundation
public import Storage
import Synchronization

/// The operators' pages: what waits, why an account has what it has, and the acts that put it right.
///
/// It decides nothing: a page shows what lists and time lines tell, and an act is the one that a command does.
public struct Console: Sendable {
    let store: Store
    let policy: BillingPolicy
    let access: ConsoleAccess
    let underWay = ActsUnderWay()

    public init(store: Store, policy: BillingPolicy, access: ConsoleAccess) {
        self.store = store
        self.policy = policy
        self.access = access
    }

    /// Answers any request, and never throws: what goes wrong is a sentence on a page.
    @concurrent
    public func answer(_ request: ConsoleRequest) async -> ConsoleAnswer {
        do {
            if request.method == "GET", request.path.first == "assets" { return try asset(request) }
            try access.admit(request)
            if request.path.first == "login", request.path.count == 1 { return try login(request) }
            guard let role = try access.role(of: request) else {
                // One that has logged out, or was never in, is led to the door.
                return request.method == "GET" && request.headers["authorization"] == nil
                    ? .redirect(to: Link("login")) : refusal(401, "Log in first.", role: nil)
            }
            if request.path == ["logout"], request.method == "POST" {
                access.close(request)
                return .redirect(to: Link("login"))
            }
            return await answer(request, role)
        } catch let refusal as ConsoleAccess.Refusal {
            return self.refusal(refusal.status, refusal.text, role: nil)
        } catch {
            return refusal(404, "There is nothing at this address.", role: nil)
        }
    }

    /// The roles are told apart here, once for all pages: whatever is no GET is an act.
    private func answer(_ request: ConsoleRequest, _ role: ConsoleRole) async -> ConsoleAnswer {
        let isAct = request.path.first == "acts"
        guard !isAct && request.method == "GET" || role == .operator else {
            return refusal(403, "A viewer may read, and not act.", role: role)
        }
        guard request.method == "GET" || request.method == "POST" && isAct else {
            return refusal(405, "This page can be read, and no more.", role: role)
        }
        do {
            if isAct { return try await act(request, role) }
            if request.path.count == 3, request.path[0] == "events", request.path[2] == "raw" {
                return try await raw(request)
            }
            guard let page = try await page(request, role) else {
                return refusal(404, "There is nothing at this address.", role: role)
            }
            return ConsoleAnswer(page.html(role: role))
        } catch {
            let (status, text) = Self.told(error)
            return refusal(status, text, role: role)
        }
    }

    private func page(_ request: ConsoleRequest, _ role: ConsoleRole) async throws -> Page? {
        switch request.path.count {
        case 0: try await now()
        case 1 where request.path[0] == "waiting": try await waiting(role)
        case 1 where request.path[0] == "events": try await events(request)
        case 1 where request.path[0] == "accounts": try await accounts(request)
        case 1 where request.path[0] == "plans": try await plans()
        case 2 where request.path[0] == "events": try await event(request.path[1], role)
        case 2 where request.path[0] == "accounts": try await account(request.path[1])
        case 2 where request.path[0] == "subscriptions": try await subscription(request.path[1], role)
        default: nil
        }
    }

    /// What an error means, for people.
    static func told(_ error: any Error) -> (status: Int, text: String) {
        switch error {
        case let error as ConsoleMistake: (400, error.text)
        case StoreError.notFound(let what): (404, "There is no \(what).")
        case StoreError.conflict(let what): (409, "Nothing was changed: \(what).")
        case StoreError.tooSlow: (503, "The database took longer than a page may wait. Ask for less, or later.")
        case StoreError.busy, StoreError.unavailable:
            (503, "The database cannot be reached, or is busy. Nothing was read.")
        default: (500, "This could not be read or done. The service's own log may say why.")
        }
    }

    func refusal(_ status: Int, _ text: String, role: ConsoleRole?) -> ConsoleAnswer {
        let page = Page(
            title: status == 404 ? "Not found" : "Not done", section: "-",
            content: "<p class=\"note bad\" role=\"alert\">\(text)</p>")
        var answer = ConsoleAnswer(status: status, page.html(role: role))
        if status == 401 { answer.headers.append(("www-authenticate", "Bearer realm=\"Billing console\"")) }
        if status == 429 { answer.headers.append(("retry-after", "60")) }
        if status == 405 { answer.headers.append(("allow", "GET, HEAD")) }
        return answer
    }

    private func asset(_ request: ConsoleRequest) throws -> ConsoleAnswer {
        guard request.path.count == 2, let asset = Asset.all.first(where: { $0.name == request.path[1] }) else {
            throw ConsoleMistake("There is no such file.")
        }
        return ConsoleAnswer(type: asset.type, caching: "public, max-age=31536000, immutable", asset.bytes)
    }

    private func login(_ request: ConsoleRequest) throws -> ConsoleAnswer {
        let token = request.method == "POST" ? request.form["token"] : request.query["ticket"]
        if let token {
            if let cookie = try access.open(token, for: request) {
                var answer = ConsoleAnswer.redirect(to: Link())
                answer.headers.append(("set-cookie", cookie))
                return answer
            }
        }
        let wrong: HTML =
            token == nil
            ? "" : "<p class=\"note bad\" role=\"alert\">That opens nothing, or has been used before.</p>"
        let page = Page(
            title: "Log in", section: "-",
            content: """
                \(wrong)<form class="row" method="post" action="\(Link("login"))">
                <label>Token <br><input type="password" name="token" autocomplete="current-password" required></label>
                <button class="main">Log in</button></form>
                """)
        return ConsoleAnswer(status: token == nil ? 200 : 401, page.html(role: nil))
    }
}

/// What was asked for cannot be: a sentence.
struct ConsoleMistake: Error {
    var text: String

    init(_ text: String) { self.text = text }
}

/// Which acts are being done now: whoever presses the same button meanwhile is told so.
final class ActsUnderWay: Sendable {
    private let acts = Mutex<Set<String>>([])

    func once<Result: Sendable>(_ act: String, _ body: () async throws -> Result) async throws -> Result {
        guard acts.withLock({ $0.insert(act).inserted }) else {
            throw StoreError.conflict("somebody else is doing just this")
        }
        defer { acts.withLock { _ = $0.remove(act) } }
        return try await body()
    }
}

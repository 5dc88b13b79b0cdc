import Billing
import Foundation
import LemonSqueezy
import Storage

/// A form that does an act when it is sent, on a page that says exactly what will be done.
struct Confirmation {
    /// The last component of its address.
    var act: String
    var title: String
    var command: String
    /// What will be done, with the exact number.
    var question: HTML
    /// What is sent with it.
    var values: [(name: String, value: String)]
    /// What is still to be filled in.
    var fields: HTML = ""
    var button: String
    /// Where it leads back to.
    var back: Link
    /// Operators who see the same state get the same, so that the act is done once.
    var form: UUID

    var page: Page {
        let hidden: [HTML] = (values + [("form", form.text)]).map { name, value in
            "<input type=\"hidden\" name=\"\(name)\" value=\"\(value)\">"
        }
        return Page(
            title: title, section: act == "map" || act == "bind" ? "waiting" : "-", command: command,
            content: """
                <form class="act" method="post" action="\(Link("acts", act))">\(hidden)
                <div>\(question)</div>\(fields)
                <div class="acts"><button class="main">\(button)</button> <a href="\(back)">Do nothing</a></div></form>
                """)
    }

    static let reason: HTML = """
        <label>Reason, for the record<input class="long" name="reason" maxlength="500" required autocomplete="off"></label>
        """
}

extension Console {
    /// Each act has a page that confirms it (GET), and is done when that is sent (POST).
    func act(_ request: ConsoleRequest, _ visitor: Visitor) async throws -> Page {
        guard request.path.count == 2 else { throw ConsoleMistake("There is no such act.") }
        guard request.method == "POST" else {
            do {
                return try await confirmation(request.path[1], request.query).page
            } catch let question as WhoIsAsked {
                return question.page
            }
        }
        guard let form = request.form["form"].flatMap(UUID.init(uuidString:)) else {
            throw ConsoleMistake("The act has to be confirmed on its page, which sends `form`.")
        }
        // The peer is who holds the connection: a proxy, where there is one.
        let actor = Operator(name: visitor.name, origin: "console, \(request.peer)", form: form)
        return try await perform(request.path[1], request.form, actor)
    }

    private func confirmation(_ name: String, _ values: FormValues) async throws -> Confirmation {
        switch name {
        case "map": try await confirmMap(values)
        case "bind": try await confirmBind(values)
        case "retry": try await confirmRetry(values)
        case "discard": try await confirmDiscard(values)
        case "adjust": try await confirmAdjust(values)
        case "grant": try await confirmGrant(values)
        case "end-grants": try await confirmEndGrants(values)
        case "revoke": try await confirmRevoke(values)
        case "fetch": try await confirmFetch(values)
        case "reconcile": try await confirmReconcile(values)
        default: throw ConsoleMistake("There is no such act.")
        }
    }

    private func perform(_ name: String, _ values: FormValues, _ actor: Operator) async throws -> Page {
        switch name {
        case "map": try await map(values, actor)
        case "bind": try await bind(values, actor)
        case "retry": try await retry(values, actor)
        case "discard": try await discard(values, actor)
        case "adjust": try await adjust(values, actor)
        case "grant": try await grant(values, actor)
        case "end-grants": try await endGrants(values, actor)
        case "revoke": try await revoke(values, actor)
        case "fetch": try await fetch(values, actor)
        case "reconcile": try await reconcile(values, actor)
        default: throw ConsoleMistake("There is no such act.")
        }
    }

    /// What was done, repeated, and where to go from there.
    func done(_ title: String, _ text: HTML, command: String, section: String, links: [(String, Link)]) -> Page {
        let ways: [HTML] = links.map { name, link in "<a href=\"\(link)\">\(name)</a>" }
        return Page(
            title: title, section: section, command: command,
            content: "<p class=\"note\" role=\"status\">\(text)</p><p class=\"acts\">\(ways)</p>")
    }

    /// What two operators get who see the same: the act, what it is about, and the last act about that.
    func form(_ act: String, about subject: String, after last: UUID?) -> UUID {
        let digest = SHA256.digest(Array("\(act)\n\(subject)\n\(last?.text ?? "")".utf8))
        return digest.withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
    }

    func required(_ name: String, in values: FormValues, _ sentence: String) throws -> String {
        guard let value = values[name] else { throw ConsoleMistake(sentence) }
        return value
    }

    func reason(in values: FormValues) throws -> String {
        let reason = try required("reason", in: values, "Say why: a reason is recorded with it.")
        guard reason.utf8.count <= 2000 else { throw ConsoleMistake("The reason is too long.") }
        return reason
    }
}

import Console
import Testing

@Suite("Pages' text")
struct HTMLTests {
    @Test(
        "What comes from outside is text, in an element and in an attribute",
        arguments: [
            "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onfocus='alert(1)",
            "</title><svg onload=x>",
            "&lt;b&gt;", "a\u{0}b\u{202E}c",
        ])
    func text(_ attack: String) {
        let page: HTML = "<b title=\"\(attack)\">\(attack)</b>"
        let inner = page.text.dropFirst("<b title=\"".count).dropLast("</b>".count)
        let parts = inner.split(separator: "\">", maxSplits: 1)
        #expect(parts.count == 2 && parts[0] == parts[1])
        for part in parts {
            let isMarkup = part.contains { "<>\"'\u{0}\u{202E}".contains($0) }
            #expect(!isMarkup)
        }
    }

    @Test("Markup within markup stays, and text that is passed on is escaped once")
    func markup() {
        let inner: HTML = "<i>\("a & b")</i>"
        let outer: HTML = "<p>\(inner)\([inner, "<hr>"])\(7)</p>"
        #expect(outer.text == "<p><i>a &amp; b</i><i>a &amp; b</i><hr>7</p>")
    }

    @Test(
        "An address leads nowhere else",
        arguments: ["javascript:alert(1)", "//evil.example", "..", "../../healthz", "a?b=c#d", "é\" onclick=\"x"])
    func links(_ attack: String) {
        let link: HTML = "<a href=\"\(Link("accounts", attack, values: ["who": attack]))\">x</a>"
        let address = link.text.dropFirst("<a href=\"".count).prefix { $0 != "\"" }
        #expect(link.text == "<a href=\"\(address)\">x</a>")
        #expect(address.hasPrefix("/console/accounts/"))
        let component = address.dropFirst("/console/accounts/".count).prefix { $0 != "?" }
        let leaves = component.contains { "/?#:\"'<>&".contains($0) }
        let questions = address.count { $0 == "?" }
        #expect(!leaves && component != ".." && questions == 1)
    }
}

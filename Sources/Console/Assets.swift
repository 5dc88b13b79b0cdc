import LemonSqueezy

/// A file of the pages: its address holds the digest of its bytes, so that it may be kept for ever.
struct Asset: Sendable {
    let name: String
    let type: String
    let bytes: [UInt8]

    init(_ stem: String, _ suffix: String, type: String, _ text: String) {
        bytes = Array(text.utf8)
        name = "\(stem)-\(SHA256.hexadecimal(bytes).prefix(16)).\(suffix)"
        self.type = type
    }

    static let style = Asset("console", "css", type: "text/css; charset=utf-8", styleSheet)
    static let script = Asset("console", "js", type: "text/javascript; charset=utf-8", scriptText)
    static let icon = Asset("icon", "svg", type: "image/svg+xml", iconText)

    static let all = [style, script, icon]
}

private let iconText = """
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="4" fill="#3f5bd1"/>\
    <path d="M4 11.5V8m4 3.5v-7m4 7v-5" stroke="#fff" stroke-width="2" stroke-linecap="round"/></svg>
    """

/// `/` searches; a form is sent once; a live part is loaded anew while nobody works in it, and not in a hidden window.
private let scriptText = """
    "use strict";
    addEventListener("keydown", event => {
        if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
        if (/INPUT|SELECT|TEXTAREA/.test(event.target.tagName)) return;
        const field = document.querySelector("[type=search]");
        if (field) { event.preventDefault(); field.focus(); field.select(); }
    });
    addEventListener("submit", event => {
        if (event.target.dataset.sent) event.preventDefault();
        else event.target.dataset.sent = "1";
    });
    // A page that is shown again from the browser's memory may send its form again.
    addEventListener("pageshow", () => { for (const form of document.forms) delete form.dataset.sent; });
    const live = document.querySelector("[data-live]");
    if (live) setInterval(async () => {
        const focused = document.activeElement;
        if (document.hidden || focused.form || live !== focused && live.contains(focused)) return;
        if (live.querySelector("details[open]") || String(getSelection())) return;
        try {
            const answer = await fetch(location.href, { cache: "no-store" });
            if (!answer.ok || answer.redirected) return;
            const page = new DOMParser().parseFromString(await answer.text(), "text/html");
            const fresh = page.querySelector("[data-live]");
            if (fresh) live.replaceChildren(...fresh.childNodes);
        } catch { /* The next try may reach it. */ }
    }, 10000);
    """

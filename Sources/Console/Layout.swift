import Foundation

/// A page: what all of them have around what they say.
struct Page {
    var title: String
    /// The first component of the address, which the navigation marks.
    var section: String
    /// The command that does, or shows, the same.
    var command: String?
    /// Whether the page is loaded anew by itself.
    var isLive = false
    var content: HTML

    /// The pages in the navigation, in order: a new one is a line here and a case in `Console.page`.
    static let sections: KeyValuePairs<String, String> = [
        "": "Now", "waiting": "Waiting", "events": "Events", "accounts": "Accounts", "plans": "Plans",
    ]

    /// - Parameter role: nil: nobody is logged in, and there is nothing to go to.
    func html(role: ConsoleRole?) -> HTML {
        let links: [HTML] = Self.sections.map { path, name in
            let link = path.isEmpty ? Link() : Link(path)
            let mark: HTML = path == section ? " aria-current=\"page\"" : ""
            return "<a href=\"\(link)\"\(mark)>\(name)</a>"
        }
        let navigation: HTML =
            if let role {
                """
                <nav aria-label="Pages">\(links)</nav><small>\(role == .viewer ? "viewer" : "operator")</small>
                <form method="post" action="\(Link("logout"))"><button>Log out</button></form>
                """
            } else { "" }
        let footer: HTML = command.map { "<footer>The same on the command line: <code>\($0)</code></footer>" } ?? ""
        let live: HTML = isLive ? " data-live" : ""
        return """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><title>\(title) · Billing console</title>
            <meta name="viewport" content="width=device-width,initial-scale=1">
            <link rel="stylesheet" href="\(Link("assets", Asset.style.name))">
            <link rel="icon" href="\(Link("assets", Asset.icon.name))">
            <script src="\(Link("assets", Asset.script.name))" defer></script></head>
            <body><a class="skip" href="#content">To the content</a>
            <header><div><strong>Billing console</strong>\(navigation)</div></header>
            <main id="content" tabindex="-1"\(live)><h1>\(title)</h1>\(content)</main>\(footer)</body></html>
            """
    }
}

/// How long ago, with the moment itself in UTC beside it.
func time(_ date: Date?, now: Date = Date()) -> HTML {
    guard let date else { return "–" }
    let iso = date.formatted(.iso8601)
    let readable = iso.replacing("T", with: " ")
    return "<time datetime=\"\(iso)\">\(relative(date, now: now)) <small>\(readable)</small></time>"
}

func relative(_ date: Date, now: Date) -> String {
    let seconds = now.timeIntervalSince(date)
    let size = abs(seconds)
    let text =
        switch size {
        case ..<60: "\(Int(size)) s"
        case ..<3600: "\(Int(size / 60)) min"
        case ..<172_800: "\(Int(size / 3600)) h"
        default: "\(Int(size / 86_400)) days"
        }
    return seconds < 0 ? "in " + text : text + " ago"
}

/// A number with its thousands; of a count that ended at a bound, `1,000+`.
func count(_ number: Int, bound: Int = .max) -> String {
    let digits = String(abs(min(number, bound)))
    var text = ""
    for (index, digit) in digits.enumerated() {
        if index > 0, (digits.count - index).isMultiple(of: 3) { text += "," }
        text.append(digit)
    }
    return (number < 0 ? "−" : "") + text + (number > bound ? "+" : "")
}

func table(_ caption: String, _ heads: [HTML], _ rows: [HTML], empty: String) -> HTML {
    if rows.isEmpty { return "<p class=\"soft\">\(empty)</p>" }
    let cells: [HTML] = heads.map { "<th scope=\"col\">\($0)</th>" }
    return """
        <div class="scroll" tabindex="0" role="region" aria-label="\(caption)"><table><thead><tr>\(cells)</tr></thead>
        <tbody>\(rows)</tbody></table></div>
        """
}

import Foundation

/// A page: what all of them have around what they say.
struct Page {
    var title: String
    /// Beside the title: what it is, in a word.
    var mark: HTML = ""
    /// The first component of the address, which the navigation marks.
    var section: String
    /// The command that does, or shows, the same.
    var command: String?
    /// Whether the page is loaded anew by itself.
    var isLive = false
    var status = 200
    var content: HTML

    /// The pages in the navigation, in order: a new one is a line here and a case in `Console.page`.
    static let sections: KeyValuePairs<String, String> = [
        "": "Now", "waiting": "Waiting", "events": "Events", "accounts": "Accounts", "plans": "Plans",
        "reconcile": "Reconcile", "health": "Health", "actions": "Actions",
    ]

    /// - Parameter visitor: nil: nobody is logged in, and there is nothing to go to.
    func html(for visitor: Visitor?) -> HTML {
        let links: [HTML] = Self.sections.map { path, name in
            let link = path.isEmpty ? Link() : Link(path)
            let mark: HTML = path == section ? " aria-current=\"page\"" : ""
            return "<a href=\"\(link)\"\(mark)>\(name)</a>"
        }
        let navigation: HTML =
            if let visitor {
                """
                <nav aria-label="Pages">\(links)</nav>
                <form class="who" method="post" action="\(Link("logout"))"><small>\(visitor.name)</small>
                <button>Log out</button></form>
                """
            } else { "" }
        let footer: HTML =
            command.map { "<footer><p>On the command line: <code>\($0)</code></p></footer>" } ?? ""
        let live: HTML = isLive ? " data-live" : ""
        return """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><title>\(title) · Billing console</title>
            <meta name="viewport" content="width=device-width,initial-scale=1">
            <link rel="stylesheet" href="\(Link("assets", Asset.style.name))">
            <link rel="icon" href="\(Link("assets", Asset.icon.name))">
            <script src="\(Link("assets", Asset.script.name))" defer></script></head>
            <body><a class="skip" href="#content">To the content</a>
            <header><div><strong><img src="\(Link("assets", Asset.icon.name))" alt="">Billing console</strong>
            \(navigation)</div></header>
            <main id="content" tabindex="-1"\(live)><div class="title"><h1>\(title)</h1>\(mark)</div>\(content)</main>
            \(footer)</body></html>
            """
    }
}

// MARK: Values

/// What relative times are relative to.
enum PageTime {
    @TaskLocal static var moment: Date?

    static var now: Date { moment ?? Date() }
}

/// How long ago, with the moment itself in UTC beside it.
func time(_ date: Date?, now: Date = PageTime.now) -> HTML {
    guard let date else { return "–" }
    let iso = date.formatted(.iso8601)
    return "<time datetime=\"\(iso)\">\(relative(date, now: now)) <small>\(utc(date))</small></time>"
}

/// `2026-10-12 09:30:04Z`.
func utc(_ date: Date) -> String { date.formatted(.iso8601).replacing("T", with: " ") }

/// `2026-10-12`, UTC.
func day(_ date: Date) -> String { String(date.formatted(.iso8601).prefix(10)) }

func relative(_ date: Date, now: Date) -> String {
    let seconds = now.timeIntervalSince(date)
    let text = duration(abs(seconds))
    return seconds < 0 ? "in " + text : text + " ago"
}

/// In the unit in which it is a small number.
func duration(_ seconds: TimeInterval) -> String {
    switch seconds {
    case ..<60: "\(Int(seconds)) s"
    case ..<3600: "\(Int(seconds / 60)) min"
    case ..<172_800: "\(Int(seconds / 3600)) h"
    case ..<63_072_000: "\(Int(seconds / 86_400)) days"
    default: "\(Int(seconds / 31_536_000)) years"
    }
}

/// A number with its thousands; of a count that ended at a bound, `1,000+`.
func count(_ number: Int, bound: Int = .max) -> String {
    let digits = String(min(number.magnitude, bound.magnitude))
    var text = ""
    for (index, digit) in digits.enumerated() {
        if index > 0, (digits.count - index).isMultiple(of: 3) { text += "," }
        text.append(digit)
    }
    return (number < 0 ? "−" : "") + text + (number > bound ? "+" : "")
}

/// `41 events`, `1 event`.
func count(_ number: Int, _ noun: String, bound: Int = .max) -> String {
    "\(count(number, bound: bound)) \(noun)\(number == 1 ? "" : "s")"
}

/// Cents as a currency's whole units.
func money(_ cents: Int) -> String {
    let rest = String(cents.magnitude % 100)
    return count(cents / 100) + "." + (rest.count == 1 ? "0" : "") + rest
}

// MARK: Parts

/// The heading of a column.
struct Head: ExpressibleByStringLiteral {
    var text: String
    /// Its figures stand below each other.
    var isNumber = false
    /// Left out on a narrow screen.
    var isWide = false

    init(stringLiteral text: String) { self.text = text }

    static func number(_ text: String, isWide: Bool = false) -> Head {
        var head = Head(stringLiteral: text)
        (head.isNumber, head.isWide) = (true, isWide)
        return head
    }

    static func wide(_ text: String) -> Head {
        var head = Head(stringLiteral: text)
        head.isWide = true
        return head
    }

    var html: HTML {
        let classes = [isNumber ? "n" : "", isWide ? "w" : ""].filter { !$0.isEmpty }.joined(separator: " ")
        let style: HTML = classes.isEmpty ? "" : " class=\"\(classes)\""
        return "<th scope=\"col\"\(style)>\(text)</th>"
    }
}

/// - Parameter style: `stack`: on a narrow screen each row is a block, so that what can be done about it is seen at once.
func table(_ caption: String, _ heads: [Head], _ rows: [HTML], empty: String, style: String = "") -> HTML {
    if rows.isEmpty { return "<p class=\"soft\">\(empty)</p>" }
    let cells = heads.map(\.html)
    return """
        <div class="scroll \(style)" tabindex="0" role="region" aria-label="\(caption)"><table>
        <caption class="hidden">\(caption)</caption><thead><tr>\(cells)</tr></thead>
        <tbody>\(rows)</tbody></table></div>
        """
}

enum NoteKind: String { case plain, warn, bad }

func note(_ text: HTML, _ kind: NoteKind = .plain) -> HTML { "<p class=\"note \(kind.rawValue)\">\(text)</p>" }

/// Terms and what they are; what is nil is left out.
func terms(_ pairs: KeyValuePairs<String, HTML?>) -> HTML {
    let parts: [HTML] = pairs.compactMap { name, value in value.map { "<dt>\(name)</dt><dd>\($0)</dd>" } }
    return "<dl>\(parts)</dl>"
}

/// The way to the next page of a list.
func nextPage(_ text: String, _ link: Link?) -> HTML {
    link.map { "<p class=\"pages\"><a rel=\"next\" href=\"\($0)\">\(text)</a></p>" } ?? ""
}

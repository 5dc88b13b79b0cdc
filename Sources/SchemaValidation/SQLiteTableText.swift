/// What only the text of a table tells on SQLite: checks, computed columns, how it counts and collates, and what its
/// constraints do on a conflict or put off. All but the checks is to be added to what the pragmas say.
struct SQLiteTableText {
    struct Column {
        var collation = ""
        /// Of its `not null`.
        var onConflict = ""
        var computed = ""
    }

    private(set) var checks: [String] = []
    private(set) var columns: [String: Column] = [:]
    private(set) var primaryKey = ""
    /// By their columns: `(a, b)`.
    private(set) var unique: [String: String] = [:]
    /// In the order of the text.
    private(set) var foreignKeys: [String] = []

    init() {}

    init(_ text: SQLText) {
        let tokens = text.tokens
        guard let open = tokens.firstIndex(of: "("), let close = tokens.lastIndex(of: ")"), open < close else { return }
        for item in Self.items(tokens[(open + 1)..<close]) { read(item) }
    }

    /// What commas part, each with its tokens.
    private static func items(_ tokens: ArraySlice<String>) -> [ArraySlice<String>] {
        var items: [ArraySlice<String>] = []
        var depth = 0
        var start = tokens.startIndex
        for index in tokens.indices {
            switch tokens[index] {
            case "(": depth += 1
            case ")": depth -= 1
            case "," where depth == 0:
                items.append(tokens[start..<index])
                start = index + 1
            default: break
            }
        }
        return items + [tokens[start...]]
    }

    /// What stands in the parentheses that come first.
    private static func parenthesized(_ tokens: ArraySlice<String>) -> ArraySlice<String>? {
        guard tokens.first == "(" else { return nil }
        var depth = 0
        for index in tokens.indices {
            if tokens[index] == "(" { depth += 1 }
            if tokens[index] == ")" { depth -= 1 }
            if depth == 0 { return tokens[(tokens.startIndex + 1)..<index] }
        }
        return nil
    }
}

extension SQLiteTableText {
    private static let constraintWords: Set<String> = ["constraint", "primary", "unique", "check", "foreign"]

    /// What `on conflict` speaks of is the constraint before it.
    private enum Constraint {
        case notNull, primaryKey, other
        case unique(String)
    }

    /// A column or a constraint of the table.
    private mutating func read(_ item: ArraySlice<String>) {
        guard let first = item.first else { return }
        let column = Self.constraintWords.contains(first) ? "" : Self.name(first)
        var constraint = Constraint.other
        var depth = 0
        for index in item.indices {
            if item[index] == "(" { depth += 1 }
            if item[index] == ")" { depth -= 1 }
            if depth > 0 { continue }
            let isNegated = index > item.startIndex && item[index - 1] == "not"
            let rest = item[(index + 1)...]
            switch item[index] {
            case "null" where isNegated: constraint = .notNull
            case "primary":
                constraint = .primaryKey
                primaryKey = Self.collation(of: rest.dropFirst())
            case "unique":
                let key = Self.columns(of: rest) ?? "(\(column))"
                constraint = .unique(key)
                unique[key, default: ""] += Self.collation(of: rest)
            case "check":
                constraint = .other
                if let expression = Self.parenthesized(rest) { checks.append(Self.text(expression)) }
            case "references":
                constraint = .other
                foreignKeys.append("")
            case "deferrable" where !isNegated && !foreignKeys.isEmpty:
                let isDeferred = rest.starts(with: ["initially", "deferred"])
                foreignKeys[foreignKeys.count - 1] = isDeferred ? " deferrable initially deferred" : " deferrable"
            case "conflict": add(rest.first ?? "", to: constraint, of: column)
            case "collate": columns[column, default: Column()].collation = Self.collation(rest.first)
            case "autoincrement": columns[column, default: Column()].computed += " autoincrement"
            case "as":
                guard let expression = Self.parenthesized(rest) else { continue }
                let kind = rest.contains("stored") ? "stored" : "virtual"
                columns[column, default: Column()].computed += " generated always as (\(Self.text(expression))) \(kind)"
            default: break
            }
        }
    }

    /// To abort is what happens without a word.
    private mutating func add(_ resolution: String, to constraint: Constraint, of column: String) {
        if resolution == "abort" { return }
        let words = " on conflict \(resolution)"
        switch constraint {
        case .notNull: columns[column, default: Column()].onConflict = words
        case .primaryKey: primaryKey += words
        case .unique(let key): unique[key, default: ""] += words
        case .other: break
        }
    }

    private static func text(_ tokens: ArraySlice<String>) -> String { SQLText(tokens: Array(tokens)).description }

    private static func name(_ token: String) -> String {
        token.hasPrefix("\"") ? String(token.dropFirst().dropLast()) : token
    }

    /// The columns of a key as the pragmas would list them, without order or collation.
    private static func columns(of tokens: ArraySlice<String>) -> String? {
        guard let list = parenthesized(tokens) else { return nil }
        return "(\(items(list).map { name($0.first ?? "") }.joined(separator: ", ")))"
    }

    /// A key may collate otherwise than its columns.
    private static func collation(of tokens: ArraySlice<String>) -> String {
        guard let list = parenthesized(tokens), let place = list.firstIndex(of: "collate") else { return "" }
        return collation(list[(place + 1)...].first)
    }

    private static func collation(_ name: String?) -> String {
        name.map { $0 == "binary" ? "" : " collate \($0)" } ?? ""
    }
}

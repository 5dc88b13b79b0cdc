/// SQL in one spelling, so that two texts can be compared: lower case but for literals, without comments, line ends or
/// quotes that are not needed, and with spaces where the tokens alone say so.
struct SQLText: Hashable {
    /// Words, numbers, literals, operators and signs, in order.
    var tokens: [String]

    init(tokens: [String]) { self.tokens = tokens }

    init(_ sql: String) {
        tokens = []
        // By bytes: a service reads its whole schema at every start.
        var rest = Array(sql.utf8)[...]
        while let first = rest.first {
            if Self.isSpace(first) {
                rest.removeFirst()
            } else if rest.starts(with: "--".utf8) {
                rest = rest.drop { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
            } else if rest.starts(with: "/*".utf8) {
                rest = rest.firstRange(of: Array("*/".utf8)).map { rest[$0.upperBound...] } ?? []
            } else {
                tokens.append(Self.token(&rest))
            }
        }
    }

    private static func token(_ rest: inout ArraySlice<UInt8>) -> String {
        let first = rest[rest.startIndex]
        if first == UInt8(ascii: "'") { return quoted(&rest) }
        if first == UInt8(ascii: "\"") {
            let name = quoted(&rest)
            let bare = name.dropFirst().dropLast()
            return bare.isEmpty || bare.utf8.contains { !isWord($0) } || bare != bare.lowercased() ? name : String(bare)
        }
        var end = rest.startIndex + 1
        if isWord(first) {
            while end < rest.endIndex, isWord(rest[end]) { end += 1 }
        } else if isOperator(first) {
            while end < rest.endIndex, isOperator(rest[end]) {
                if rest[end...].starts(with: "--".utf8) || rest[end...].starts(with: "/*".utf8) { break }
                end += 1
            }
        }
        defer { rest = rest[end...] }
        return String(decoding: rest[..<end], as: UTF8.self).lowercased()
    }

    /// A literal or a name with its quotes; a doubled quote belongs to it.
    private static func quoted(_ rest: inout ArraySlice<UInt8>) -> String {
        let quote = rest[rest.startIndex]
        var end = rest.startIndex + 1
        while end < rest.endIndex {
            end += 1
            guard rest[end - 1] == quote else { continue }
            guard end < rest.endIndex, rest[end] == quote else { break }
            end += 1
        }
        defer { rest = rest[end...] }
        return String(decoding: rest[..<end], as: UTF8.self)
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || (9...13).contains(byte) }

    /// All beyond ASCII are letters, as PostgreSQL and SQLite have it.
    static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "$"), 0x80...:
            true
        default: false
        }
    }

    private static let operators = Set("<>=|!~+-*/&%^@#?:".utf8)
    private static func isOperator(_ byte: UInt8) -> Bool { operators.contains(byte) }
}

extension SQLText: CustomStringConvertible {
    private static let tightBefore: Set<String> = [",", ")", ".", ";", "[", "]", "::"]
    private static let tightAfter: Set<String> = ["(", ".", "[", "::"]
    /// Words that a parenthesis follows at a distance, unlike the names of functions and types.
    private static let spaced: Set<String> = [
        "and", "any", "as", "brin", "btree", "by", "case", "check", "default", "else", "exists", "from", "gin",
        "gist", "hash", "identity", "in", "is", "join", "key", "lateral", "not", "on", "or", "select", "set",
        "spgist", "then", "to", "unique", "values", "when", "where",
    ]

    var description: String {
        var text = ""
        var last = ""
        for token in tokens {
            let isCall = token == "(" && last.utf8.last.map(Self.isWord) ?? false && !Self.spaced.contains(last)
            if !text.isEmpty, !isCall, !Self.tightBefore.contains(token), !Self.tightAfter.contains(last) {
                text += " "
            }
            text += token
            last = token
        }
        return text
    }
}

extension SQLText {
    /// The part from the first of these words on, or behind it; empty if none occurs.
    func from(_ words: String..., behind: Bool = false) -> SQLText {
        guard let start = tokens.firstIndex(where: words.contains) else { return SQLText(tokens: []) }
        return SQLText(tokens: Array(tokens[(behind ? start + 1 : start)...]))
    }

    /// With arrays of words cast as a whole. PostgreSQL writes `varchar_column in ('a', 'b')` as
    /// `= any (array['a'::varchar, 'b'::varchar]::text[])`, and once that was dumped and restored, with the same meaning, as
    /// `= any (array['a'::varchar::text, 'b'::varchar::text])`.
    var castingWholeArrays: SQLText {
        var kept: [String] = []
        var index = 0
        while index < tokens.count {
            if tokens[index] == "array", let array = arrayOfCastWords(at: index) {
                kept += array.tokens
                index = array.end
            } else {
                kept.append(tokens[index])
                index += 1
            }
        }
        return SQLText(tokens: kept)
    }

    /// An array that begins at that token and whose elements are all cast to text one by one, cast as a whole instead; nil
    /// if it is none.
    private func arrayOfCastWords(at start: Int) -> (tokens: [String], end: Int)? {
        let (word, cast) = (["::", "character", "varying"], ["::", "text"])
        var kept = ["array"]
        var index = start + 1
        var separator = "["
        while index + 6 < tokens.count, tokens[index] == separator, tokens[index + 1].hasPrefix("'"),
            Array(tokens[(index + 2)..<(index + 5)]) == word, Array(tokens[(index + 5)..<(index + 7)]) == cast
        {
            kept += tokens[index..<(index + 5)]
            index += 7
            separator = ","
        }
        guard separator == ",", index < tokens.count, tokens[index] == "]" else { return nil }
        return (kept + ["]"] + cast + ["[", "]"], index + 1)
    }

    /// What servers of different versions agree on: no parentheses, casts, or names of tables before columns.
    var loosened: SQLText {
        var kept: [String] = []
        var index = 0
        while index < tokens.count {
            let next = index + 1 < tokens.count ? tokens[index + 1] : ""
            if next == "." {
                index += 2
            } else if tokens[index] == "::" {
                index += 2
            } else {
                if tokens[index] != "(" && tokens[index] != ")" { kept.append(tokens[index]) }
                index += 1
            }
        }
        return SQLText(tokens: kept)
    }
}

import Configuration
import Foundation

/// Reads settings one at a time, and says of a wrong one what is expected.
struct SettingsReader {
    let reader: ConfigReader

    /// The value as it was written; nil if it is not set or empty, since many tools can only leave a variable empty.
    func text(_ name: String) -> String? {
        let isSecret = Setting.all.first { $0.name == name }?.isSecret ?? true
        let value = reader.string(forKey: ConfigKey([name]), isSecret: isSecret)
        return value?.isEmpty == false ? value : nil
    }

    /// A value that may also be the content of a file, which `NAME_FILE` names: verbatim, but for one newline at its end.
    ///
    /// - Throws: `SettingsError` if both are set, or there is nothing to be read.
    func secret(_ name: String) throws(SettingsError) -> String? {
        let value = text(name)
        guard let path = text(name + Self.fileSuffix) else { return value }
        if value != nil {
            throw SettingsError(
                name + Self.fileSuffix, expected: "left unset where \(name) is set, or the other way round")
        }
        guard let data = FileManager.default.contents(atPath: path), var text = String(data: data, encoding: .utf8),
            !text.isEmpty
        else {
            throw SettingsError(
                name + Self.fileSuffix, expected: "the path of a file of UTF-8 text that this program may read")
        }
        // "\r\n" is one character.
        if text.last?.isNewline == true { text.removeLast() }
        return text
    }

    static let fileSuffix = "_FILE"

    /// As ``secret(_:)``, but a file that is not there, or is empty, holds none: it is filled while a secret is changed.
    func secretIfAny(_ name: String) throws(SettingsError) -> String? {
        guard text(name) == nil, let path = text(name + Self.fileSuffix) else { return try secret(name) }
        let size = FileManager.default.contents(atPath: path)?.count
        if size == 0 || size == nil && !FileManager.default.fileExists(atPath: path) { return nil }
        return try secret(name)
    }

    /// One setting that has two names: where both are set, they have to say the same.
    func text(_ name: String, or other: String) throws(SettingsError) -> String? {
        guard let value = text(name) else { return text(other) }
        if let second = text(other), second != value {
            throw SettingsError(other, expected: "the same as \(name), or left unset")
        }
        return value
    }

    func isEmpty(_ name: String) -> Bool {
        reader.string(forKey: ConfigKey([name])) == ""
    }

    func number(_ name: String, in range: ClosedRange<Int>, default fallback: Int) throws(SettingsError) -> Int {
        guard let text = text(name) else { return fallback }
        guard let number = Int(text), range.contains(number) else {
            throw SettingsError(name, expected: "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func flag(_ name: String) throws(SettingsError) -> Bool {
        try choice(name, ["true": true, "false": false], default: false)
    }

    /// In capitals or not: other programs write `INFO` and `True`.
    func choice<Value>(
        _ name: String, _ values: KeyValuePairs<String, Value>, default fallback: Value
    ) throws(SettingsError) -> Value {
        guard let text = text(name) else { return fallback }
        guard let value = values.first(where: { $0.key == text.lowercased() })?.value else {
            let names = values.map(\.key)
            throw SettingsError(name, expected: names.dropLast().joined(separator: ", ") + " or \(names.last ?? "")")
        }
        return value
    }

    /// An id of the provider's, which is digits only; anything else is a mistake, for example a name.
    func identifier(_ name: String) throws(SettingsError) -> String? {
        guard let text = text(name) else { return nil }
        guard text.utf8.count <= 100, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { throw SettingsError(name, expected: "a Lemon Squeezy id: digits only") }
        return text
    }

    /// An address of HTTP, without a slash at its end.
    ///
    /// - Parameter plainOnlyHere: whether only HTTPS may leave this machine.
    func url(_ name: String, plainOnlyHere: Bool) throws(SettingsError) -> URL? {
        guard var text = text(name) else { return nil }
        while text.hasSuffix("/") { text.removeLast() }
        guard let parts = URLComponents(string: text), let host = parts.host, !host.isEmpty, parts.user == nil,
            parts.query == nil, parts.fragment == nil, ["http", "https"].contains(parts.scheme), let url = parts.url
        else { throw SettingsError(name, expected: "https://HOST, with a port and a path if need be") }
        let isHere = ["localhost", "[::1]", "::1"].contains(host) || host.hasPrefix("127.") && IPv4.isAddress(host)
        if plainOnlyHere, parts.scheme == "http", !isHere {
            throw SettingsError(name, expected: "https://…: plain HTTP would show the key to everybody on the way")
        }
        return url
    }

    /// A key as it stands in a header.
    func apiKey(_ name: String) throws(SettingsError) -> String? {
        guard let text = try secret(name) else { return nil }
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw SettingsError(name, expected: "one line without blanks: copy it again from Lemon Squeezy")
        }
        return text
    }

    /// As ``text(_:)``, unless it cannot be what Lemon Squeezy signs with.
    ///
    /// - Parameter mayBeMissing: whether its file need not be there.
    func signingSecret(_ name: String, mayBeMissing: Bool = false) throws(SettingsError) -> String? {
        guard let text = mayBeMissing ? try secretIfAny(name) : try secret(name) else { return nil }
        if let error = SettingsError(signingSecret: text, from: name) { throw error }
        return text
    }

    /// Values with commas between them.
    func list(_ name: String) -> [String] {
        (text(name) ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
            .filter { !$0.isEmpty }
    }

    /// A token that nobody guesses, and that fits into a header.
    func consoleToken(_ name: String) throws(SettingsError) -> String? {
        guard let text = try secret(name) else { return nil }
        guard (16...200).contains(text.utf8.count), text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw SettingsError(name, expected: "16 to 200 printable characters of ASCII, without blanks")
        }
        return text
    }

    /// An address as libpq or this program's SQLite takes it. One that names a driver of SQLAlchemy's is read without it.
    func databaseURL(_ name: String) throws(SettingsError) -> String? {
        guard var text = try secret(name) else { return nil }
        for driver in ["asyncpg", "psycopg2", "psycopg"] {
            let scheme = "postgresql+\(driver)://"
            guard text.hasPrefix(scheme) else { continue }
            text = "postgresql://" + text.dropFirst(scheme.count)
            // asyncpg's word for libpq's.
            if driver == "asyncpg" {
                text = text.replacing("?ssl=", with: "?sslmode=").replacing("&ssl=", with: "&sslmode=")
            }
        }
        guard ["sqlite:", "postgres://", "postgresql://"].contains(where: text.hasPrefix), text != "sqlite:" else {
            throw SettingsError(
                name,
                expected: "sqlite:PATH, postgres://… or postgresql://… (also postgresql+asyncpg:// and +psycopg2://)")
        }
        return text
    }
}

private enum IPv4 {
    /// Four numbers from 0 to 255: `127.example.com` is a name.
    static func isAddress(_ host: String) -> Bool {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
    }
}

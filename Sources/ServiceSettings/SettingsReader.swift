import Configuration

/// Reads settings one at a time, and says of a wrong one what is expected.
struct SettingsReader {
    let reader: ConfigReader

    /// The value as it was written; nil if it is not set or empty, since many tools can only leave a variable empty.
    func text(_ name: String) -> String? {
        let isSecret = Setting.all.first { $0.name == name }?.isSecret ?? true
        let value = reader.string(forKey: ConfigKey([name]), isSecret: isSecret)
        return value?.isEmpty == false ? value : nil
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

    func choice<Value>(
        _ name: String, _ values: KeyValuePairs<String, Value>, default fallback: Value
    ) throws(SettingsError) -> Value {
        guard let text = text(name) else { return fallback }
        guard let value = values.first(where: { $0.key == text })?.value else {
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

    /// As ``text(_:)``, unless it cannot be what Lemon Squeezy signs with.
    func signingSecret(_ name: String) throws(SettingsError) -> String? {
        guard let text = text(name) else { return nil }
        if let error = SettingsError(signingSecret: text, from: name) { throw error }
        return text
    }

    func databaseURL(_ name: String) throws(SettingsError) -> String? {
        guard let text = text(name) else { return nil }
        guard ["sqlite:", "postgres://", "postgresql://"].contains(where: text.hasPrefix), text != "sqlite:" else {
            throw SettingsError(name, expected: "sqlite:PATH, postgres://… or postgresql://…")
        }
        return text
    }
}

import Foundation

/// Reads values out of a JSON document and remembers all that is wrong with them, instead of stopping at the first.
struct ConfigurationReader {
    private(set) var problems: [InvalidTaskConfiguration.Problem] = []

    mutating func complain(_ path: String, _ message: String) {
        problems.append(.init(path: path, message: message))
    }

    /// The value of `key`, which must be there; `null` counts as absent.
    mutating func value(_ key: String, in object: ConfigurationObject) -> MetadataValue? {
        let value = object.optional(key)
        if value == nil { complain(object.path(key), "is missing") }
        return value
    }

    /// A text with more in it than white space; the empty text if there is none.
    mutating func text(_ key: String, in object: ConfigurationObject) -> String {
        value(key, in: object).map { nonEmpty($0, at: object.path(key)) } ?? ""
    }

    mutating func optionalText(_ key: String, in object: ConfigurationObject) -> String? {
        object.optional(key).map { nonEmpty($0, at: object.path(key)) }
    }

    private mutating func nonEmpty(_ value: MetadataValue, at path: String) -> String {
        guard let text = value.text else {
            complain(path, "must be a text")
            return ""
        }
        if text.allSatisfy(\.isWhitespace) { complain(path, "must not be empty") }
        return text
    }

    mutating func flag(_ key: String, in object: ConfigurationObject, default fallback: Bool) -> Bool {
        guard let value = object.optional(key) else { return fallback }
        guard case .bool(let flag) = value else {
            complain(object.path(key), "must be true or false")
            return fallback
        }
        return flag
    }

    mutating func number(
        _ key: String, in object: ConfigurationObject, range: ClosedRange<Int>, default fallback: Int
    ) -> Int {
        guard let value = object.optional(key) else { return fallback }
        guard let number = value.integer, range.contains(number) else {
            complain(object.path(key), "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
            return fallback
        }
        return number
    }

    mutating func object(_ value: MetadataValue, at path: String) -> ConfigurationObject? {
        guard case .object(let members) = value else {
            complain(path, "must be an object")
            return nil
        }
        return ConfigurationObject(members: members, place: path)
    }

    /// The object with its known keys as this program spells them: other programs write `targetUrl` for `target_url`.
    /// Complains of a key that is there in both spellings with different values.
    mutating func respelled(_ object: ConfigurationObject, _ keys: Set<String>) -> ConfigurationObject {
        var object = object
        for key in keys.sorted() {
            let other = key.inCamelCase
            guard other != key, let value = object.members.removeValue(forKey: other), value != .null else { continue }
            if let own = object.optional(key) {
                if own != value { complain(object.path(other), "means the same as \(key): leave one of them out") }
                continue
            }
            object.members[key] = value
            object.spelling[key] = other
        }
        return object
    }

    mutating func list(_ value: MetadataValue, at path: String) -> [MetadataValue] {
        guard case .array(let elements) = value else {
            complain(path, "must be a list")
            return []
        }
        return elements
    }

    /// Complains unless `text` is an absolute URL, `http` or `https`, with a host.
    mutating func requireURL(_ text: String, at path: String) {
        // That an empty text is wrong was said when it was read.
        guard !text.allSatisfy(\.isWhitespace) else { return }
        let isPlain = text.unicodeScalars.allSatisfy {
            !$0.properties.isWhitespace && $0.properties.generalCategory != .control
        }
        guard isPlain, let url = URL(string: text), let scheme = url.scheme?.lowercased(), let host = url.host(),
            ["http", "https"].contains(scheme), !host.isEmpty
        else {
            complain(path, "must be a URL that begins with http:// or https:// and names a host")
            return
        }
    }

    /// Complains of texts that PostgreSQL cannot hold in `jsonb`, wherever they are.
    mutating func refuseNUL(in value: MetadataValue, at path: String) {
        switch value {
        case .null, .bool, .number, .wide: break
        case .string(let text):
            if text.utf8.contains(0) { complain(path, "must not contain the character U+0000") }
        case .array(let elements):
            for (index, element) in elements.enumerated() { refuseNUL(in: element, at: "\(path)[\(index)]") }
        case .object(let members):
            let object = ConfigurationObject(members: members, place: path)
            for (key, member) in members.sorted(by: { $0.key < $1.key }) {
                if key.utf8.contains(0) { complain(path, "must not contain the character U+0000 in a key") }
                refuseNUL(in: member, at: object.path(key.withoutNUL))
            }
        }
    }
}

/// An object of the document, and where it is.
struct ConfigurationObject {
    var members: [String: MetadataValue]
    var place: String
    /// How the document itself spells keys that are known by another spelling.
    var spelling: [String: String] = [:]

    func path(_ key: String) -> String {
        let key = spelling[key] ?? key
        return place.isEmpty ? key : "\(place).\(key)"
    }

    /// nil if there is none, or `null`.
    func optional(_ key: String) -> MetadataValue? {
        members[key].flatMap { $0 == .null ? nil : $0 }
    }

    func without(_ keys: Set<String>) -> [String: MetadataValue] { members.filter { !keys.contains($0.key) } }
}

extension String {
    /// `target_url` as `targetUrl`.
    fileprivate var inCamelCase: String {
        let words = split(separator: "_")
        return words.dropFirst().reduce(words.first.map(String.init) ?? "") {
            $0 + $1.prefix(1).uppercased() + $1.dropFirst()
        }
    }
}

public import Foundation

extension TaskConfiguration {
    /// Reads a JSON text, UTF-8. Throws all that is wrong with it.
    public init(json: Data) throws(InvalidTaskConfiguration) {
        guard let value = try? MetadataValue(json: json) else {
            throw InvalidTaskConfiguration(problems: [.init(path: "", message: "is not JSON")])
        }
        try self.init(value)
    }

    /// Reads what `tasks.config` holds, of any version up to ``currentVersion``; also as other programs spell version 1.0:
    /// `targetUrl`, `containerSelector` and their like, and `fields` as an object by name. Throws all that is wrong with
    /// it.
    public init(_ value: MetadataValue) throws(InvalidTaskConfiguration) {
        var reader = ConfigurationReader()
        guard let given = reader.object(value, at: "") else {
            throw InvalidTaskConfiguration(problems: reader.problems)
        }
        let document = reader.respelled(given, Key.ofDocument)
        let version = reader.version(in: document)
        guard let version else { throw InvalidTaskConfiguration(problems: reader.problems) }
        let members = try ConfigurationUpgrade.upgrade(document.members, from: version)
        self = reader.configuration(in: ConfigurationObject(members: members, place: "", spelling: document.spelling))
        reader.refuseNUL(in: .object(members), at: "")
        guard reader.problems.isEmpty else { throw InvalidTaskConfiguration(problems: reader.problems) }
    }

    /// Throws all that is wrong with a configuration made or changed in code.
    public func validate() throws(InvalidTaskConfiguration) {
        _ = try TaskConfiguration(value)
    }
}

extension ScrapingTask {
    /// The configuration that `config` holds. Throws all that is wrong with it.
    public func configuration() throws(InvalidTaskConfiguration) -> TaskConfiguration {
        try TaskConfiguration(config)
    }
}

extension ConfigurationReader {
    /// 1.0 if the document does not say; nil if it says it in a way that cannot be understood.
    fileprivate mutating func version(in document: ConfigurationObject) -> ConfigurationVersion? {
        let key = TaskConfiguration.Key.schemaVersion
        guard let value = document.optional(key) else { return ConfigurationVersion(major: 1, minor: 0) }
        let version = value.text.flatMap(ConfigurationVersion.init)
        if version == nil { complain(document.path(key), "must be a text such as \"1.0\"") }
        return version
    }

    fileprivate mutating func configuration(in document: ConfigurationObject) -> TaskConfiguration {
        typealias Key = TaskConfiguration.Key
        let target = text(Key.targetURL, in: document)
        requireURL(target, at: document.path(Key.targetURL))
        let container = text(Key.containerSelector, in: document)
        let fields = fields(in: document)
        return TaskConfiguration(
            targetURL: target, containerSelector: container, fields: fields, paging: paging(in: document),
            furtherKeys: document.without(Key.ofDocument))
    }

    private mutating func fields(in document: ConfigurationObject) -> [TaskConfiguration.Field] {
        let key = TaskConfiguration.Key.fields
        guard let value = value(key, in: document) else { return [] }
        if value == .array([]) || value == .object([:]) { complain(key, "must have at least one element") }
        if case .object(let members) = value { return fields(byName: members, at: key) }
        var fields: [TaskConfiguration.Field] = []
        var names: [String: Int] = [:]
        for (index, element) in list(value, at: key).enumerated() {
            guard let object = object(element, at: "\(key)[\(index)]") else { continue }
            let field = field(in: object)
            fields.append(field)
            if let first = names[field.name], !field.name.isEmpty {
                complain(object.path(TaskConfiguration.Key.name), "is the name of \(key)[\(first)] already")
            } else {
                names[field.name] = index
            }
        }
        return fields
    }

    /// As other programs write them: an object, whose keys are the fields' names. It has no order, so theirs is the names'.
    private mutating func fields(byName members: [String: MetadataValue], at place: String) -> [TaskConfiguration.Field]
    {
        var fields: [TaskConfiguration.Field] = []
        for (name, element) in members.sorted(by: { $0.key < $1.key }) {
            guard var object = object(element, at: "\(place).\(name.withoutNUL)") else { continue }
            let key = TaskConfiguration.Key.name
            if let other = object.optional(key), other != .string(name) {
                complain(object.path(key), "must be the key that the field stands under, or left out")
            }
            object.members[key] = .string(name)
            fields.append(field(in: object))
        }
        return fields
    }

    private mutating func field(in object: ConfigurationObject) -> TaskConfiguration.Field {
        typealias Key = TaskConfiguration.Key
        let name = text(Key.name, in: object)
        let type = choice(Key.type, in: object, of: TaskConfiguration.FieldType.self)
        let selector = text(Key.selector, in: object)
        let attribute = optionalText(Key.attribute, in: object)
        if type == .attribute, attribute == nil {
            complain(object.path(Key.attribute), "is missing, which the type \"attribute\" needs")
        }
        return TaskConfiguration.Field(
            name: name, type: type ?? .text, selector: selector, attribute: attribute,
            required: flag(Key.required, in: object, default: false), furtherKeys: object.without(Key.ofField))
    }

    private mutating func paging(in document: ConfigurationObject) -> TaskConfiguration.Paging {
        typealias Key = TaskConfiguration.Key
        typealias Paging = TaskConfiguration.Paging
        guard let value = document.optional(Key.paging), let given = object(value, at: Key.paging) else { return .none }
        let object = respelled(given, [Key.firstPage, Key.maxPages])
        guard let type = choice(Key.type, in: object, of: TaskConfiguration.PagingType.self)
        else { return .none }
        let kind: Paging.Kind
        switch type {
        case .none: return Paging(.none, furtherKeys: object.without(type.keys))
        case .nextLink: kind = .nextLink(selector: text(Key.selector, in: object))
        case .urlPattern:
            let pattern = text(Key.pattern, in: object)
            requirePattern(pattern, at: object.path(Key.pattern))
            let range = 0...TaskConfiguration.firstPageLimit
            kind = .urlPattern(pattern, firstPage: number(Key.firstPage, in: object, range: range, default: 1))
        }
        let pages = number(
            Key.maxPages, in: object, range: 1...Paging.pagesLimit, default: Paging.defaultMaxPages)
        return Paging(kind, maxPages: pages, furtherKeys: object.without(type.keys))
    }

    private mutating func requirePattern(_ pattern: String, at path: String) {
        guard !pattern.allSatisfy(\.isWhitespace) else { return }
        let parts = pattern.split(separator: "{page}", omittingEmptySubsequences: false)
        guard parts.count > 1 else { return complain(path, "must contain {page}") }
        requireURL(parts.joined(separator: "1"), at: path)
    }

    private mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ key: String, in object: ConfigurationObject, of type: Choice.Type
    ) -> Choice? {
        guard let value = value(key, in: object) else { return nil }
        let choice = value.text.flatMap(Choice.init(rawValue:))
        if choice == nil {
            let choices = Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
            complain(object.path(key), "must be one of \(choices)")
        }
        return choice
    }
}

extension TaskConfiguration {
    /// As `tasks.config` holds it, in the form of ``currentVersion``. Of a further key that has the name of a known one,
    /// the known one counts.
    public var value: MetadataValue {
        let known: [String: MetadataValue] = [
            Key.schemaVersion: .string(Self.currentVersion.description), Key.targetURL: .string(targetURL),
            Key.containerSelector: .string(containerSelector), Key.fields: .array(fields.map(\.value)),
            Key.paging: paging.value,
        ]
        return .object(furtherKeys.merging(known) { $1 })
    }

    /// The JSON text, UTF-8, keys sorted. Throws `EncodingError` if a further key holds a number that is not finite.
    public func json() throws -> Data { try value.json() }

    /// The document's keys.
    enum Key {
        static let schemaVersion = "schema_version"
        static let targetURL = "target_url"
        static let containerSelector = "container_selector"
        static let fields = "fields"
        static let paging = "pagination"
        static let ofDocument: Set = [schemaVersion, targetURL, containerSelector, fields, paging]

        static let name = "name"
        static let type = "type"
        static let selector = "selector"
        static let attribute = "attribute"
        static let required = "required"
        static let ofField: Set = [name, type, selector, attribute, required]

        static let pattern = "pattern"
        static let firstPage = "first_page"
        static let maxPages = "max_pages"
    }

    enum PagingType: String, CaseIterable {
        case none
        case nextLink = "next_link"
        case urlPattern = "url_pattern"

        /// The keys that are known for it.
        var keys: Set<String> {
            switch self {
            case .none: [Key.type]
            case .nextLink: [Key.type, Key.maxPages, Key.selector]
            case .urlPattern: [Key.type, Key.maxPages, Key.pattern, Key.firstPage]
            }
        }
    }

    /// The greatest number that the first page may have.
    static let firstPageLimit = 1_000_000_000
}

extension TaskConfiguration.Field {
    fileprivate var value: MetadataValue {
        typealias Key = TaskConfiguration.Key
        var members = furtherKeys.filter { !Key.ofField.contains($0.key) }
        members[Key.name] = .string(name)
        members[Key.type] = .string(type.rawValue)
        members[Key.selector] = .string(selector)
        members[Key.attribute] = attribute.map(MetadataValue.string)
        members[Key.required] = .bool(required)
        return .object(members)
    }
}

extension TaskConfiguration.Paging {
    fileprivate var value: MetadataValue {
        typealias Key = TaskConfiguration.Key
        let (type, known): (TaskConfiguration.PagingType, [String: MetadataValue]) =
            switch kind {
            case .none: (.none, [:])
            case .nextLink(let selector):
                (.nextLink, [Key.selector: .string(selector), Key.maxPages: .number(Decimal(maxPages))])
            case .urlPattern(let pattern, let firstPage):
                (
                    .urlPattern,
                    [
                        Key.pattern: .string(pattern), Key.firstPage: .number(Decimal(firstPage)),
                        Key.maxPages: .number(Decimal(maxPages)),
                    ]
                )
            }
        let members = furtherKeys.merging(known) { $1 }
        return .object(members.merging([Key.type: .string(type.rawValue)]) { $1 })
    }
}

extension TaskConfiguration: Codable {
    /// Throws ``InvalidTaskConfiguration`` with all that is wrong.
    public init(from decoder: any Decoder) throws {
        try self.init(MetadataValue(from: decoder))
    }

    public func encode(to encoder: any Encoder) throws {
        try value.encode(to: encoder)
    }
}

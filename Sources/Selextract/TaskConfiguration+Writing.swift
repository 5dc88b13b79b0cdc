public import Foundation

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

    /// Far beyond any page that exists.
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

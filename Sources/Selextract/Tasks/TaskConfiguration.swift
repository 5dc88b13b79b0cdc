/// What a task scrapes: a page, the containers on it, and the fields of each. Stored in `tasks.config` as versioned JSON.
///
/// Keys that this program does not know are kept where they are: another program may have written them.
public struct TaskConfiguration: Sendable, Hashable {
    /// The newest version this program knows, and the one it writes.
    public static let currentVersion = ConfigurationVersion(major: 1, minor: 0)

    /// The first page, `http` or `https`.
    public var targetURL: String
    /// The CSS selector of what holds one record.
    public var containerSelector: String
    /// At least one; no two of the same name.
    public var fields: [Field]
    public var paging: Paging
    public var furtherKeys: [String: MetadataValue]

    public init(
        targetURL: String, containerSelector: String, fields: [Field], paging: Paging = .none,
        furtherKeys: [String: MetadataValue] = [:]
    ) {
        self.targetURL = targetURL
        self.containerSelector = containerSelector
        self.fields = fields
        self.paging = paging
        self.furtherKeys = furtherKeys
    }

    /// One value of each record.
    public struct Field: Sendable, Hashable {
        public var name: String
        public var type: FieldType
        /// A CSS selector, within the container.
        public var selector: String
        /// The attribute that holds the value; needed for the type `attribute`, else nil means the type's usual place.
        public var attribute: String?
        /// Whether a record without it is left out.
        public var required: Bool
        public var furtherKeys: [String: MetadataValue]

        public init(
            name: String, type: FieldType, selector: String, attribute: String? = nil, required: Bool = false,
            furtherKeys: [String: MetadataValue] = [:]
        ) {
            self.name = name
            self.type = type
            self.selector = selector
            self.attribute = attribute
            self.required = required
            self.furtherKeys = furtherKeys
        }
    }

    /// How a value is read.
    public enum FieldType: String, Sendable, Codable, Hashable, CaseIterable {
        case text, number, boolean, date, link, image, html, attribute
    }

    /// How the pages after the first are found.
    public struct Paging: Sendable, Hashable {
        public var kind: Kind
        /// How many pages are read at most, 1 to 1000, the first one included. Of no meaning for ``Kind/none``.
        public var maxPages: Int
        public var furtherKeys: [String: MetadataValue]

        /// The most pages a task may read.
        public static let pagesLimit = 1000
        /// For a configuration that does not say.
        public static let defaultMaxPages = 10
        public static let none = Paging(.none)

        public init(
            _ kind: Kind, maxPages: Int = defaultMaxPages, furtherKeys: [String: MetadataValue] = [:]
        ) {
            self.kind = kind
            self.maxPages = maxPages
            self.furtherKeys = furtherKeys
        }

        public enum Kind: Sendable, Hashable {
            /// There is one page.
            case none
            /// A CSS selector of the link to the next page.
            case nextLink(selector: String)
            /// A URL with `{page}` in it, for which the page's number stands, from `firstPage` on.
            case urlPattern(String, firstPage: Int)
        }
    }
}

/// All that is wrong with a task configuration.
public struct InvalidTaskConfiguration: Error, Sendable, Hashable, CustomStringConvertible {
    /// At least one.
    public let problems: [Problem]

    public init(problems: [Problem]) { self.problems = problems }

    /// One thing that is wrong, and where.
    public struct Problem: Sendable, Hashable, CustomStringConvertible {
        /// As `fields[2].selector`; empty for the whole document.
        public let path: String
        public let message: String

        public init(path: String, message: String) {
            self.path = path
            self.message = message
        }

        /// `fields[2].selector: must not be empty`
        public var description: String { path.isEmpty ? message : "\(path): \(message)" }
    }

    /// The problems, a line each.
    public var description: String { problems.map(\.description).joined(separator: "\n") }
}

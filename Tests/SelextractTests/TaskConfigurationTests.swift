import Foundation
import Selextract
import Testing

@Suite("TaskConfiguration")
struct TaskConfigurationTests {
    static let complete = """
        {
          "schema_version": "1.0", "target_url": "https://books.example.com/new", "container_selector": "article.book",
          "fields": [
            {"name": "title", "type": "text", "selector": "h3 a", "required": true},
            {"name": "price", "type": "number", "selector": ".price", "attribute": "data-price"},
            {"name": "id", "type": "attribute", "selector": "a", "attribute": "data-id"}
          ],
          "pagination": {"type": "next_link", "selector": "li.next a", "max_pages": 25}
        }
        """

    static let smallest: [String: MetadataValue] = [
        "target_url": "https://example.com/", "container_selector": "li",
        "fields": [["name": "title", "type": "text", "selector": "a"]],
    ]

    /// The smallest one with some keys changed; nil removes one.
    static func changed(_ changes: [String: MetadataValue?]) -> MetadataValue {
        .object(
            changes.reduce(into: smallest) { document, change in
                if let value = change.value {
                    document[change.key] = value
                } else {
                    document.removeValue(forKey: change.key)
                }
            })
    }

    static func problems(_ value: MetadataValue) -> [String] {
        do throws(InvalidTaskConfiguration) {
            _ = try TaskConfiguration(value)
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    @Test("A complete configuration is read")
    func read() throws {
        let configuration = try TaskConfiguration(json: Data(Self.complete.utf8))
        let expected = TaskConfiguration(
            targetURL: "https://books.example.com/new", containerSelector: "article.book",
            fields: [
                .init(name: "title", type: .text, selector: "h3 a", required: true),
                .init(name: "price", type: .number, selector: ".price", attribute: "data-price"),
                .init(name: "id", type: .attribute, selector: "a", attribute: "data-id"),
            ],
            paging: .init(.nextLink(selector: "li.next a"), maxPages: 25))
        #expect(configuration == expected)
        #expect(try TaskConfiguration(expected.value) == expected)
    }

    @Test("The smallest configuration has version 1.0, one page, and fields that are not required")
    func defaults() throws {
        let configuration = try TaskConfiguration(.object(Self.smallest))
        #expect(configuration.paging == .none)
        #expect(configuration.fields.map(\.required) == [false])
        #expect(configuration.value["schema_version"] == "1.0")
        #expect(configuration.value["pagination"] == ["type": "none"])
        #expect(
            configuration.value["fields"] == [["name": "title", "type": "text", "selector": "a", "required": false]])
    }

    @Test("Null counts as absent")
    func null() throws {
        let value = Self.changed([
            "schema_version": .null, "pagination": .null,
            "fields": [["name": "a", "type": "text", "selector": "a", "attribute": .null, "required": .null]],
        ])
        #expect(try TaskConfiguration(value).fields == [.init(name: "a", type: .text, selector: "a")])
        #expect(Self.problems(Self.changed(["target_url": .null])) == ["target_url: is missing"])
    }

    @Test("Every type of field is known by its name", arguments: TaskConfiguration.FieldType.allCases)
    func types(type: TaskConfiguration.FieldType) throws {
        let field: MetadataValue = ["name": "a", "type": .string(type.rawValue), "selector": "a", "attribute": "b"]
        #expect(try TaskConfiguration(Self.changed(["fields": [field]])).fields[0].type == type)
    }

    @Test(
        "A single mistake is named by its path",
        arguments: [
            (["target_url": nil], "target_url: is missing"), (["target_url": ""], "target_url: must not be empty"),
            (["target_url": 5], "target_url: must be a text"),
            (["container_selector": nil], "container_selector: is missing"),
            (["container_selector": " \n"], "container_selector: must not be empty"),
            (["fields": nil], "fields: is missing"), (["fields": "a"], "fields: must be a list"),
            (["fields": []], "fields: must have at least one element"),
            (["fields": ["a"]], "fields[0]: must be an object"),
            (["pagination": "none"], "pagination: must be an object"),
            (["pagination": [:]], "pagination.type: is missing"),
            (
                ["pagination": ["type": "scroll"]],
                "pagination.type: must be one of \"none\", \"next_link\", \"url_pattern\""
            ),
            (["pagination": ["type": "next_link"]], "pagination.selector: is missing"),
            (["pagination": ["type": "url_pattern"]], "pagination.pattern: is missing"),
            (
                ["pagination": ["type": "url_pattern", "pattern": "https://example.com/"]],
                "pagination.pattern: must contain {page}"
            ),
            (
                ["pagination": ["type": "url_pattern", "pattern": "/p/{page}"]],
                "pagination.pattern: must be a URL that begins with http:// or https:// and names a host"
            ),
            (
                ["pagination": ["type": "url_pattern", "pattern": "https://example.com/{page}", "first_page": -1]],
                "pagination.first_page: must be a whole number from 0 to 1000000000"
            ),
            (["schema_version": "2.0"], "schema_version: 2.0 is newer than 1.0, the newest that this program knows"),
            (["schema_version": "1.1"], "schema_version: 1.1 is newer than 1.0, the newest that this program knows"),
            (["schema_version": "0.9"], "schema_version: there is no version 0.9"),
            (["schema_version": 1], "schema_version: must be a text such as \"1.0\""),
            (["schema_version": "1"], "schema_version: must be a text such as \"1.0\""),
            (["schema_version": "01.0"], "schema_version: must be a text such as \"1.0\""),
            (["schema_version": "1.0.0"], "schema_version: must be a text such as \"1.0\""),
            (["note": "a\0b"], "note: must not contain the character U+0000"),
            (["note": ["x": [1, "\0"]]], "note.x[1]: must not contain the character U+0000"),
            (["note": ["x\0": 1]], "note: must not contain the character U+0000 in a key"),
            (["container_selector": "li\0"], "container_selector: must not contain the character U+0000"),
        ] as [([String: MetadataValue?], String)])
    func mistake(changes: [String: MetadataValue?], problem: String) {
        #expect(Self.problems(Self.changed(changes)) == [problem])
    }

    @Test(
        "A mistake in a field is named by the field's place",
        arguments: [
            (["name": ""], "name: must not be empty"), (["name": nil], "name: is missing"),
            (["selector": ""], "selector: must not be empty"), (["selector": false], "selector: must be a text"),
            (["type": nil], "type: is missing"), (["required": "yes"], "required: must be true or false"),
            (["attribute": ""], "attribute: must not be empty"), (["attribute": 1], "attribute: must be a text"),
            (["type": "attribute"], "attribute: is missing, which the type \"attribute\" needs"),
            (["name": "title"], "name: is the name of fields[0] already"),
            (
                ["type": "url"],
                "type: must be one of \"text\", \"number\", \"boolean\", \"date\", \"link\", \"image\", \"html\", "
                    + "\"attribute\""
            ),
        ] as [([String: MetadataValue?], String)])
    func fieldMistake(changes: [String: MetadataValue?], problem: String) {
        var field: [String: MetadataValue] = ["name": "third", "type": "text", "selector": "b"]
        for (key, value) in changes { field[key] = value }
        let fields: MetadataValue = [
            ["name": "title", "type": "text", "selector": "a"], ["name": "second", "type": "text", "selector": "a"],
            .object(field),
        ]
        #expect(Self.problems(Self.changed(["fields": fields])) == ["fields[2].\(problem)"])
    }

    @Test("A page limit is 1 to 1000", arguments: [1, 2, 999, 1000])
    func maxPages(pages: Int) throws {
        let paging: MetadataValue = ["type": "next_link", "selector": "a", "max_pages": .number(Decimal(pages))]
        #expect(try TaskConfiguration(Self.changed(["pagination": paging])).paging.maxPages == pages)
    }

    @Test(
        "Another page limit is refused",
        arguments: [0, -1, 1001, "10", .number(1.5), .wide(1e300), true, []] as [MetadataValue])
    func maxPagesOutOfRange(pages: MetadataValue) {
        let paging: MetadataValue = ["type": "next_link", "selector": "a", "max_pages": pages]
        let problem = "pagination.max_pages: must be a whole number from 1 to 1000"
        #expect(Self.problems(Self.changed(["pagination": paging])) == [problem])
    }

    @Test("A page limit that is not said is 10")
    func maxPagesDefault() throws {
        let paging: MetadataValue = ["type": "url_pattern", "pattern": "https://example.com/?p={page}&q={page}"]
        let expected = TaskConfiguration.Paging(
            .urlPattern("https://example.com/?p={page}&q={page}", firstPage: 1), maxPages: 10)
        #expect(try TaskConfiguration(Self.changed(["pagination": paging])).paging == expected)
    }

    @Test(
        "A target is an absolute URL of the web",
        arguments: [
            ("https://example.com", true), ("http://example.com/", true), ("HTTPS://EXAMPLE.com/a?b=c#d", true),
            ("http://localhost:8080/x", true), ("http://127.0.0.1/", true), ("http://[::1]/", true),
            ("https://münchen.example/straße", true), ("https://example.com/a%20b", true), ("example.com", false),
            ("/path", false), ("//example.com/", false), ("ftp://example.com/", false), ("file:///etc/passwd", false),
            ("javascript:alert(1)", false), ("https://", false), ("https:///path", false), ("https:example.com", false),
            ("https://exa mple.com/", false), ("https://example.com/a b", false), (" https://example.com/", false),
            ("https://example.com/\n", false), ("https://example.com/\u{7F}", false), ("https://[::1/", false),
        ])
    func url(text: String, isValid: Bool) {
        let problem = "target_url: must be a URL that begins with http:// or https:// and names a host"
        #expect(Self.problems(Self.changed(["target_url": .string(text)])) == (isValid ? [] : [problem]))
    }

    @Test("All mistakes are told at once, a line each")
    func all() {
        let value: MetadataValue = [
            "target_url": "ftp://example.com/",
            "fields": [["name": "a"], 5, ["name": "a", "type": "text", "selector": ""]],
            "pagination": ["type": "next_link", "max_pages": 0],
        ]
        #expect(throws: InvalidTaskConfiguration.self) { try TaskConfiguration(value) }
        #expect(
            Self.problems(value) == [
                "target_url: must be a URL that begins with http:// or https:// and names a host",
                "container_selector: is missing", "fields[0].type: is missing", "fields[0].selector: is missing",
                "fields[1]: must be an object", "fields[2].selector: must not be empty",
                "fields[2].name: is the name of fields[0] already", "pagination.selector: is missing",
                "pagination.max_pages: must be a whole number from 1 to 1000",
            ])
        let error = InvalidTaskConfiguration(problems: [.init(path: "a", message: "b"), .init(path: "", message: "c")])
        #expect("\(error)" == "a: b\nc")
    }

    @Test(
        "What is no JSON object is refused",
        arguments: [
            ("", "is not JSON"), ("{", "is not JSON"), ("[]", "must be an object"), ("null", "must be an object"),
        ])
    func notAnObject(text: String, problem: String) {
        #expect(throws: InvalidTaskConfiguration(problems: [.init(path: "", message: problem)])) {
            try TaskConfiguration(json: Data(text.utf8))
        }
    }

    @Test("Keys that are not known stay where they were")
    func furtherKeys() throws {
        let value = Self.changed([
            "schema_version": "1.0", "retries": ["count": 3, "wait": [0, 1]], "note": .null,
            "fields": [["name": "a", "type": "text", "selector": "a", "required": true, "trim": true]],
            "pagination": ["type": "next_link", "selector": "a", "max_pages": 5, "pattern": "kept", "delay_ms": 250],
        ])
        let configuration = try TaskConfiguration(value)
        #expect(configuration.furtherKeys == ["retries": ["count": 3, "wait": [0, 1]], "note": .null])
        #expect(configuration.fields[0].furtherKeys == ["trim": true])
        #expect(configuration.paging.furtherKeys == ["pattern": "kept", "delay_ms": 250])
        #expect(configuration.value == value)
        #expect(try MetadataValue(json: configuration.json()) == value)
    }

    @Test("A further key cannot take the place of a known one")
    func shadowing() throws {
        let intruders: [String: MetadataValue] = ["name": "x", "type": "x", "attribute": "x", "target_url": "x"]
        let configuration = TaskConfiguration(
            targetURL: "https://example.com/", containerSelector: "li",
            fields: [.init(name: "a", type: .text, selector: "a", furtherKeys: intruders)],
            paging: .init(.none, furtherKeys: intruders), furtherKeys: intruders)
        #expect(configuration.value["target_url"] == "https://example.com/")
        #expect(configuration.value["pagination"]?["type"] == "none")
        let field = try #require(try TaskConfiguration(configuration.value).fields.first)
        #expect(field.name == "a")
        #expect(field.attribute == nil)
    }

    @Test("A configuration changed in code is validated as one that is read")
    func validate() throws {
        var configuration = try TaskConfiguration(json: Data(Self.complete.utf8))
        try configuration.validate()
        configuration.fields[1].selector = ""
        configuration.paging.maxPages = 5000
        #expect(
            throws: InvalidTaskConfiguration(problems: [
                .init(path: "fields[1].selector", message: "must not be empty"),
                .init(path: "pagination.max_pages", message: "must be a whole number from 1 to 1000"),
            ])
        ) { try configuration.validate() }
    }

    @Test("It is Codable, and a task finds it in its row")
    func codable() throws {
        let configuration = try TaskConfiguration(json: Data(Self.complete.utf8))
        #expect(
            try JSONDecoder().decode(TaskConfiguration.self, from: JSONEncoder().encode(configuration)) == configuration
        )
        var task = Sample.task()
        #expect(throws: InvalidTaskConfiguration.self) { try task.configuration() }
        task.config = configuration.value
        #expect(try task.configuration() == configuration)
    }

    @Test(
        "A document with anything in it is read or refused, and what is read is written the same",
        arguments: 1...300 as ClosedRange<UInt64>)
    func damaged(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let start = try MetadataValue(json: Data(Self.complete.utf8))
        let value = Self.damage(start, using: &random)
        guard Self.problems(value).isEmpty else { return }
        let configuration = try TaskConfiguration(value)
        #expect(try TaskConfiguration(configuration.value) == configuration)
        #expect(try TaskConfiguration(json: configuration.json()) == configuration)
    }

    /// Puts something else in a few places.
    static func damage(_ value: MetadataValue, using random: inout SeededGenerator) -> MetadataValue {
        if Int.random(in: 0..<25, using: &random) == 0 { return MetadataValueTests.value(depth: 2, using: &random) }
        switch value {
        case .array(let elements): return .array(elements.map { damage($0, using: &random) })
        case .object(let members):
            let damaged = members.sorted { $0.key < $1.key }.map { ($0.key, damage($0.value, using: &random)) }
            return .object(Dictionary(damaged) { $1 })
        default: return value
        }
    }
}

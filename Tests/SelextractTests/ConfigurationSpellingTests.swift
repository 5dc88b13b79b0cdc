import Foundation
import Selextract
import Testing

@Suite("Task configurations as other programs spell them")
struct ConfigurationSpellingTests {
    static let spelled = """
        {
          "targetUrl": "https://books.example.com/new", "containerSelector": "article.book",
          "fields": {
            "title": {"type": "text", "selector": "h3 a", "required": true},
            "price": {"name": "price", "type": "number", "selector": ".price", "trim": true}
          },
          "pagination": {"type": "url_pattern", "pattern": "https://books.example.com/{page}", "firstPage": 0, "maxPages": 25}
        }
        """

    private func problems(_ value: MetadataValue) -> [String] { TaskConfigurationTests.problems(value) }

    @Test("They are read as version 1.0, and written as this program writes it")
    func read() throws {
        let configuration = try TaskConfiguration(json: Data(Self.spelled.utf8))
        let expected = TaskConfiguration(
            targetURL: "https://books.example.com/new", containerSelector: "article.book",
            fields: [
                .init(name: "price", type: .number, selector: ".price", furtherKeys: ["trim": true]),
                .init(name: "title", type: .text, selector: "h3 a", required: true),
            ],
            paging: .init(.urlPattern("https://books.example.com/{page}", firstPage: 0), maxPages: 25))
        #expect(configuration == expected)
        #expect(configuration.value["target_url"] == "https://books.example.com/new")
        #expect(configuration.value["targetUrl"] == nil)
        #expect(try TaskConfiguration(configuration.value) == expected)
    }

    @Test("What is wrong is told at the path that the document has")
    func wrong() {
        let document: [String: MetadataValue] = [
            "targetUrl": "ftp://example.com", "containerSelector": 1,
            "fields": [
                "title": ["type": "text"], "price": "li", "link": ["name": "url", "type": "link", "selector": "a"],
            ],
            "pagination": ["type": "next_link", "selector": "a", "maxPages": 0],
        ]
        #expect(
            Set(problems(.object(document))) == [
                "targetUrl: must be a URL that begins with http:// or https:// and names a host",
                "containerSelector: must be a text", "fields.title.selector: is missing",
                "fields.price: must be an object",
                "fields.link.name: must be the key that the field stands under, or left out",
                "pagination.maxPages: must be a whole number from 1 to 1000",
            ])
        #expect(
            problems(TaskConfigurationTests.changed(["fields": .object([:])])) == [
                "fields: must have at least one element"
            ])
        #expect(problems(TaskConfigurationTests.changed(["fields": "title"])) == ["fields: must be a list"])
        #expect(
            problems(TaskConfigurationTests.changed(["schemaVersion": "7.0"])) == [
                "schema_version: 7.0 is newer than 1.0, the newest that this program knows"
            ])
    }

    @Test("Both spellings of a key have to say the same")
    func both() throws {
        let other = TaskConfigurationTests.changed(["targetUrl": "https://other.example"])
        #expect(problems(other) == ["targetUrl: means the same as target_url: leave one of them out"])
        let same = TaskConfigurationTests.changed(["targetUrl": TaskConfigurationTests.smallest["target_url"]])
        #expect(try TaskConfiguration(same) == TaskConfiguration(.object(TaskConfigurationTests.smallest)))
        #expect(
            try TaskConfiguration(TaskConfigurationTests.changed(["targetUrl": .null])).targetURL
                == "https://example.com/")
    }
}

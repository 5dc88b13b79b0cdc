import Testing

@testable import Selextract

@Suite("ConfigurationUpgrade")
struct ConfigurationUpgradeTests {
    static let one = ConfigurationVersion(major: 1, minor: 0)
    static let two = ConfigurationVersion(major: 1, minor: 1)
    static let three = ConfigurationVersion(major: 2, minor: 0)

    /// Made up: first a key is renamed, then its value becomes a list.
    static let steps = [
        ConfigurationUpgrade(from: one, to: two) { document in
            var document = document
            document["urls"] = document.removeValue(forKey: "url")
            return document
        },
        ConfigurationUpgrade(from: two, to: three) { document in
            document.merging(["urls": .array([document["urls"] ?? .null])]) { $1 }
        },
    ]

    @Test("Steps are taken in order, from the document's version to the newest")
    func upgrade() throws {
        let newest: [String: MetadataValue] = ["urls": ["x"], "other": 1]
        let upgraded = { document, version in
            try ConfigurationUpgrade.upgrade(document, from: version, to: Self.three, steps: Self.steps)
        }
        #expect(try upgraded(["url": "x", "other": 1], Self.one) == newest)
        #expect(try upgraded(["urls": "x", "other": 1], Self.two) == newest)
        #expect(try upgraded(newest, Self.three) == newest)
    }

    @Test("Steps beyond the target are not taken")
    func target() throws {
        let document = try ConfigurationUpgrade.upgrade(["url": "x"], from: Self.one, to: Self.two, steps: Self.steps)
        #expect(document == ["urls": "x"])
    }

    @Test("A version that no step begins at is refused", arguments: ["0.9", "1.5"])
    func unknown(text: String) throws {
        let version = try #require(ConfigurationVersion(text))
        let error = InvalidTaskConfiguration(
            problems: [.init(path: "schema_version", message: "there is no version \(text)")])
        #expect(throws: error) {
            try ConfigurationUpgrade.upgrade([:], from: version, to: Self.three, steps: Self.steps)
        }
    }

    @Test("The program's own steps lead from 1.0 to its newest version, each beginning where the last one ended")
    func own() {
        var version = Self.one
        for step in ConfigurationUpgrade.all {
            #expect(step.from == version)
            #expect(step.to > step.from)
            version = step.to
        }
        #expect(version == TaskConfiguration.currentVersion)
    }

    @Test("Versions are ordered by number, not by text")
    func order() throws {
        let texts = ["0.9", "1.0", "1.2", "1.10", "2.0", "10.0"]
        let versions = try texts.map { try #require(ConfigurationVersion($0)) }
        #expect(versions.reversed().sorted() == versions)
        #expect(versions.map(\.description) == texts)
    }

    @Test(
        "What is no version is refused",
        arguments: ["", "1", "1.", ".1", "1.0.0", "a.b", "1.-1", "+1.0", "1.00", "1.0000000000", " 1.0"])
    func malformed(text: String) {
        #expect(ConfigurationVersion(text) == nil)
    }
}

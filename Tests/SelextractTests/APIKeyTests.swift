import Foundation
import Selextract
import Testing

@Suite("APIKey")
struct APIKeyTests {
    /// Gives the words it was made with, then zeros.
    struct FixedWords: RandomNumberGenerator {
        var words: [UInt64]
        mutating func next() -> UInt64 { words.isEmpty ? 0 : words.removeFirst() }
    }

    @Test(
        "256 bits become 43 digits to base 62, the first word the weightiest",
        arguments: [
            ([0, 0, 0, 0], String(repeating: "0", count: 43)),
            ([0, 0, 0, 61], String(repeating: "0", count: 42) + "z"),
            ([0, 0, 0, 62], String(repeating: "0", count: 41) + "10"),
            // 2^64
            ([0, 0, 1, 0], String(repeating: "0", count: 32) + "LygHa16AHYG"),
        ] as [([UInt64], String)])
    func digits(words: [UInt64], digits: String) {
        var random = FixedWords(words: words)
        #expect(APIKeyText(using: &random).secret == "slx_" + digits)
    }

    @Test("The greatest number fits, and each of the 256 bits makes another key")
    func everyBit() {
        var keys: Set<String> = []
        for bit in 0..<256 {
            var words: [UInt64] = [0, 0, 0, 0]
            words[bit / 64] = 1 << UInt64(bit % 64)
            var random = FixedWords(words: words)
            keys.insert(APIKeyText(using: &random).secret)
        }
        #expect(keys.count == 256)
        var all = FixedWords(words: [.max, .max, .max, .max])
        #expect(APIKeyText(using: &all).secret.hasPrefix("slx_y"))
    }

    @Test("A new key has the form of one, and its prefix fits the column", arguments: 1...100 as ClosedRange<UInt64>)
    func form(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let key = APIKeyText(using: &random)
        #expect(key.secret.count == 47)
        #expect(APIKeyText(key.secret) == key)
        #expect(key.prefix.count == 10)
        #expect(key.secret.hasPrefix(key.prefix))
        #expect(key.bytes == Array(key.secret.utf8))
    }

    @Test("The system's random keys differ")
    func system() {
        #expect(Set((0..<1000).map { _ in APIKeyText() }).count == 1000)
    }

    @Test(
        "What has not the form of a key is refused before any database is asked",
        arguments: [
            "", "slx_", "slx_" + String(repeating: "a", count: 42), "slx_" + String(repeating: "a", count: 44),
            "SLX_" + String(repeating: "a", count: 43), "key_" + String(repeating: "a", count: 43),
            "slx_" + String(repeating: "a", count: 42) + "-", "slx_" + String(repeating: "a", count: 42) + "\n",
            "slx_" + String(repeating: "a", count: 41) + "é", " slx_" + String(repeating: "a", count: 42),
            "slx_" + String(repeating: "a", count: 42) + "\0",
        ])
    func malformed(text: String) {
        #expect(APIKeyText(text) == nil)
    }

    @Test("Printing a key shows its prefix only")
    func printing() throws {
        let key = try #require(APIKeyText("slx_abcdef" + String(repeating: "Q", count: 37)))
        var dumped = ""
        dump([key], to: &dumped)
        for text in ["\(key)", String(reflecting: key), "\([key])", "\(Optional(key) as Any)", dumped] {
            #expect(text.contains("slx_abcdef"))
            #expect(!text.contains("QQQ"))
        }
    }

    @Test("The row holds the hash in lower case and the prefix, not the text")
    func row() throws {
        let text = try #require(APIKeyText("slx_abcdef" + String(repeating: "Q", count: 37)))
        var hashed: [UInt8] = []
        let key = APIKey(id: Sample.id(5), userID: Sample.id(1), name: "CI", text: text, createdAt: Sample.noon) {
            bytes in
            hashed = bytes
            return [0x00, 0x0F, 0xA0, 0xFF] + Array(repeating: 0xBC, count: 28)
        }
        #expect(hashed == Array(text.secret.utf8))
        #expect(key.keyHash == "000fa0ff" + String(repeating: "bc", count: 28))
        #expect(key.keyPrefix == "slx_abcdef")
        #expect(key.isActive)
        #expect(key.lastUsedAt == nil)
        #expect(!String(decoding: try JSONEncoder().encode(key), as: UTF8.self).contains("QQQ"))
    }

    @Test(
        "Its last use is written at most once a minute, and never back",
        arguments: [
            (nil, true), (0, false), (59.9, false), (60, true), (3600, true), (-5, false), (-3600, false),
        ] as [(Double?, Bool)])
    func lastUse(seconds: Double?, isDue: Bool) {
        var key = APIKey(
            id: Sample.id(5), userID: Sample.id(1), name: "CI", keyHash: "", keyPrefix: "", createdAt: Sample.noon)
        key.lastUsedAt = seconds.map { Sample.noon - $0 }
        #expect(key.needsLastUse(at: Sample.noon) == isDue)
    }

    @Test("A revoked key is inactive")
    func revoke() {
        var key = APIKey(
            id: Sample.id(5), userID: Sample.id(1), name: "CI", keyHash: "", keyPrefix: "", createdAt: Sample.noon)
        key.revoke()
        #expect(!key.isActive)
    }
}

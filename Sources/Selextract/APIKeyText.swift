/// The text of an API key, which only its owner has: `slx_` and 43 digits to base 62, which carry 256 random bits.
///
/// It is shown once. Printing one, or something that contains it, shows its prefix only.
public struct APIKeyText: Sendable, Hashable {
    /// All of it: for the owner, and for hashing.
    public let secret: String

    /// What each key begins with, so that people and secret scanners know it for one.
    public static let mark = "slx_"
    private static let digitCount = 43
    private static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    /// nil if it has not the form of a key: no database need be asked.
    public init?(_ text: String) {
        let bytes = text.utf8
        guard bytes.count == Self.mark.utf8.count + Self.digitCount, bytes.starts(with: Self.mark.utf8),
            bytes.dropFirst(Self.mark.utf8.count).allSatisfy({ Self.alphabet.contains($0) })
        else { return nil }
        secret = text
    }

    /// A new key with 256 bits of `random`.
    public init(using random: inout some RandomNumberGenerator) {
        let words = (0..<4).map { _ in random.next() }
        secret = Self.mark + Self.digits(of: words)
    }

    /// A new key with 256 bits of the system's random generator.
    public init() {
        var random = SystemRandomNumberGenerator()
        self.init(using: &random)
    }

    /// The first 10 characters: enough to tell one's keys apart, and 36 of the 256 bits.
    public var prefix: String { String(secret.prefix(10)) }

    /// The bytes that are hashed with SHA-256 to store a key and to look it up: all of the text, UTF-8.
    public var bytes: [UInt8] { Array(secret.utf8) }

    /// A number of 256 bits, most significant word first, to base 62 with zeros in front: 62^43 is just above 2^256.
    private static func digits(of words: [UInt64]) -> String {
        var words = words
        var digits: [UInt8] = []
        for _ in 0..<digitCount {
            var remainder: UInt64 = 0
            for index in words.indices {
                (words[index], remainder) = UInt64(62).dividingFullWidth((remainder, words[index]))
            }
            digits.append(alphabet[Int(remainder)])
        }
        return String(decoding: digits.reversed(), as: UTF8.self)
    }
}

extension APIKeyText: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { prefix + "…" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

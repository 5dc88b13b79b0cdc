public import Foundation
public import LemonSqueezy
import Selextract

/// The exact bytes of an event, how they came, and what proves them (R1).
public struct Delivery: Sendable, Hashable {
    /// How an event came. Only what is delivered is signed.
    public enum Source: String, Sendable, Hashable, Codable {
        /// Delivered by Lemon Squeezy, and signed.
        case webhook
        /// Fetched from Lemon Squeezy's API.
        case api
        /// Made from a row of another program.
        case adopted
    }

    public var body: [UInt8]
    public var source: Source
    /// The `X-Signature` that matched; nil: it did not come by webhook.
    public var signature: String?
    /// nil: it did not come by webhook.
    public var matchedSecret: SecretMatch?

    /// What a webhook delivered.
    public init(body: [UInt8], signature: String, matchedSecret: SecretMatch) {
        self.init(body: body, source: .webhook, signature: signature, matchedSecret: matchedSecret)
    }

    /// - Parameters:
    ///   - signature: of a webhook, which cannot be stored without.
    ///   - matchedSecret: as `signature`.
    public init(body: [UInt8], source: Source, signature: String? = nil, matchedSecret: SecretMatch? = nil) {
        self.body = body
        self.source = source
        self.signature = signature
        self.matchedSecret = matchedSecret
    }
}

/// A delivery of an event after its first (R1).
public struct Redelivery: Sendable, Hashable, Codable {
    /// UTC.
    public var at: Date
    /// The secret that its signature matched, `current` or `previous`; else how it came, `api` or `adopted`.
    public var origin: String

    public init(at: Date, origin: String) {
        self.at = at
        self.origin = origin
    }
}

extension Redelivery: CustomStringConvertible {
    public var description: String { "\(ISOTime.text(from: at)) \(origin)" }
}

extension Delivery {
    /// As ``Redelivery/origin``.
    var origin: String { matchedSecret?.rawValue ?? source.rawValue }
}

public import LemonSqueezy

/// An authentic delivery: its exact bytes, and what proves it (R1).
public struct Delivery: Sendable, Hashable {
    public var body: [UInt8]
    /// The `X-Signature` that matched.
    public var signature: String
    public var matchedSecret: SecretMatch

    public init(body: [UInt8], signature: String, matchedSecret: SecretMatch) {
        self.body = body
        self.signature = signature
        self.matchedSecret = matchedSecret
    }
}

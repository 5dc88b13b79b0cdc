/// The secrets a webhook's deliveries may be signed with: the current one, and while it is being changed the one
/// before it, since the provider knows only one secret for each webhook.
///
/// The secrets are taken verbatim, as UTF-8. They show in no description, debug description, dump or mirror.
public struct SigningSecrets: Sendable {
    let current: [UInt8]
    let previous: [UInt8]?

    /// Takes the secrets as they are, white space included.
    ///
    /// - Throws: `EmptySecret` if one is empty: anybody can sign with nothing.
    public init(current: String, previous: String? = nil) throws(EmptySecret) {
        guard !current.isEmpty else { throw .current }
        guard previous != "" else { throw .previous }
        self.current = Array(current.utf8)
        self.previous = previous.map { Array($0.utf8) }
    }

    /// Which of the secrets was empty.
    public enum EmptySecret: Error, Hashable, Sendable {
        case current, previous
    }
}

extension SigningSecrets: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "SigningSecrets(hidden)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}

/// Which secret a delivery was signed with (R1). The raw values are what the inbox stores.
public enum SecretMatch: String, Hashable, Sendable, Codable, CaseIterable {
    case current, previous
}

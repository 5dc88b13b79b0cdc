/// A setting whose value cannot be used.
public struct SettingsError: Error, Sendable, Hashable {
    /// The environment variable, or the file that could not be read.
    public var setting: String
    /// What it should be; never what it was, which may be a secret.
    public var expectation: String

    public init(_ setting: String, expected expectation: String) {
        self.setting = setting
        self.expectation = expectation
    }
}

extension SettingsError: CustomStringConvertible {
    public var description: String { "\(setting) must be \(expectation)" }
}

extension SettingsError {
    /// What is wrong with a signing secret that was not copied as it is; nil if nothing is.
    ///
    /// Lemon Squeezy takes 6 to 40 characters. White space and quotes could be meant, but hardly ever are: with them every
    /// delivery would be refused, which shows only when the first one comes.
    ///
    /// - Parameters:
    ///   - secret: as it was read, without any change.
    ///   - source: what holds the secret, as the sentence names it.
    public init?(signingSecret secret: String, from source: String) {
        let scalars = secret.unicodeScalars
        guard let first = scalars.first, let last = scalars.last else {
            self.init(source, expected: "set: the signing secret of the webhook")
            return
        }
        if scalars.count > 1, first == last, first == "\"" || first == "'" {
            self.init(source, expected: "given without the quotes around it: the value is taken verbatim")
        } else if first.properties.isWhitespace || last.properties.isWhitespace {
            self.init(
                source, expected: "given without the blank, tab or newline at its end or start: it is taken verbatim")
        } else if scalars.contains(where: { $0.properties.generalCategory == .control }) {
            self.init(source, expected: "one line without control characters: copy it again from Lemon Squeezy")
        } else if !(6...40).contains(scalars.count) {
            self.init(source, expected: "6 to 40 characters long, as Lemon Squeezy asks for: copy it again from there")
        } else {
            return nil
        }
    }
}

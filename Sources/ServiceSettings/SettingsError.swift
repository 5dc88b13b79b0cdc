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

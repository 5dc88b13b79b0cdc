/// The version of a task configuration's form, `major.minor`.
public struct ConfigurationVersion: Sendable, Hashable, Comparable, LosslessStringConvertible {
    public let major: Int
    public let minor: Int

    public init(major: Int, minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// Reads `1.0`: two numbers without leading zeros, of at most 9 digits; nil for anything else.
    public init?(_ description: String) {
        let parts = description.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.count <= 9 }), let major = UsageDay.number(parts[0]),
            let minor = UsageDay.number(parts[1]), "\(major).\(minor)" == description
        else { return nil }
        self.init(major: major, minor: minor)
    }

    public var description: String { "\(major).\(minor)" }

    public static func < (left: ConfigurationVersion, right: ConfigurationVersion) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }
}

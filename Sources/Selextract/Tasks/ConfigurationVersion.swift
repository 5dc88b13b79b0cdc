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

/// A step from one version of the task configuration's form to a later one.
struct ConfigurationUpgrade: Sendable {
    var from: ConfigurationVersion
    var to: ConfigurationVersion
    /// Rewrites the document; what it leaves wrong, the validation that follows reports.
    var rewrite: @Sendable ([String: MetadataValue]) -> [String: MetadataValue]

    /// In order, from the first version to ``TaskConfiguration/currentVersion``. Empty, since there is one version so far.
    static let all: [ConfigurationUpgrade] = []

    /// `document` in the form of version `target`, by the steps that lead there from `version`, in order.
    ///
    /// Throws what is wrong with `schema_version`: it is newer than `target`, or no step begins at it.
    static func upgrade(
        _ document: [String: MetadataValue], from version: ConfigurationVersion,
        to target: ConfigurationVersion = TaskConfiguration.currentVersion, steps: [ConfigurationUpgrade] = all
    ) throws(InvalidTaskConfiguration) -> [String: MetadataValue] {
        guard version <= target else {
            throw .version("\(version) is newer than \(target), the newest that this program knows")
        }
        var (document, reached) = (document, version)
        for step in steps where step.from == reached && step.to <= target {
            document = step.rewrite(document)
            reached = step.to
        }
        guard reached == target else { throw .version("there is no version \(reached)") }
        return document
    }
}

extension InvalidTaskConfiguration {
    fileprivate static func version(_ message: String) -> InvalidTaskConfiguration {
        InvalidTaskConfiguration(problems: [.init(path: "schema_version", message: message)])
    }
}

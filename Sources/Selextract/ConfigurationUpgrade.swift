/// A step from one version of the task configuration's form to a later one.
struct ConfigurationUpgrade: Sendable {
    var from: ConfigurationVersion
    var to: ConfigurationVersion
    /// Rewrites the document; what it leaves wrong, the validation that follows reports.
    var rewrite: @Sendable ([String: MetadataValue]) -> [String: MetadataValue]

    /// In order, from the first version to ``TaskConfiguration/currentVersion``. There is one version so far.
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

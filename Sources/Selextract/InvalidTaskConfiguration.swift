/// All that is wrong with a task configuration.
public struct InvalidTaskConfiguration: Error, Sendable, Hashable, CustomStringConvertible {
    /// At least one.
    public let problems: [Problem]

    public init(problems: [Problem]) { self.problems = problems }

    /// One thing that is wrong, and where.
    public struct Problem: Sendable, Hashable, CustomStringConvertible {
        /// As `fields[2].selector`; empty for the whole document.
        public let path: String
        public let message: String

        public init(path: String, message: String) {
            self.path = path
            self.message = message
        }

        /// `fields[2].selector: must not be empty`
        public var description: String { path.isEmpty ? message : "\(path): \(message)" }
    }

    /// The problems, a line each.
    public var description: String { problems.map(\.description).joined(separator: "\n") }
}

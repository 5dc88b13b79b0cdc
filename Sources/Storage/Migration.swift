public import Foundation
import Schema

/// A migration that was applied just now.
public struct AppliedMigration: Sendable, Hashable {
    public var version: Int
    public var name: String

    public init(version: Int, name: String) {
        self.version = version
        self.name = name
    }
}

/// A migration the program has, the database has, or both.
public struct MigrationStatus: Sendable, Hashable {
    public var version: Int
    public var name: String
    /// nil: not applied yet.
    public var appliedAt: Date?

    public init(version: Int, name: String, appliedAt: Date?) {
        self.version = version
        self.name = name
        self.appliedAt = appliedAt
    }

    static func pending(_ migrations: [Schema.Migration]) -> [MigrationStatus] {
        migrations.map { MigrationStatus(version: $0.version, name: $0.name, appliedAt: nil) }
    }
}

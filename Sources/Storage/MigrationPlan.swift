import Foundation
import LemonSqueezy
import Schema

/// Which migrations are to be run, and whether what the database has is what the program knows.
struct MigrationPlan {
    /// A row of `schema_migrations`.
    struct Applied {
        var version: Int
        var name: String
        /// nil: the schema was made with the SQL file itself.
        var checksum: String?
        var appliedAt: Date
    }

    let known: [Schema.Migration]

    func pending(_ applied: [Applied]) throws(StoreError) -> [Schema.Migration] {
        let newest = known.last?.version ?? 0
        if let unknown = applied.first(where: { $0.version > newest }) {
            throw .schema("the database is newer than this program: it has migration \(unknown.version)")
        }
        for migration in known {
            guard let found = applied.first(where: { $0.version == migration.version }) else { continue }
            if let checksum = found.checksum, checksum != migration.checksum {
                throw .schema(
                    "migration \(migration.version) (\(migration.name)) was changed after it had been applied")
            }
        }
        return known.filter { migration in !applied.contains { $0.version == migration.version } }
    }

    /// Applied ones whose checksum is not recorded yet.
    func unrecorded(_ applied: [Applied]) -> [Schema.Migration] {
        known.filter { migration in applied.contains { $0.version == migration.version && $0.checksum == nil } }
    }

    func status(_ applied: [Applied]) -> [MigrationStatus] {
        let unknown = applied.filter { row in !known.contains { $0.version == row.version } }
            .map { MigrationStatus(version: $0.version, name: $0.name, appliedAt: $0.appliedAt) }
        return known.map { migration in
            MigrationStatus(
                version: migration.version, name: migration.name,
                appliedAt: applied.first { $0.version == migration.version }?.appliedAt)
        } + unknown
    }
}

extension Schema.Migration {
    /// SHA-256 of the SQL, lower-case hex.
    var checksum: String { SHA256.digest(Array(sql.utf8)).map { String(format: "%02x", $0) }.joined() }
}

import Databases
import Foundation
import LemonSqueezy
import Schema
import SchemaValidation

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

    /// The rows of `schema_migrations`.
    static let applied = Query<Applied>(
        "select version, name, checksum, applied_at from schema_migrations order by version"
    ) { row in
        Applied(
            version: try row["version"], name: try row["name"], checksum: try row["checksum"],
            appliedAt: try row["applied_at"])
    }

    /// Whether a table `schema_migrations` of these columns is there.
    ///
    /// - Throws: `StoreError.schema` if it is another program's: many use that name.
    static func isOwn(_ columns: [String]) throws(StoreError) -> Bool {
        if columns.isEmpty { return false }
        guard ["version", "name", "checksum", "applied_at"].allSatisfy(columns.contains) else {
            throw .foreignMigrations
        }
        return true
    }

    /// Those that are to be run, in order.
    ///
    /// - Throws: `StoreError.schema` if what has been applied is not what the program would have applied.
    func pending(_ applied: [Applied]) throws(StoreError) -> [Schema.Migration] {
        let newest = known.last?.version ?? 0
        if let unknown = applied.first(where: { $0.version > newest }) {
            throw .schema("the database is newer than this program: it has migration \(unknown.version)")
        }
        if let unknown = applied.first(where: { row in !known.contains { $0.version == row.version } }) {
            throw .schema("the database has migration \(unknown.version), which this program does not know")
        }
        for migration in known {
            guard let found = applied.first(where: { $0.version == migration.version }) else { continue }
            if let checksum = found.checksum, checksum != migration.checksum {
                throw .schema(
                    "migration \(migration.version) (\(migration.name)) was changed after it had been applied")
            }
        }
        let pending = known.filter { migration in !applied.contains { $0.version == migration.version } }
        if let skipped = pending.first, let later = applied.first(where: { $0.version > skipped.version }) {
            throw .schema(
                "migration \(skipped.version) (\(skipped.name)) is missing, although \(later.version) has been applied")
        }
        return pending
    }

    /// The same as differences.
    func differences(_ applied: [Applied]) -> [SchemaReport.Difference] {
        do throws(StoreError) {
            return try pending(applied).map { migration in
                SchemaReport.Difference(
                    kind: "migration", name: String(migration.version), problem: .missing,
                    sentence: "migration \(migration.version) (\(migration.name)) has not been applied")
            }
        } catch {
            return [
                SchemaReport.Difference(
                    kind: "migration", name: "", problem: .different, sentence: error.description)
            ]
        }
    }

    /// Whether a schema that this program did not make is what it would have made.
    ///
    /// - Throws: `StoreError.schema`.
    static func require(_ report: SchemaReport) throws(StoreError) {
        guard report.differences.isEmpty else {
            throw .schema(
                """
                the schema was made by hand, and differs from the expected one in \(report.differences.count) points: \
                see `validate-schema`
                """)
        }
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
    var checksum: String { SHA256.hexadecimal(Array(sql.utf8)) }

    /// SQL that says it has been applied; a statement of its own.
    var record: String {
        """
        insert into schema_migrations (version, name, checksum) values (\(version), '\(name)', '\(checksum)')
        on conflict (version) do update set checksum = excluded.checksum;

        """
    }

    /// For the database's own shell: all of it or nothing, and recorded.
    func script(before: String = "", after: String = "") -> String {
        let end = sql.last(where: { !$0.isWhitespace }) == ";" ? "" : ";"
        return "\(before)begin;\n\n\(sql)\(end)\n\(record)\ncommit;\n\(after)"
    }
}

extension StoreError {
    /// The error if tables of these names are there, but no record of migrations.
    ///
    /// - Parameter advice: what can be done about them, after a full stop.
    static func foreignTables(_ names: [String], advice: String = "") -> StoreError {
        .schema(
            """
            these tables are there already, and no record of migrations is: \(names.joined(separator: ", ")). \
            Another program made them, or they were not made to the end\(advice)
            """)
    }

    static let foreignMigrations = StoreError.schema("the table schema_migrations is another program's")
}

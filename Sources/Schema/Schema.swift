/// The SQL of `db/`, inside the binary, and what a database looks like afterwards.
public enum Schema {
    /// A numbered step, never edited once it is released.
    public struct Migration: Sendable {
        public let version: Int
        public let name: String
        public let sql: String

        public init(version: Int, name: String, sql: String) {
            self.version = version
            self.name = name
            self.sql = sql
        }
    }

    // In order, without gaps. A file `db/0002-name.sql` is `PackageResources._002_name_sql` here: what cannot stand in a
    // name becomes `_`, and so does a leading digit. Base names differ between the two databases.

    public static let postgreSQL = [
        Migration(version: 1, name: "init", sql: text(PackageResources._001_init_sql)),
        Migration(version: 2, name: "entitlements", sql: text(PackageResources._002_entitlements_sql)),
        Migration(version: 3, name: "rules", sql: text(PackageResources._003_rules_sql)),
        Migration(version: 4, name: "lean", sql: text(PackageResources._004_lean_sql)),
        Migration(version: 5, name: "functions", sql: text(PackageResources._005_functions_sql)),
        Migration(version: 6, name: "adoption", sql: text(PackageResources._006_adoption_sql)),
        Migration(version: 7, name: "discard", sql: text(PackageResources._007_discard_sql)),
        Migration(version: 8, name: "usage", sql: text(PackageResources._008_usage_sql)),
        Migration(version: 9, name: "watching", sql: text(PackageResources._009_watching_sql)),
        Migration(version: 10, name: "console", sql: text(PackageResources._010_console_sql)),
        Migration(version: 11, name: "overdue", sql: text(PackageResources._011_overdue_sql)),
        Migration(version: 12, name: "redeliveries", sql: text(PackageResources._012_redeliveries_sql)),
        Migration(version: 13, name: "deletion", sql: text(PackageResources._013_deletion_sql)),
        Migration(version: 14, name: "erasing", sql: text(PackageResources._014_erasing_sql)),
    ]

    public static let sqlite = [
        Migration(version: 1, name: "init", sql: text(PackageResources._001_init_sqlite_sql)),
        Migration(version: 2, name: "entitlements", sql: text(PackageResources._002_entitlements_sqlite_sql)),
        Migration(version: 3, name: "rules", sql: text(PackageResources._003_rules_sqlite_sql)),
        Migration(version: 4, name: "lean", sql: text(PackageResources._004_lean_sqlite_sql)),
        Migration(version: 5, name: "functions", sql: text(PackageResources._005_functions_sqlite_sql)),
        Migration(version: 6, name: "adoption", sql: text(PackageResources._006_adoption_sqlite_sql)),
        Migration(version: 7, name: "discard", sql: text(PackageResources._007_discard_sqlite_sql)),
        Migration(version: 8, name: "usage", sql: text(PackageResources._008_usage_sqlite_sql)),
        Migration(version: 9, name: "watching", sql: text(PackageResources._009_watching_sqlite_sql)),
        Migration(version: 10, name: "console", sql: text(PackageResources._010_console_sqlite_sql)),
        Migration(version: 11, name: "overdue", sql: text(PackageResources._011_overdue_sqlite_sql)),
        Migration(version: 12, name: "redeliveries", sql: text(PackageResources._012_redeliveries_sqlite_sql)),
        Migration(version: 13, name: "deletion", sql: text(PackageResources._013_deletion_sqlite_sql)),
        Migration(version: 14, name: "erasing", sql: text(PackageResources._014_erasing_sqlite_sql)),
    ]

    /// Of a database that holds usage only.
    public static let usagePostgreSQL = [
        Migration(version: 1, name: "usage", sql: text(PackageResources._001_usage_sql))
    ]
    public static let usageSQLite = [
        Migration(version: 1, name: "usage", sql: text(PackageResources._001_usage_sqlite_sql))
    ]

    /// The file `db/init.sql`: all migrations for PostgreSQL, each if it is missing, as one statement. So any client runs
    /// it, and it is done or not done as a whole.
    public static var initialization: String {
        let steps = postgreSQL.map { migration in
            let number = migration.version
            let condition =
                number == 1
                ? "to_regclass('schema_migrations') is null"
                : "not exists (select from schema_migrations where version = \(number))"
            return """
                    if \(condition) then
                        execute $migration_\(number)$
                \(migration.sql)$migration_\(number)$;
                    end if;
                """
        }
        return """
            -- The schema of Selextract Cloud on PostgreSQL, complete, for any client: run on an empty database it gives
            -- exactly what `selextract-billing migrate` gives. On an older schema it adds what is missing, and run again
            -- it changes nothing. One statement: all of it is done, or none.
            --
            -- Written by a test from the migrations beside it, which are what is edited.

            do $init$
            begin
                -- The lock that `migrate` takes.
                perform pg_advisory_xact_lock(1579075500);
                if to_regclass('schema_migrations') is null and to_regclass('users') is not null then
                    raise exception 'a table users of another program is there: `migrate --adopt` takes it over';
                end if;

            \(steps.joined(separator: "\n\n"))
            end $init$;

            """
    }

    /// What makes tables of another program those of the first migration, which was run in a schema
    /// `adoption_reference`, up to the rows that they may not have; and the rest.
    public static let adoption = (
        columns: text(PackageResources.adopt_columns_sql), constraints: text(PackageResources.adopt_constraints_sql)
    )

    /// What a database consists of once all migrations have run; made by the tests, and compared with by
    /// `validate-schema`.
    public static let postgreSQLSnapshot = text(PackageResources.snapshot_postgresql_txt)
    public static let sqliteSnapshot = text(PackageResources.snapshot_sqlite_txt)

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}

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
        Migration(version: 7, name: "discard", sql: text(PackageResources._007_discard_sql)),
    ]

    public static let sqlite = [
        Migration(version: 1, name: "init", sql: text(PackageResources._001_init_sqlite_sql)),
        Migration(version: 2, name: "entitlements", sql: text(PackageResources._002_entitlements_sqlite_sql)),
        Migration(version: 3, name: "rules", sql: text(PackageResources._003_rules_sqlite_sql)),
        Migration(version: 4, name: "lean", sql: text(PackageResources._004_lean_sqlite_sql)),
        Migration(version: 5, name: "functions", sql: text(PackageResources._005_functions_sqlite_sql)),
        Migration(version: 7, name: "discard", sql: text(PackageResources._007_discard_sqlite_sql)),
    ]

    /// What a database consists of once all migrations have run; made by the tests, and compared with by
    /// `validate-schema`.
    public static let postgreSQLSnapshot = text(PackageResources.snapshot_postgresql_txt)
    public static let sqliteSnapshot = text(PackageResources.snapshot_sqlite_txt)

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}

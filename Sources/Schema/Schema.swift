/// The SQL of `db/`, inside the binary.
public enum Schema {
    /// A numbered step. The first is the complete schema; later ones lead from there to what it is today.
    public struct Migration: Sendable {
        public let version: Int
        public let name: String
        public let sql: String
    }

    public static let postgreSQL = [
        Migration(version: 1, name: "init", sql: text(PackageResources.init_sql))
    ]

    public static let sqlite = [
        Migration(version: 1, name: "init", sql: text(PackageResources.sqlite_sql))
    ]

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}

import Schema

extension DatabaseConfiguration {
    /// The SQL of a migration, for the kind of database that the URL names; nil if there is none of that version.
    public func sql(ofMigration version: Int) -> String? {
        let migrations = url.hasPrefix("sqlite:") ? Schema.sqlite : Schema.postgreSQL
        return migrations.first { $0.version == version }?.sql
    }
}

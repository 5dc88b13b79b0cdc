import GRDB
import SchemaValidation

extension SQLiteDriver {
    /// This program's own, as far as other statements name all of them.
    static let tables = SchemaSnapshot.sqlite.tables
    static let views = SchemaSnapshot.sqlite.views

    func validateSchema() async throws -> SchemaReport {
        try await read { connection in
            var report = SchemaSnapshot.sqlite.compare(try Self.snapshot(connection))
            switch report.migrationRecord {
            case .sound: report.differences += plan.differences(try Self.applied(connection))
            case .missing: report.differences += plan.differences([])
            case .damaged: break
            }
            return report
        }
    }

    /// - Throws: `StoreError.schema` if the schema is not what the migrations would have made.
    static func requireSchema(_ connection: SQLiteConnection) throws {
        try MigrationPlan.require(SchemaSnapshot.sqlite.compare(try snapshot(connection)))
    }

    static func snapshot(_ connection: SQLiteConnection) throws -> SchemaSnapshot {
        let reader = SQLiteSchemaReader { sql in
            try connection.run(SQL(raw: sql)).map { $0.values.map(String.fromDatabaseValue) }
        }
        do {
            return try reader.snapshot()
        } catch let error as SchemaReadingError {
            throw StoreError.failed(error.description)
        }
    }
}

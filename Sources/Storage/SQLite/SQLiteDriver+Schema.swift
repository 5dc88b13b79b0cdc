import Databases
import SchemaValidation

extension SQLiteDriver {
    /// This program's own, as far as other statements name all of them.
    static let tables = SchemaSnapshot.sqlite.tables
    static let views = SchemaSnapshot.sqlite.views

    func validateSchema(_ plan: MigrationPlan) async throws -> SchemaReport {
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

    static func snapshot(_ connection: SQLiteConnection) throws -> SchemaSnapshot {
        let reader = SQLiteSchemaReader { try connection.texts($0) }
        do {
            return try reader.snapshot()
        } catch let error as SchemaReadingError {
            throw StoreError.failed(error.description)
        }
    }
}

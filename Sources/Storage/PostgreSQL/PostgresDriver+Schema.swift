import Databases
import SchemaValidation

extension PostgresDriver {
    /// This program's own, as far as other statements name all of them.
    static let tables = SchemaSnapshot.postgreSQL.tables
    static let views = SchemaSnapshot.postgreSQL.views
    static let functions = SchemaSnapshot.postgreSQL.functions

    func validateSchema(_ plan: MigrationPlan) async throws -> SchemaReport {
        try await read { session in
            var report = SchemaSnapshot.postgreSQL.compare(try await Self.snapshot(session))
            switch report.migrationRecord {
            case .sound: report.differences += plan.differences(try await Self.applied(session))
            case .missing: report.differences += plan.differences([])
            case .damaged: break
            }
            return report
        }
    }

    /// In a transaction, to which alone the reader's settings belong.
    static func snapshot(_ session: PostgresSession) async throws -> SchemaSnapshot {
        let reader = PostgresSchemaReader { try await session.texts($0) }
        do {
            return try await reader.snapshot()
        } catch let error as SchemaReadingError {
            throw StoreError.failed(error.description)
        }
    }
}

import Postgres
import SchemaValidation

extension PostgresDriver {
    /// This program's own, as far as other statements name all of them.
    static let tables = SchemaSnapshot.postgreSQL.tables
    static let views = SchemaSnapshot.postgreSQL.views
    static let functions = SchemaSnapshot.postgreSQL.functions

    func validateSchema() async throws -> SchemaReport {
        try await mapped {
            try await connections.withTransaction(isolation: .repeatableRead, readOnly: true) { connection in
                var report = SchemaSnapshot.postgreSQL.compare(try await Self.snapshot(connection))
                switch report.migrationRecord {
                case .sound: report.differences += plan.differences(try await Self.applied(connection))
                case .missing: report.differences += plan.differences([])
                case .damaged: break
                }
                return report
            }
        }
    }

    /// - Throws: `StoreError.schema` if the schema is not what the migrations would have made.
    static func requireSchema(_ connection: PostgresConnection) async throws {
        try MigrationPlan.require(SchemaSnapshot.postgreSQL.compare(try await snapshot(connection)))
    }

    /// In a transaction, to which alone the reader's settings belong.
    static func snapshot(_ connection: PostgresConnection) async throws -> SchemaSnapshot {
        let reader = PostgresSchemaReader { try await connection.query(PostgresQuery(unescaped: $0)).texts() }
        do {
            return try await reader.snapshot()
        } catch let error as SchemaReadingError {
            throw StoreError.failed(error.description)
        }
    }
}

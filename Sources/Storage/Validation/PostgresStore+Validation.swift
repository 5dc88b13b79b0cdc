import Postgres

extension PostgresStore {
    public func validateSchema() async throws -> SchemaReport {
        try await mapped {
            try await connections.withTransaction(isolation: .repeatableRead, readOnly: true) { connection in
                var report = Catalogue.postgreSQL.compare(try await Self.catalogue(connection))
                switch report.migrationRecord {
                case .sound: report.differences += plan.differences(try await Self.applied(connection))
                case .missing: report.differences += plan.differences([])
                case .damaged: break
                }
                return report
            }
        }
    }

    /// What is visible on the search path, apart from the system's own.
    static func catalogue(_ connection: PostgresConnection) async throws -> Catalogue {
        // Expressions are spelled as these settings say, which a server or a user may have changed.
        _ = try await connection.query(
            """
            select set_config('intervalstyle', 'postgres', true), set_config('datestyle', 'ISO', true),
                set_config('timezone', 'UTC', true), set_config('quote_all_identifiers', 'off', true)
            """)
        let version = try await connection.query("select current_setting('server_version_num')::int / 10000")
        var entries: [CatalogueEntry] = []
        for row in try await connection.query(PostgresQuery(unescaped: catalogueSQL)) {
            let (kind, table, name, definition) = try row.decode(
                String.self, String?.self, String.self, String.self)
            guard let kind = CatalogueEntry.Kind(rawValue: kind) else { continue }
            let isExpression = kind == .check || kind == .exclusion
            entries.append(
                CatalogueEntry(
                    kind: kind, table: table, name: isExpression ? SQLText(name).description : name,
                    definition: SQLText(definition).description))
        }
        if entries.contains(where: { $0.kind == .column && $0.table == "subscription_plans" && $0.name == "id" }) {
            // As text, of whatever type the column has become.
            let plans: PostgresQuery = "select id::text from subscription_plans where id is not null"
            entries += try await connection.query(plans).values(String.self).map {
                CatalogueEntry(kind: .plan, table: "subscription_plans", name: $0, definition: "")
            }
        }
        return Catalogue(version: try version.values(Int.self)[0], entries: entries)
    }
}

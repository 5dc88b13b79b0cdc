import CLibPQ

extension PostgresConnection {
    /// Runs one statement and returns its rows. The statement is prepared the first time it is seen.
    ///
    /// - Throws: `PostgresError`, or `CancellationError` if the task was cancelled: the server has then stopped the
    ///   statement and the connection is good, though a transaction in progress has failed.
    public func query(_ query: PostgresQuery) async throws -> PostgresRows {
        do {
            return try await attempt(query)
        } catch let error as PostgresError where error.isStatementLost {
            if error.isStatementUnknown { policy.forbidNames() }
            if error.isPlanOutdated { statements.deallocateLater() }
            // The failure has ended a transaction in progress, which only its owner can repeat.
            guard isReusable else { throw error }
            return try await attempt(query)
        }
    }

    /// Runs one statement and returns how many rows it inserted, changed, deleted or returned.
    ///
    /// - Throws: as `query`.
    @discardableResult
    public func execute(_ query: PostgresQuery) async throws -> Int {
        try await self.query(query).affected
    }

    /// Runs several statements, separated by semicolons, without parameters. Outside a transaction they are one
    /// transaction, unless they begin and commit some themselves.
    ///
    /// - Throws: as `query`.
    public func executeScript(_ sql: String) async throws {
        _ = try await cancellable(sql) { handle throws(PostgresError) in try handle.run(sql) }
    }

    /// Whether the server still answers.
    func answers() -> Bool {
        do {
            _ = try run("select 1") { handle throws(PostgresError) in try handle.run("select 1") }
            return true
        } catch {
            return false
        }
    }

    private func attempt(_ query: PostgresQuery) async throws -> PostgresRows {
        try await cancellable(query.sql) { handle throws(PostgresError) in
            guard policy.allowsNames else { return try handle.run(query) }
            return try handle.run(prepared: try statementName(query, handle), query.bindings)
        }
    }

    /// The name under which the connection has prepared the query, now if not before.
    private func statementName(_ query: PostgresQuery, _ handle: ConnectionHandle) throws(PostgresError) -> String {
        if statements.mustDeallocate, handle.transactionStatus != PQTRANS_INERROR {
            _ = try handle.run("deallocate all")
            statements.removeAll()
        }
        if let name = statements.name(of: query) { return name }
        let name = statements.newName(for: query)
        try handle.prepare(name, query)
        statements.insert(name, for: query)
        return name
    }
}

import CLibPQ

extension PostgresConnection {
    /// Runs one statement and returns its rows. The statement is prepared the first time it is seen.
    ///
    /// - Throws: `PostgresError`, or `CancellationError` if the task was cancelled: the server has then stopped the
    ///   statement and the connection is good, though a transaction in progress has failed.
    public func query(_ query: PostgresQuery) async throws -> PostgresRows { try await flight([query])[0] }

    /// Runs statements in one round trip, one after the other, and returns the rows of each. If one fails, those behind
    /// it are not run.
    ///
    /// - Throws: as `query`; of several statements the first that failed.
    public func flight(_ queries: [PostgresQuery]) async throws -> [PostgresRows] {
        let all = takePending() + queries
        do {
            return Array(try await attempt(all).suffix(queries.count))
        } catch let error as PostgresError where error.isStatementLost {
            if error.isStatementUnknown { policy.forbidNames() }
            if error.isPlanOutdated { statements.deallocateLater() }
            // The failure has ended a transaction in progress, which only its owner can repeat.
            guard isReusable, !hasBegun else { throw error }
            return Array(try await attempt(all).suffix(queries.count))
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
        if hasPending { _ = try await flight([]) }
        try await cancellable([sql]) { handle, deadline throws(PostgresError) in
            try handle.run(sql, deadline: deadline)
        }
    }

    /// Whether the server still answers, and does by then.
    func answers(by deadline: ContinuousClock.Instant) -> Bool {
        do {
            try run(["select 1"]) { handle throws(PostgresError) in
                try handle.run("select 1", deadline: Deadline(at: deadline))
            }
            return true
        } catch {
            return false
        }
    }

    private func attempt(_ queries: [PostgresQuery]) async throws -> [PostgresRows] {
        try await cancellable(queries.map(\.sql)) { handle, deadline throws(PostgresError) in
            try fly(queries, handle, deadline)
        }
    }

    /// Prepares what is not yet, and runs all.
    func fly(
        _ queries: [PostgresQuery], _ handle: ConnectionHandle, _ deadline: Deadline
    ) throws(PostgresError) -> [PostgresRows] {
        if statements.mustDeallocate, handle.transactionStatus != PQTRANS_INERROR {
            try handle.run("deallocate all", deadline: deadline)
            statements.removeAll()
        }
        var steps: [FlightStep] = []
        var prepared: [Int: (name: String, query: PostgresQuery)] = [:]
        for query in queries {
            guard policy.allowsNames, !query.isControl else {
                steps.append(.runOnce(query))
                continue
            }
            if let name = statements.name(of: query)
                ?? prepared.values.first(where: { $0.query.isSame(as: query) })?.name
            {
                steps.append(.run(prepared: name, query))
                continue
            }
            let name = statements.newName(for: query)
            prepared[steps.count] = (name, query)
            steps += [.prepare(name, query), .run(prepared: name, query)]
        }
        let flight = try handle.fly(steps, deadline: deadline)
        var rows: [PostgresRows] = []
        for (place, result) in flight.results.enumerated() {
            if let (name, query) = prepared[place] {
                statements.insert(name, for: query)
            } else {
                rows.append(result)
            }
        }
        if let error = flight.error { throw error }
        return rows
    }
}

extension PostgresQuery {
    /// Begins or ends a transaction or plans: nothing that is worth preparing.
    var isControl: Bool { bindings.count == 0 && ["begin", "commit", "discard"].contains { sql.hasPrefix($0) } }

    fileprivate func isSame(as other: PostgresQuery) -> Bool {
        sql == other.sql && bindings.types == other.bindings.types
    }
}

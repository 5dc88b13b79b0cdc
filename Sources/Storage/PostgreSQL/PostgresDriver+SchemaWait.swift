import Databases

extension PostgresDriver {
    /// Changes the schema as soon as it gets the locks that it needs.
    ///
    /// Whatever comes behind one that waits for such a lock waits, too. So it does not wait for long at once, but tries
    /// again until its patience is at an end.
    ///
    /// - Throws: `StoreError.busy` with the sessions that were in the way; nothing was changed then.
    func alterSchemaWhenFree<Result>(
        _ body: (PostgresSession) async throws -> Result
    ) async throws -> Result {
        let deadline = ContinuousClock.now + schemaPatience
        let once = min(schemaPatience, .seconds(2))
        var told = ""
        while true {
            do {
                return try await alterSchema { session in
                    _ = try await session.run([
                        "select set_config('lock_timeout', \("\(once / .milliseconds(1))ms"), true)"
                    ])
                    return try await body(session)
                }
            } catch StoreError.busy(let reason) {
                let holders = try await maintain { try await $0.fetch(.schemaHolders) }
                let sessions = holders.isEmpty ? reason : holders.map(\.description).joined(separator: ", ")
                let pids = holders.map { "\($0.pid)" }.joined(separator: " ")
                if told != pids { onSchemaWait?(sessions) }
                told = pids
                guard ContinuousClock.now < deadline else {
                    throw StoreError.busy("\(sessions). Nothing was changed; end it, or migrate later")
                }
            }
        }
    }
}

/// A session that holds a lock which a change of the schema may wait for.
private struct SchemaHolder: Sendable {
    var pid: Int
    /// nil: it gave no name, or is another role's, which only some roles may look at.
    var application: String?
    /// How long its transaction runs, in seconds.
    var age: Int?
    var state: String?

    var description: String {
        let details = [
            application.map { "application “\($0)”" }, age.map { "its transaction runs for \($0) s" }, state,
        ].compactMap(\.self)
        return "session \(pid)" + (details.isEmpty ? "" : " (\(details.joined(separator: ", ")))")
    }
}

extension Query where Result == SchemaHolder {
    /// Sessions that hold a lock on one of this program's tables, or that of migrations: the longest first.
    fileprivate static var schemaHolders: Query {
        Query(
            """
            select pid, nullif(application_name, ''),
                extract(epoch from clock_timestamp() - xact_start)::bigint as age, state
            from pg_stat_activity
            where pid <> pg_backend_pid() and pid in (
                select pid from pg_locks
                where granted and database = (select oid from pg_database where datname = current_database())
                    and (
                        relation in (
                            select oid from pg_class where \("relname", in: PostgresDriver.tables)
                                and pg_table_is_visible(oid)
                        )
                        or locktype = 'advisory' and classid = 0 and objsubid = 1
                            and objid::bigint = \(PostgresDialect.migrationLock)
                    )
            )
            order by age desc nulls last, pid limit 3
            """
        ) { row in
            SchemaHolder(
                pid: try row.next(), application: try row.next(), age: try row.next(), state: try row.next())
        }
    }
}

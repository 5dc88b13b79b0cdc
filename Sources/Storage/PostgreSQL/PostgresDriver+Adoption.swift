import Databases
import Foundation
import Schema
import SchemaValidation

/// Carries what was found out of a transaction that is rolled back.
private struct RolledBack<Result: Sendable>: Error {
    var adoption: SchemaAdoption
    var result: Result?
}

extension PostgresDriver {
    /// Brings the schema up to date, and takes over tables that another program made, in one transaction; `body` is the
    /// end of it. The tables stay the same ones, with their rows, further columns, and whatever refers to them.
    ///
    /// - Parameters:
    ///   - lockTimeout: how long another program may hold one of the tables.
    ///   - body: nothing of what it returns is in the database if rows are refused, or on a dry run. Without a result:
    ///     rows are refused, and nothing was done.
    func adopt<Result: Sendable>(
        _ plan: MigrationPlan, mends: Bool, dryRun: Bool, lockTimeout: Duration = .seconds(10),
        _ body: (StoreTransaction) async throws -> Result
    ) async throws -> (adoption: SchemaAdoption, result: Result?) {
        do {
            return try await alterSchema { session in
                let limit = "\(Int(lockTimeout / .milliseconds(1)))ms"
                try await session.run(
                    script: "set local lock_timeout = '\(limit)'; set local client_min_messages = warning")
                _ = try await session.run([PostgresDialect.lockOfMigrations])
                var adoption = SchemaAdoption()
                let applied = try await Self.applied(session)
                if applied.isEmpty { adoption = try await Self.takeOver(session, mends: mends) }
                if adoption.isRefused(mends: mends) { throw RolledBack<Result>(adoption: adoption, result: nil) }
                for next in try plan.pending(applied) {
                    try await session.run(script: next.sql)
                    try await session.run(script: next.record)
                    adoption.migrations.append(AppliedMigration(version: next.version, name: next.name))
                    if next.version == 1, !adoption.tables.isEmpty {
                        // What a trigger writes when a plan is made (R13).
                        try await session.run(script: Self.termsOfPlans)
                    }
                }
                if !adoption.tables.isEmpty { try await Self.requireSchema(session) }
                let result = try await body(
                    StoreTransaction(session: session, clock: clock, catalogs: KnownCatalog()))
                // What was left to the next statement has to be refused here, if it is.
                _ = try await session.run([.nothing])
                if dryRun { throw RolledBack(adoption: adoption, result: result) }
                return (adoption, result)
            }
        } catch let done as RolledBack<Result> {
            return (done.adoption, done.result)
        } catch StoreError.busy(let reason) {
            throw StoreError.busy(try await holders().map { "\(reason); \($0)" } ?? reason)
        }
    }

    private static let termsOfPlans = """
        insert into plan_terms (plan_id, valid_from, monthly_compute_units)
        select id, timestamptz '1970-01-01 00:00:00+00', monthly_compute_units from subscription_plans p
        where not exists (select from plan_terms t where t.plan_id = p.id)
        """

    /// Makes the tables that are there those of the first migration; that makes the rest.
    private static func takeOver(_ session: PostgresSession, mends: Bool) async throws -> SchemaAdoption {
        var adoption = SchemaAdoption()
        adoption.tables = try await session.fetch(
            Query<String>(
                """
                select relname::text from pg_class
                where \("relname", in: Set(SharedTables.names)) and relkind in ('r', 'p')
                    and relnamespace = current_schema()::regnamespace
                order by relname
                """))
        guard !adoption.tables.isEmpty, let first = Schema.postgreSQL.first else { return adoption }
        let path = try await session.fetch(Query<String>("select current_setting('search_path')"))[0]
        try await session.run(
            script: """
                lock table \(adoption.tables.joined(separator: ", ")) in access exclusive mode;
                create extension if not exists "uuid-ossp";
                create extension if not exists pgcrypto;
                create schema adoption_reference;
                set local search_path = adoption_reference;
                """)
        try await session.run(script: first.sql)
        _ = try await session.run(["select set_config('search_path', \(path), true)"])
        try await session.run(script: Schema.adoption.columns)
        for rows in RefusedRows.all where adoption.tables.contains(rows.table) {
            let ids = try await session.fetch(
                Query<String>(
                    "select t.id::text from \(raw: rows.table) t where \(raw: rows.condition) order by 1 limit 1000"))
            if ids.isEmpty { continue }
            adoption.refusals.append(
                SchemaAdoption.Refusal(table: rows.table, problem: rows.problem, mend: rows.mend, ids: ids))
            if mends, let mending = rows.mending { try await session.run(script: mending) }
        }
        if !adoption.isRefused(mends: mends) { try await session.run(script: Schema.adoption.constraints) }
        return adoption
    }

    private static func requireSchema(_ session: PostgresSession) async throws {
        let differences = SchemaSnapshot.postgreSQL.compare(try await snapshot(session)).differences
        guard differences.isEmpty else {
            throw StoreError.schema(
                """
                the tables cannot be made what this program expects, and nothing was changed: \
                \(differences.map(\.sentence).joined(separator: "; "))
                """)
        }
    }

    /// Who holds one of the tables, for people; nil: nobody any more.
    private func holders() async throws -> String? {
        let found = try await maintain { session in
            try await session.fetch(
                Query<String>(
                    """
                    select distinct format(
                        'process %s (%s) has held a table for %s s', a.pid, coalesce(nullif(a.application_name, ''), '-'),
                        extract(epoch from now() - a.xact_start)::integer
                    )
                    from pg_locks l
                    join pg_class c on c.oid = l.relation
                    join pg_stat_activity a on a.pid = l.pid
                    where l.granted and a.pid <> pg_backend_pid() and a.datname = current_database()
                        and \("c.relname", in: Set(SharedTables.names))
                    order by 1
                    """))
        }
        return found.isEmpty ? nil : found.joined(separator: "; ")
    }
}

/// The seven tables that are shared with another program.
enum SharedTables {
    static let names = [
        "users", "tasks", "task_logs", "subscription_plans", "user_subscriptions", "api_keys", "usage_analytics",
    ]
}

extension Store {
    /// Brings the schema up to date, takes over what another program has made of the tables, and lends the transaction
    /// in which that is done: all of it or nothing.
    ///
    /// On SQLite only the schema of this program is taken.
    ///
    /// - Parameters:
    ///   - mends: rows that the schema refuses are changed so that it does not, where that can be done.
    ///   - dryRun: nothing is changed, but all is tried.
    ///   - body: the end of the transaction; it is not run if rows are refused.
    /// - Returns: what was found and done, and what `body` returned; without that nothing was done.
    /// - Throws: `StoreError.schema` if the tables cannot be made what is expected; `.busy` if another program holds
    ///   one of them for more than 10 seconds.
    public func adoptDatabase<Result: Sendable>(
        mends: Bool, dryRun: Bool, _ body: @Sendable (StoreTransaction) async throws -> Result
    ) async throws -> (adoption: SchemaAdoption, result: Result?) {
        if let driver = driver as? PostgresDriver {
            return try await driver.adopt(plan, mends: mends, dryRun: dryRun, body)
        }
        var adoption = SchemaAdoption()
        if dryRun { try await check() } else { adoption.migrations = try await migrate() }
        do {
            let result = try await transaction { transaction in
                let result = try await body(transaction)
                if dryRun { throw RolledBack(adoption: SchemaAdoption(), result: result) }
                return result
            }
            return (adoption, result)
        } catch let done as RolledBack<Result> {
            return (done.adoption, done.result)
        }
    }
}

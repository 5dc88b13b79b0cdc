public import SchemaValidation

/// What an operator does to a database as a whole.
public protocol MaintainedStore: Sendable {
    /// Compares the database with what this program expects of it; changes nothing.
    func validateSchema() async throws -> SchemaReport
    /// Counts the rows of all tables, all at one moment.
    func statistics() async throws -> DatabaseStatistics
    /// Gives free what deleted and changed rows have left, and renews what the planner knows of the data. Others can work
    /// meanwhile on PostgreSQL; on SQLite they wait.
    ///
    /// - Returns: the size of the database before and after, in bytes.
    @discardableResult
    func vacuum() async throws -> (before: Int, after: Int)
    /// Drops all tables of this program with all that is in them, and creates them anew. For development.
    ///
    /// - Throws: `StoreError.conflict` if an event of live mode is stored, or something of another program depends on
    ///   one of the tables; nothing was dropped then.
    func reset() async throws
    /// The connections to the server at this moment; nil: there are none, as on SQLite.
    var pool: DatabaseHealth.Pool? { get }
    /// Asks the database whether it is there and the schema is the program's.
    ///
    /// - Throws: as `check`.
    func health() async throws -> DatabaseHealth
}

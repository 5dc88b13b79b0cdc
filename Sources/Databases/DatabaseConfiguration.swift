public import Foundation

/// How a database is opened: its interface settings.
public struct DatabaseConfiguration: Sendable {
    /// `sqlite:PATH`, `sqlite::memory:`, or `postgres://…` / `postgresql://…`, the latter handed to libpq untouched.
    public var url: String
    /// A replica of the same, for reads that may be a moment behind; nil: none.
    public var readURL: String?
    /// A database of its own for usage; nil: it is kept with everything else.
    public var usageURL: String?
    public var poolSize = 10
    public var maxOverflow = 20
    /// How long a caller waits for a connection, in seconds.
    public var poolTimeout: Duration = .seconds(30)
    /// The age at which a connection is replaced, in seconds.
    public var poolRecycle: Duration = .seconds(3600)
    /// Whether SQLite's file may be created. If not, a missing one is taken for an empty one.
    public var createsFile = true
    /// How many callers may wait for a connection; further ones are turned away at once.
    public var queueLength = Int.max
    /// How long a transaction waits for what another holds on PostgreSQL; then it fails with `StoreError.busy`.
    public var lockTimeout: Duration = .seconds(4)
    /// How long reads outside of transactions may take, on PostgreSQL the wait for a connection included; nil: as long as
    /// they take. In SQLite's memory, where they wait for the writer, it is not looked after.
    public var readTimeout: Duration?
    /// Whether nothing is written: transactions on SQLite take no turn and lock nothing, and their statements are limited as
    /// other reads are.
    public var isReadOnly = false
    /// Whether such reads get connections of their own on PostgreSQL, a part of those that the pool may have, so that they
    /// cannot take the others' away, and are limited: for a service.
    public var separatesReads = false
    /// How long a change of PostgreSQL's schema waits for what other sessions hold; then it fails with `StoreError.busy`.
    public var schemaPatience: Duration = .seconds(60)
    /// Is told for whom a change of the schema waits: the sessions, in words.
    public var onSchemaWait: (@Sendable (_ sessions: String) -> Void)?
    /// Sees each SQL statement and its duration; never values.
    public var observe: (@Sendable (_ sql: String, _ duration: Duration, _ error: String?) -> Void)?
    /// Takes the place of the database's clock in tests.
    public var clock: (@Sendable () -> Date)?

    public init(url: String, readURL: String? = nil) {
        self.url = url
        self.readURL = readURL
    }
}

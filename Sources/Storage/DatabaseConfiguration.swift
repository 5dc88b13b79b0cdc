public import Foundation

/// How a store is opened.
public struct DatabaseConfiguration: Sendable {
    /// `sqlite:PATH`, `sqlite::memory:`, or `postgres://…` / `postgresql://…`, the latter handed to libpq untouched.
    public var url: String
    /// A replica of the same, from which ``Store/lists`` reads; nil: none.
    public var readURL: String?
    public var poolSize = 10
    public var maxOverflow = 20
    /// How long a caller waits for a connection, in seconds.
    public var poolTimeout: Duration = .seconds(30)
    /// The age at which a connection is replaced, in seconds.
    public var poolRecycle: Duration = .seconds(3600)
    /// Whether SQLite's file may be created. If not, a missing one is taken for an empty one.
    public var createsFile = true
    /// How long a transaction waits for what another holds on PostgreSQL; then it fails with `StoreError.busy`.
    public var lockTimeout: Duration = .seconds(4)
    /// Sees each SQL statement and its duration; never values.
    public var observe: (@Sendable (_ sql: String, _ duration: Duration, _ error: String?) -> Void)?
    /// Takes the place of the database's clock in tests.
    public var clock: (@Sendable () -> Date)?

    public init(url: String, readURL: String? = nil) {
        self.url = url
        self.readURL = readURL
    }
}

extension DatabaseConfiguration {
    /// Opens the store that the URL names, and its replica. Nothing is created or migrated yet, but for SQLite's
    /// file.
    ///
    /// - Throws: `StoreError.invalidURL`, without the URL itself, which may hold a password.
    public func open() throws -> Store {
        var replica: (any DatabaseDriver)?
        if let readURL {
            var configuration = self
            configuration.url = readURL
            replica = try configuration.database()
        }
        return Store(try database(), replica: replica)
    }

    private func database() throws -> any DatabaseDriver {
        if url.hasPrefix("postgres://") || url.hasPrefix("postgresql://") { return PostgresDriver(self) }
        guard url.hasPrefix("sqlite:") else {
            throw StoreError.invalidURL("expected sqlite:PATH, postgres://… or postgresql://…")
        }
        return try SQLiteDriver(self)
    }
}

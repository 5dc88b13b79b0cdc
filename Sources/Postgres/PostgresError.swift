/// A failure reported by the server or by libpq.
///
/// It holds no values of parameters or rows and nothing of the connection string: DETAIL, CONTEXT and HINT are left
/// out, and from primary messages that quote a value the quotation is removed.
public struct PostgresError: Error, Equatable, Sendable {
    /// The five characters of the error code; `nil` if the failure is libpq's own, such as a broken connection.
    public let sqlState: String?
    /// The primary message.
    public let message: String
    public let constraint: String?
    public let table: String?
    public let column: String?

    /// The server's function that raised the error: unlike the message it is the same in all languages.
    let routine: String?
    /// The connection could not be used afterwards.
    let endedConnection: Bool

    init(
        sqlState: String? = nil, message: String, constraint: String? = nil, table: String? = nil,
        column: String? = nil, routine: String? = nil, endedConnection: Bool = false
    ) {
        self.sqlState = sqlState
        self.message = message
        self.constraint = constraint
        self.table = table
        self.column = column
        self.routine = routine
        self.endedConnection = endedConnection
    }
}

extension PostgresError {
    /// A serialization failure or a deadlock: the same transaction may succeed when it is repeated.
    public var isRetryable: Bool {
        sqlState == "40001" || sqlState == "40P01"
    }

    /// There was no connection, or it ended: whether the last statement took effect is unknown.
    public var isConnectionLost: Bool {
        guard let sqlState else { return endedConnection }
        return endedConnection || sqlState.hasPrefix("08") || ["57P01", "57P02", "57P03"].contains(sqlState)
    }

    public var isUniqueViolation: Bool { sqlState == "23505" }
    public var isForeignKeyViolation: Bool { sqlState == "23503" }

    /// The server did not know a prepared statement as this connection left it: a pooler between them has changed
    /// the server connection (26000, 42P05), or the schema has changed (0A000 of the plan cache).
    var isStatementLost: Bool {
        isStatementUnknown || isPlanOutdated
    }

    var isStatementUnknown: Bool {
        sqlState == "26000" || sqlState == "42P05"
    }

    var isPlanOutdated: Bool {
        sqlState == "0A000" && routine == "RevalidateCachedQuery"
    }

    /// The server stopped the statement because it was asked to, or because of its time limit.
    var isQueryCanceled: Bool {
        sqlState == "57014"
    }
}

extension PostgresError: CustomStringConvertible {
    public var description: String {
        var text = sqlState.map { "\(message) (SQLSTATE \($0))" } ?? message
        if let constraint { text += ", constraint \(constraint)" }
        if let table { text += ", table \(table)" }
        if let column { text += ", column \(column)" }
        return text
    }
}

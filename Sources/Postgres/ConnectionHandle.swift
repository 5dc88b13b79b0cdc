import CLibPQ
import Glibc

/// Owns a `PGconn`; belongs to one actor.
final class ConnectionHandle {
    let pointer: OpaquePointer

    /// What a connection has unless the URL says otherwise. There is no `options` here and no SET later: a pooler in
    /// transaction mode refuses the one and gives the other to its next client.
    static let defaults = [
        "connect_timeout": "3",
        "tcp_user_timeout": "15000",
        "keepalives": "1",
        "keepalives_idle": "30",
        "keepalives_interval": "10",
        "keepalives_count": "3",
        "application_name": "selextract-billing",
    ]

    /// Connects, blocking until it is done or `connect_timeout` has passed for each host.
    ///
    /// - Throws: `PostgresError` without the URL: libpq's complaint about a malformed one repeats it.
    init(url: String, defaults: [String: String]) throws(PostgresError) {
        guard let options = PQconninfoParse(url, nil) else {
            throw PostgresError(message: "the database URL is not a valid PostgreSQL connection string")
        }
        PQconninfoFree(options)
        // What comes before dbname yields to what the URL in it says; what comes after overrides it.
        let parameters =
            Array(Self.defaults.merging(defaults) { $1 }) + [("dbname", url), ("client_encoding", "UTF8")]
        var keywords = parameters.map { UnsafePointer(strdup($0.0)) } + [nil]
        var values = parameters.map { UnsafePointer(strdup($0.1)) } + [nil]
        defer {
            for string in keywords + values { free(UnsafeMutablePointer(mutating: string)) }
        }
        guard let pointer = PQconnectdbParams(&keywords, &values, 1) else {
            throw PostgresError(message: "out of memory", endedConnection: true)
        }
        self.pointer = pointer
        guard PQstatus(pointer) == CONNECTION_OK else { throw PostgresError(failedConnection: pointer) }
        // Notices may carry values, and libpq would print them on standard error.
        PQsetNoticeProcessor(pointer, { _, _ in }, nil)
    }

    deinit {
        PQfinish(pointer)
    }

    var isAlive: Bool { PQstatus(pointer) == CONNECTION_OK }
    var transactionStatus: PGTransactionStatusType { PQtransactionStatus(pointer) }

    /// Runs statements by the simple protocol: text, no parameters.
    ///
    /// - Throws: `PostgresError`, also ``PostgresError/timedOut``.
    func run(_ sql: String, deadline: Deadline) throws(PostgresError) {
        guard PQsetnonblocking(pointer, 1) == 0, PQsendQuery(pointer, sql) == 1 else {
            throw PostgresError(connection: pointer)
        }
        while let result = try nextResult(deadline) {
            switch result.status {
            case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: break
            case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                // The server waits for data, or sends them: the connection cannot be used for anything else.
                throw PostgresError(sqlState: "0A000", message: "COPY is not supported")
            default:
                // Nothing follows a failure but the end.
                let error = PostgresError(result, endedConnection: !isAlive)
                while isAlive, try nextResult(deadline) != nil {}
                throw error
            }
        }
        if !isAlive { throw PostgresError(connection: pointer) }
    }
}

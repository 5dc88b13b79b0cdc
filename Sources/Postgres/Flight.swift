import CLibPQ
import Glibc

/// A step of what is sent to the server at once.
enum FlightStep {
    /// Gives a query's statement a name.
    case prepare(String, PostgresQuery)
    case run(prepared: String, PostgresQuery)
    /// Leaves no statement behind.
    case runOnce(PostgresQuery)
}

/// What came back of a flight: a result for each step that ran, and what the first one that did not has to say.
struct FlightResults {
    /// Of the steps in order, up to the first that failed.
    var results: [PostgresRows] = []
    /// All steps behind the one that failed were skipped.
    var error: PostgresError?
}

extension ConnectionHandle {
    /// Sends steps in pipeline mode, with one synchronization at their end, and waits for what comes back.
    ///
    /// libpq neither blocks while it sends nor while it receives: a server that answers while we still send would wait for
    /// us as we wait for it. When the deadline passes, the connection is of no more use.
    ///
    /// - Throws: `PostgresError` if the connection broke or the deadline passed.
    func fly(_ steps: [FlightStep], deadline: Deadline) throws(PostgresError) -> FlightResults {
        guard PQsetnonblocking(pointer, 1) == 0, PQenterPipelineMode(pointer) == 1 else {
            throw PostgresError(connection: pointer)
        }
        for step in steps { try send(step) }
        guard PQpipelineSync(pointer) == 1 else { throw PostgresError(connection: pointer) }
        var flight = FlightResults()
        for _ in steps {
            guard let result = try nextResult(deadline) else { throw PostgresError(connection: pointer) }
            switch result.status {
            case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
                if flight.error == nil { flight.results.append(PostgresRows(result)) }
            case PGRES_PIPELINE_ABORTED: break
            default: flight.error = flight.error ?? PostgresError(result, endedConnection: !isAlive)
            }
            // Each step's results end with nothing.
            while try nextResult(deadline) != nil {}
            if !isAlive { throw flight.error ?? PostgresError(connection: pointer) }
        }
        guard let end = try nextResult(deadline), end.status == PGRES_PIPELINE_SYNC, PQexitPipelineMode(pointer) == 1
        else { throw flight.error ?? PostgresError(connection: pointer) }
        return flight
    }

    private func send(_ step: FlightStep) throws(PostgresError) {
        let isSent =
            switch step {
            case .prepare(let name, let query):
                PQsendPrepare(pointer, name, query.sql, Int32(query.bindings.count), query.bindings.types)
            case .run(prepared: let name, let query):
                query.bindings.withParameters { values, lengths, formats in
                    PQsendQueryPrepared(pointer, name, Int32(values.count), values, lengths, formats, 1)
                }
            case .runOnce(let query):
                query.bindings.withParameters { values, lengths, formats in
                    PQsendQueryParams(
                        pointer, query.sql, Int32(values.count), query.bindings.types, values, lengths, formats, 1)
                }
            }
        guard isSent == 1 else { throw PostgresError(connection: pointer) }
    }

    /// Sends what is still to be sent, and waits for the next result; nil: a step's results have ended.
    func nextResult(_ deadline: Deadline) throws(PostgresError) -> PostgresResult? {
        while true {
            let unsent = PQflush(pointer)
            if unsent < 0 { throw PostgresError(connection: pointer) }
            if PQisBusy(pointer) == 0 { break }
            try wait(forWriting: unsent > 0, until: deadline)
            guard PQconsumeInput(pointer) == 1 else { throw PostgresError(connection: pointer) }
        }
        return PQgetResult(pointer).map { PostgresResult($0) }
    }

    private func wait(forWriting: Bool, until deadline: Deadline) throws(PostgresError) {
        var socket = pollfd(
            fd: PQsocket(pointer), events: Int16(POLLIN) | (forWriting ? Int16(POLLOUT) : 0), revents: 0)
        let left = deadline.left
        guard left > .zero else { throw .timedOut }
        // Nothing wakes it when the task is cancelled, so it looks.
        let patience = Int32(min(left, .seconds(1)) / .milliseconds(1)) + 1
        if poll(&socket, 1, patience) < 0, errno != EINTR { throw PostgresError(connection: pointer) }
    }
}

/// Until when a server may answer.
struct Deadline {
    /// nil: whenever it does.
    var at: ContinuousClock.Instant?
    /// Once it is to be cancelled, the server has three seconds to do so.
    var statement: CancellableStatement?

    var left: Duration {
        let cancelled = statement?.cancelledAt.map { $0 + .seconds(3) }
        return [at, cancelled].compactMap(\.self).min().map { $0 - .now } ?? .seconds(3600)
    }
}

extension PostgresError {
    /// The server did not answer in time. What it does with the statements is unknown.
    static let timedOut = PostgresError(message: "the server did not answer in time", endedConnection: true)
}

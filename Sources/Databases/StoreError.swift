/// What a store refuses, or cannot do. Never holds values of rows, parameters or passwords.
public enum StoreError: Error, Sendable, Hashable {
    /// The database does not answer, or went away: nothing is known to be stored, and trying again is right.
    case unavailable(String)
    /// Another transaction holds what is needed, for longer than is waited: nothing was changed, and what needs
    /// something else is not concerned.
    case busy(String)
    /// A statement took longer than it may: nothing was changed, and less at once may go through.
    case tooSlow(String)
    /// The database refused a statement: trying the same again is of no use.
    case failed(String)
    /// Another program has written a value that cannot be read.
    case unreadable(UnreadableRow)
    case notFound(String)
    case conflict(String)
    /// The schema is not the one this program expects.
    case schema(String)
    /// The address of the database cannot be used.
    case invalidURL(String)
}

extension StoreError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unavailable(let reason): "the database is not available: \(reason)"
        case .busy(let reason): "another transaction holds what is needed: \(reason)"
        case .tooSlow(let reason): "the database took too long: \(reason)"
        case .failed(let reason): "the database refused: \(reason)"
        case .unreadable(let row): row.description
        case .notFound(let what): "there is no \(what)"
        case .conflict(let reason), .schema(let reason): reason
        case .invalidURL(let reason): "DATABASE_URL: \(reason)"
        }
    }
}

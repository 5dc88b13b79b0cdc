public import Foundation
public import Selextract

/// A value on its way to a database or from it, in the forms that both have between them: SQLite gives back as text what
/// PostgreSQL has a type for.
@usableFromInline
package enum SQLValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int)
    case text(String)
    case bytes([UInt8])
    case uuid(UUID)
    case moment(Date)
    case day(UsageDay)
    /// A JSON text.
    case json(String)
}

/// What a parameter is declared as, so that a database need not guess the type of a NULL or of an empty list.
@usableFromInline
package enum SQLType: Sendable, Hashable {
    case bool, integer, text, bytes, uuid, moment, day, json
}

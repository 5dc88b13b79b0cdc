import GRDB

extension StoreError {
    /// Trying again can help when the file is held by another process, the disk is full or fails, or cannot be written
    /// for now. SQLite's messages name tables and columns, never values.
    init(_ error: DatabaseError) {
        let message = error.message ?? ""
        let text = error.text
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_CANTOPEN, .SQLITE_NOMEM,
            .SQLITE_READONLY, .SQLITE_PROTOCOL, .SQLITE_INTERRUPT, .SQLITE_MISUSE:
            self = .unavailable(text)
        case .SQLITE_ERROR where message.hasPrefix("no such table") || message.hasPrefix("no such column"):
            self = .schema("\(text): run `migrate`")
        default:
            self = .failed(text)
        }
    }
}

extension DatabaseError {
    var text: String { "SQLite \(extendedResultCode.rawValue): \(message ?? "no message")" }

    var violation: ConstraintViolation.Kind? {
        switch extendedResultCode {
        case .SQLITE_CONSTRAINT_UNIQUE, .SQLITE_CONSTRAINT_PRIMARYKEY: .unique
        case .SQLITE_CONSTRAINT_CHECK: .check
        case .SQLITE_CONSTRAINT_FOREIGNKEY: .foreignKey
        default: nil
        }
    }
}

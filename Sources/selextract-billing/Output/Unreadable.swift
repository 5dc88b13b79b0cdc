import ArgumentParser
import Databases
import Foundation
import Storage

extension Document {
    /// Names the rows that could not be shown. The command is to end with ``Swift/Array/failIfAny()``.
    mutating func unreadable(_ rows: [UnreadableRow]) {
        value("unreadable", .list(rows.map(\.description)))
        for row in rows { note("Not shown: \(row)") }
    }
}

extension [UnreadableRow] {
    /// A list that is not complete is no success.
    func failIfAny() throws {
        if !isEmpty { throw ExitCode.failure }
    }
}

extension Listing {
    /// Where the list goes on. A row that cannot be read is found again by its id, as long as it is there.
    func end(_ cursor: (Row) -> Cursor) -> Cursor? {
        let last = rows.last.map(cursor)
        guard case .failure(let row)? = entries.last, let id = row.id.flatMap(UUID.init(uuidString:)) else {
            return last
        }
        return Cursor(at: last?.at ?? .distantFuture, id: id)
    }
}

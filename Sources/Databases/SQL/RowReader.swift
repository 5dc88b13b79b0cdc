import Foundation

/// A row as a database gives it.
@usableFromInline
package protocol StoredRow: Sendable {
    var columns: [String] { get }
    /// - Throws: `StoreError.failed` if the value is of a type that no column of ours has.
    func value(at place: Int) throws -> SQLValue
}

/// A row that is read, column by column, in the order in which they were selected: reading it by name costs no search then.
/// Several things may stand in it one after the other, as a join selects them.
@usableFromInline
package struct RowReader {
    @usableFromInline let stored: any StoredRow
    /// The row's, asked for only once.
    @usableFromInline let columns: [String]
    @usableFromInline var place = 0

    @inlinable
    package init(_ stored: any StoredRow) {
        self.stored = stored
        columns = stored.columns
    }

    /// The next column of that name.
    ///
    /// - Throws: `StoreError.failed` if there is none; `.unreadable` if it cannot be read as asked. It names the column,
    ///   never the value.
    @inlinable
    package subscript<Value: StoredValue>(_ name: String, as type: Value.Type = Value.self) -> Value {
        mutating get throws {
            try seek(name)
            return try next()
        }
    }

    /// Whether the next column of that name is NULL. It can still be read.
    package mutating func isNull(_ name: String) throws -> Bool {
        try seek(name)
        return try stored.value(at: place) == .null
    }

    /// Passes by the columns of something that is not there.
    package mutating func skip(_ columns: Columns) { place += columns.names.count }

    /// The next column, whatever its name.
    @inlinable
    package mutating func next<Value: StoredValue>() throws -> Value {
        guard place < columns.count else {
            throw StoreError.failed("the row has no more than \(columns.count) columns")
        }
        defer { place += 1 }
        guard let stored = try? stored.value(at: place), let value = Value(sqlValue: stored) else {
            throw StoreError.unreadable(UnreadableRow(column: columns[place]))
        }
        return value
    }

    /// Reads what stands next as a row of a table, so that an error says which one.
    ///
    /// - Parameter key: the column by which the row is found.
    package mutating func row<Row>(
        of table: String, key: String, _ read: (inout RowReader) throws -> Row
    ) throws -> Row {
        let begin = place
        do {
            return try read(&self)
        } catch StoreError.unreadable(var row) where row.table == nil {
            row.table = table
            row.key = key
            row.id = text(of: key, from: begin)
            throw StoreError.unreadable(row)
        }
    }

    /// What the next column of that name holds, if it is a text, a number or a UUID.
    private func text(of name: String, from begin: Int) -> String? {
        guard let found = columns.indices.dropFirst(begin).first(where: { columns[$0] == name }),
            let value = try? stored.value(at: found)
        else { return nil }
        switch value {
        case .text(let text): return text
        case .integer(let number): return String(number)
        case .uuid(let id): return id.uuidString.lowercased()
        case .null, .bool, .bytes, .moment, .day, .json: return nil
        }
    }

    @usableFromInline
    mutating func seek(_ name: String) throws {
        if place < columns.count, columns[place] == name { return }
        guard let found = columns.indices.dropFirst(place).first(where: { columns[$0] == name }) else {
            throw StoreError.failed("the row has no column \(name)")
        }
        place = found
    }
}

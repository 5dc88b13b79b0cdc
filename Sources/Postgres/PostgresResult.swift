import CLibPQ
import Glibc

/// Owns a `PGresult`.
///
/// `@unchecked Sendable` because libpq never changes a result once it is made, and its documentation lets threads
/// share it ("PGresult objects are normally read-only after creation"), while `deinit` runs once, after all reads.
struct PostgresResult: ~Copyable, @unchecked Sendable {
    let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        PQclear(pointer)
    }

    var status: ExecStatusType { PQresultStatus(pointer) }
    var rowCount: Int { Int(PQntuples(pointer)) }
    var columnCount: Int { Int(PQnfields(pointer)) }

    /// What the command did, such as `INSERT 0 3` or `COMMIT`.
    var commandTag: String { String(cString: PQcmdStatus(pointer)) }

    /// How many rows the command inserted, changed, deleted or returned.
    var affectedRows: Int { Int(String(cString: PQcmdTuples(pointer))) ?? 0 }

    /// A field of the server's error.
    func field(_ code: CChar) -> String? {
        PQresultErrorField(pointer, Int32(code)).map { String(cString: $0) }
    }

    func columnName(_ column: Int) -> String {
        PQfname(pointer, Int32(column)).map { String(cString: $0) } ?? ""
    }

    func columnType(_ column: Int) -> PostgresType {
        PostgresType(rawValue: PQftype(pointer, Int32(column)))
    }

    /// The first column of that name, compared as it is, without folding case.
    func column(named name: String) -> Int? {
        (0..<columnCount).first { column in
            name.withCString { strcmp($0, PQfname(pointer, Int32(column))) == 0 }
        }
    }

    func cell(row: Int, column: Int) -> PostgresCell {
        let (row, column) = (Int32(row), Int32(column))
        let type = PostgresType(rawValue: PQftype(pointer, column))
        guard PQgetisnull(pointer, row, column) == 0 else { return PostgresCell(bytes: nil, type: type) }
        let length = Int(PQgetlength(pointer, row, column))
        return PostgresCell(
            bytes: UnsafeRawBufferPointer(start: PQgetvalue(pointer, row, column), count: length), type: type)
    }
}

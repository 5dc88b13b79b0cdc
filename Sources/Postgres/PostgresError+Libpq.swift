import CLibPQ
import Foundation

extension PostgresError {
    /// The error that a failed result holds.
    init(_ result: borrowing PostgresResult, endedConnection: Bool) {
        let field = { (code: Unicode.Scalar, result: borrowing PostgresResult) in
            result.field(CChar(UInt8(ascii: code)))
        }
        let sqlState = field("C", result)
        let message = field("M", result)
        self.init(
            sqlState: sqlState,
            // Failures of libpq itself have no fields, only a text whose first line is its own.
            message: message.map { Self.withoutValues($0, sqlState: sqlState) }
                ?? Self.firstLine(PQresultErrorMessage(result.pointer)),
            constraint: field("n", result),
            table: field("t", result),
            column: field("c", result),
            routine: field("R", result),
            endedConnection: endedConnection
        )
    }

    /// What libpq says of a connection that ended, or of one on which a command could not be sent.
    init(connection: OpaquePointer) {
        self.init(
            message: Self.firstLine(PQerrorMessage(connection)),
            endedConnection: PQstatus(connection) != CONNECTION_OK
        )
    }

    /// Why a connection could not be made, one line for each host that was tried.
    init(failedConnection: OpaquePointer) {
        var message = String(cString: PQerrorMessage(failedConnection))
        // libpq does not print passwords; should it ever begin to, they still would not get any further.
        if let password = PQpass(failedConnection).map({ String(cString: $0) }), password.count > 3 {
            message = message.replacing(password, with: "…")
        }
        // A setting that libpq does not understand may be a part of a password that was not escaped in a URL.
        if message.hasPrefix("invalid ") { message = Self.withoutQuotations(message) }
        let lines = message.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
        self.init(message: lines.joined(separator: "; "), endedConnection: true)
    }

    private static func firstLine(_ message: UnsafePointer<CChar>?) -> String {
        let text = message.map { String(cString: $0) } ?? ""
        return text.split(whereSeparator: \.isNewline).first.map(String.init) ?? "the connection failed"
    }

    /// Data exceptions (class 22) quote the value they complain of, for instance
    /// `invalid input syntax for type integer: "…"`, or spell its bytes out; other classes name objects of the schema.
    private static func withoutValues(_ message: String, sqlState: String?) -> String {
        guard let sqlState, sqlState.hasPrefix("22") else { return message }
        return withoutQuotations(message).replacing(/0x[0-9A-Fa-f]{2}( 0x[0-9A-Fa-f]{2})*/, with: "…")
    }

    /// A value may itself hold quotes, so everything between the first and the last one is removed.
    private static func withoutQuotations(_ message: String) -> String {
        var text = message
        // Those of English messages, and those of translated ones.
        let quotes: Set<Character> = ["\"", "“", "”", "„", "«", "»", "「", "」"]
        if let first = text.firstIndex(where: quotes.contains), let last = text.lastIndex(where: quotes.contains),
            first < last
        {
            text.replaceSubrange(text.index(after: first)..<last, with: "…")
        }
        return text
    }
}

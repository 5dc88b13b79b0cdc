import Synchronization

/// Whether a process may use named statements. A pooler in transaction mode runs each transaction on any server
/// connection, on which the name may be unknown or taken; the first time that shows, all connections stop.
final class PreparedStatementPolicy: Sendable {
    private let allowed: Atomic<Bool>

    init(allowed: Bool = true) {
        self.allowed = Atomic(allowed)
    }

    var allowsNames: Bool { allowed.load(ordering: .relaxed) }

    func forbidNames() {
        allowed.store(false, ordering: .relaxed)
    }
}

/// The statements one connection has prepared.
struct PreparedStatements {
    private struct Key: Hashable {
        let sql: String
        let types: [UInt32]
    }

    /// SQL comes from the source, so that in practice nothing is ever evicted.
    private static let limit = 256
    private var names: [Key: String] = [:]
    /// Statements have to be dropped before the next one is prepared: they are too many, or outdated.
    private(set) var mustDeallocate = false

    /// The name of the query's statement, if it has been prepared.
    func name(of query: PostgresQuery) -> String? {
        names[Key(sql: query.sql, types: query.bindings.types)]
    }

    /// A name for the query's statement. It follows from the SQL and the types, so that all connections use the same.
    func newName(for query: PostgresQuery) -> String {
        // FNV-1a, 64 bits.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        let mix = { (byte: UInt8) in hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        query.sql.utf8.forEach(mix)
        for type in query.bindings.types {
            withUnsafeBytes(of: type.bigEndian) { $0.forEach(mix) }
        }
        return "s\(String(hash, radix: 36))"
    }

    mutating func insert(_ name: String, for query: PostgresQuery) {
        names[Key(sql: query.sql, types: query.bindings.types)] = name
        if names.count >= Self.limit { mustDeallocate = true }
    }

    mutating func deallocateLater() {
        mustDeallocate = true
    }

    mutating func removeAll() {
        names.removeAll()
        mustDeallocate = false
    }
}

import Synchronization

/// The SQL that a store ran.
final class StatementCount: Sendable {
    private let statements = Mutex<[String]>([])

    func note(_ sql: String) { statements.withLock { $0.append(sql) } }

    func count(_ matches: (String) -> Bool) -> Int { statements.withLock { $0.count(where: matches) } }
}

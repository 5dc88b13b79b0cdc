import Synchronization

/// The SQL that a store ran.
public final class StatementLog: Sendable {
    private let statements = Mutex<[String]>([])

    public init() {}

    public var all: [String] { statements.withLock { $0 } }

    public func note(_ sql: String) { statements.withLock { $0.append(sql) } }

    public func count(_ matches: (String) -> Bool) -> Int { statements.withLock { $0.count(where: matches) } }
}

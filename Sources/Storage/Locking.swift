import Billing
import Databases
import Foundation

// The locks that keep transactions on the same accounts apart, and those of other programs. SQLite has one writer at a
// time, and needs none.

/// The locks of what events name: no rows, for those may not be there yet.
struct LockNames {
    private let relations: Relations
    /// By name.
    private let digests: [String: [UInt8]]

    init(_ relations: Relations, digests: [[UInt8]]) {
        self.relations = relations
        self.digests = Dictionary(digests.map { ("event:\(Data($0).base64EncodedString())", $0) }) { first, _ in first }
    }

    private static func customer(_ id: String) -> String { "customer:\(id)" }
    private static func subscription(_ id: String) -> String { "subscription:\(id)" }
    private static func order(_ id: String) -> String { "order:\(id)" }

    var all: [String] {
        relations.customers.map(Self.customer) + relations.subscriptions.map(Self.subscription)
            + relations.orders.union(relations.purchases).map(Self.order) + digests.keys
    }

    /// What the names that could not be locked stand for.
    func held(_ names: [String]) -> HeldElsewhere {
        var held = HeldElsewhere()
        guard !names.isEmpty else { return held }
        let names = Set(names)
        held.customers = relations.customers.filter { names.contains(Self.customer($0)) }
        held.subscriptions = relations.subscriptions.filter { names.contains(Self.subscription($0)) }
        held.orders = relations.orders.union(relations.purchases).filter { names.contains(Self.order($0)) }
        held.digests = Set(names.compactMap { digests[$0] })
        return held
    }
}

extension Query where Result == String {
    /// Locks names until the transaction ends, and gives those that another holds, if they are not waited for.
    static func locking(_ names: LockNames, waits: Bool) -> Query {
        Query(SQL(postgreSQL: { PostgresDialect.lock(names.all, waits: waits) }, sqlite: { .nothing })) {
            try $0.next()
        }
    }
}

extension Query where Result == UUID {
    /// Locks the rows of accounts until the transaction ends, in order of their ids, and gives those that are locked now.
    static func locking(accounts: Set<UUID>, waits: Bool) -> Query {
        Query(
            SQL(
                postgreSQL: { PostgresDialect.lockAccounts(accounts, waits: waits) },
                sqlite: { "select id from users where \("id", in: accounts)" })
        ) { try $0.next() }
    }
}

/// A row of `user_subscriptions` that another transaction holds.
struct HeldSubscription: Sendable {
    var userID: UUID
    /// The provider's id.
    var subscription: String?
}

extension Query where Result == HeldSubscription {
    /// Locks the rows of these accounts' subscriptions, and those with these ids of the provider's, and gives those that
    /// another transaction holds. Only where nothing is waited for: else the write itself waits.
    static func heldSubscriptions(users: Set<UUID>, names: Set<String>, waits: Bool) -> Query {
        let sql = SQL(
            postgreSQL: { waits ? .nothing : PostgresDialect.heldSubscriptions(users: users, names: names) },
            sqlite: { .nothing })
        return Query(sql) { HeldSubscription(userID: try $0.next(), subscription: try $0.next()) }
    }
}

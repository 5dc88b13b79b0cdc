public import Billing
import Databases
import Foundation
import Selextract
import Storage

// What taking observations would do.

extension Observations {
    /// What hangs together: the observations of the same subscriptions, customers, orders or accounts.
    private struct Part: Sendable {
        /// With the number of the page that each was on, in order.
        var events: [(page: Int, event: InboxEvent)]
        var users: Set<UUID> = []
        var report = Report()
        /// The transaction in which it was tried; nil: it was not yet.
        var batch: Int?
    }

    /// Carries the findings out of a transaction that is to be rolled back.
    private struct RolledBack: Error {
        var parts: [Part]
        var users: [User]
    }

    /// Observations that are tried in one transaction, unless more hang together: so it holds few accounts, and for moments.
    private static let batchSize = 100

    /// Finds out what ``take(_:)`` would make of pages of observations, one after the other. They are folded in batches, each
    /// of which is rolled back; what hangs together is in one of them, so that the result is what all of it would give.
    ///
    /// - Parameter pages: what ``news(_:)`` says of each.
    public func compare(_ pages: [[InboxEvent]]) async throws -> (report: Report, differences: [Difference]) {
        let events = pages.indices.flatMap { page in pages[page].map { (page: page, event: $0) } }
        var parts = try await parts(events)
        var after: [UUID: User] = [:]
        var batch = 0
        while parts.contains(where: { $0.batch == nil }) {
            var open = parts.filter { $0.batch == nil }[...]
            parts.removeAll { $0.batch == nil }
            while !open.isEmpty {
                try Task.checkCancellation()
                var (tried, count): ([Part], Int) = ([], 0)
                while let next = open.first, tried.isEmpty || count + next.events.count <= Self.batchSize {
                    tried.append(next)
                    count += next.events.count
                    open.removeFirst()
                }
                batch += 1
                let found = try await tryOut(tried, batch)
                parts += found.parts
                for user in found.users { after[user.id] = user }
            }
            parts = Self.merging(parts) { part in
                part.users.map { Key(account: $0) }
            } if: { parts in
                Set(parts.map(\.batch)).count > 1
            }
        }
        var report = Report()
        for part in parts { report.add(part.report) }
        let ids = Set(after.keys)
        let before = try await store.transaction { try await $0.users(ids) }
        let differences = before.compactMap { before in after[before.id].flatMap { Difference(before, $0) } }
        return (report, differences.sorted { $0.email < $1.email })
    }

    private func tryOut(_ parts: [Part], _ batch: Int) async throws -> RolledBack {
        let policy = policy
        do {
            try await store.transaction { transaction in
                var tried = parts
                for place in tried.indices { (tried[place].batch, tried[place].report) = (batch, Report()) }
                let pages = Set(parts.flatMap { $0.events.map(\.page) }).sorted()
                for page in pages {
                    let seen = tried.indices.flatMap { place in
                        tried[place].events.filter { $0.page == page }.map { (place: place, event: $0.event) }
                    }
                    // A page before may have told the same.
                    let digests = Set(try await transaction.news(seen.map(\.event)).map(\.digest))
                    let news = seen.filter { digests.contains($0.event.digest) }
                    if news.isEmpty { continue }
                    let decisions = try await Fold(transaction, policy: policy).receive(news.map(\.event))
                    for (new, decision) in zip(news, decisions) {
                        tried[new.place].report.add(Report(seen: 1, [new.event], [decision]))
                        if let user = decision.userID { tried[new.place].users.insert(user) }
                    }
                }
                let users = Set(tried.flatMap(\.users))
                throw RolledBack(parts: tried, users: try await transaction.users(users))
            }
        } catch let found as RolledBack {
            return found
        }
        return RolledBack(parts: [], users: [])
    }

    // MARK: What hangs together

    private struct Key: Hashable {
        var kind: String
        var id: String

        init(_ kind: String, _ id: String) { (self.kind, self.id) = (kind, id) }
        init(account: UUID) { self.init("account", account.uuidString) }
    }

    /// By what the observations say, and what is stored of the same objects.
    private func parts(_ events: [(page: Int, event: InboxEvent)]) async throws -> [Part] {
        var known: [Key: Set<Key>] = [:]
        for start in stride(from: 0, to: events.count, by: 1000) {
            let some = events[start..<min(start + 1000, events.count)].map(\.event)
            let stored = try await store.transaction { try await $0.stored(alike: some) }
            for stored in stored {
                let names = Relations(
                    customers: Set([stored.event.customerID].compactMap(\.self)),
                    subscriptions: Set([stored.event.subscriptionID].compactMap(\.self)),
                    orders: Set([stored.event.orderID].compactMap(\.self)))
                let keys = Self.keys(names) + [stored.userID].compactMap { $0.map(Key.init(account:)) }
                for key in keys { known[key, default: []].formUnion(keys) }
            }
        }
        let single = events.map { Part(events: [$0]) }
        return Self.merging(single) { part in
            let own = Self.keys(Relations(of: part.events.map(\.event)))
            return own + own.flatMap { known[$0] ?? [] }
        } if: { _ in
            true
        }
    }

    private static func keys(_ names: Relations) -> [Key] {
        names.customers.map { Key("customer", $0) } + names.subscriptions.map { Key("subscription", $0) }
            + names.orders.union(names.purchases).map { Key("order", $0) }
    }

    /// Makes one of parts that have a key in common, directly or by others, where `condition` asks for it. Those that were
    /// put together have to be tried again.
    private static func merging(
        _ parts: [Part], by keys: (Part) -> [Key], if condition: ([Part]) -> Bool
    ) -> [Part] {
        var parents = Array(parts.indices)
        func root(_ place: Int) -> Int {
            var place = place
            while parents[place] != place {
                parents[place] = parents[parents[place]]
                place = parents[place]
            }
            return place
        }
        var first: [Key: Int] = [:]
        for place in parts.indices {
            for key in keys(parts[place]) {
                let (own, other) = (root(place), root(first[key] ?? place))
                parents[max(own, other)] = min(own, other)
                first[key] = min(own, other)
            }
        }
        let groups = Dictionary(grouping: parts.indices, by: root)
        return groups.keys.sorted().flatMap { group -> [Part] in
            let members = groups[group, default: []].map { parts[$0] }
            guard members.count > 1, condition(members) else { return members }
            let events = members.flatMap(\.events).enumerated()
                .sorted { ($0.element.page, $0.offset) < ($1.element.page, $1.offset) }.map(\.element)
            return [Part(events: events)]
        }
    }
}

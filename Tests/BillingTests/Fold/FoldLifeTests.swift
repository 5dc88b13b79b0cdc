import Billing
import Foundation
import LemonSqueezy
import Payloads
import Testing

/// R0: the whole fold, with a database in memory.
@Suite("Random lives, folded")
struct FoldLifeTests {
    /// How many lives: `LIVES` in the environment, for long runs.
    static let seeds = 1...UInt64(ProcessInfo.processInfo.environment["LIVES"].flatMap(Int.init) ?? 10)

    /// The ways in which the same may happen.
    enum Way: CaseIterable {
        case inOrder, shuffled, doubled, batched
    }

    @Test("However the events came, the account is the same, and the ledger's sum is what it shows at each step")
    @concurrent
    func sameWhatever() async throws {
        for seed in Self.seeds {
            var random = SplitMix(seed: seed &+ 13)
            var life = seed % 2 == 0 ? Life(seed: seed).adopting(&random) : Life(seed: seed)
            if seed % 3 != 0 { life = life.observing(&random) }
            let inOrder = try outcome(of: life, .inOrder)
            for way in Way.allCases where try problem(of: life, way, inOrder) != nil {
                let shortest = try await life.shrunken { try problem(of: $0, way) != nil }
                Issue.record("\(way): \(try problem(of: shortest, way) ?? "nothing any more"): \(shortest)")
                // One is enough to see, and shrinking takes long.
                return
            }
        }
    }

    /// What is wrong with a life that is lived in one way; nil if nothing is.
    ///
    /// - Parameter inOrder: what comes of it in order, if that is known.
    private func problem(of life: Life, _ way: Way, _ inOrder: Outcome? = nil) throws -> String? {
        let expected = try inOrder ?? outcome(of: life, .inOrder)
        let found = way == .inOrder ? expected : try outcome(of: life, way)
        if let violation = found.violation { return violation }
        return found.picture == expected.picture ? nil : "\(found.picture)\ninstead of \(expected.picture)"
    }

    private typealias Outcome = (picture: MemoryStore.Picture, violation: String?)

    private func outcome(of life: Life, _ way: Way) throws -> Outcome {
        var random = SplitMix(seed: life.seed &+ 7)
        var runner = FoldRunner(life)
        switch way {
        case .inOrder: try runner.inOrder(life.steps)
        case .shuffled: try runner.inOrder(life.shuffled(&random).steps)
        case .doubled: try runner.inOrder(life.shuffled(&random, doubled: true).steps)
        case .batched: try runner.batched(life.shuffled(&random, doubled: true).stretches, &random)
        }
        return (try runner.end(), runner.violation)
    }
}

/// Takes a life through the fold.
private struct FoldRunner {
    let life: Life
    private var store: MemoryStore
    private var decoded: [[UInt8]: InboxEvent] = [:]
    /// What an operator does, by moment: gives a plan, or ends those that run.
    private var acts: [(at: Date, grant: Life.Grant?)]
    /// The first that was found.
    private(set) var violation: String?

    init(_ life: Life) {
        self.life = life
        store = MemoryStore(at: life.createdAt)
        store.policy = life.policy
        store.createAccount(life.user)
        acts = life.grants.flatMap { grant in
            [(grant.at, Optional(grant))] + (grant.endedAt.map { [($0, nil)] } ?? [])
        }.sorted { $0.0 < $1.0 }
    }

    /// One step after the other; each task is told twice.
    mutating func inOrder(_ steps: [(at: Date, step: Life.Step)]) throws {
        for (at, step) in steps {
            try act(by: at)
            store.now = at
            switch step {
            case .event(let body): try store.receive([event(body)])
            case .consume(let units, let task): try consume(units, task)
            }
            look()
        }
    }

    /// In groups of any size, and with a look by the clock in between.
    mutating func batched(_ stretches: [[(at: Date, step: Life.Step)]], _ random: inout SplitMix) throws {
        for stretch in stretches {
            var rest = stretch[...]
            while let first = rest.first, let last = rest.last {
                try act(by: last.at)
                store.now = last.at
                var group: [InboxEvent] = []
                let size = Int.random(in: 1...8, using: &random)
                while case .event(let body)? = rest.first?.step, group.count < size {
                    group.append(event(body))
                    rest = rest.dropFirst()
                }
                if case .consume(let units, let task) = first.step {
                    try consume(units, task)
                    rest = rest.dropFirst()
                } else {
                    try store.receive(group)
                }
                if random.next() % 3 == 0 { try store.refresh([life.user]) }
                look()
            }
        }
    }

    /// What there is at the life's end.
    mutating func end() throws -> MemoryStore.Picture {
        try act(by: life.end)
        store.now = life.end
        try store.refresh([life.user])
        look()
        // A delivery that is stored already has nothing looked at: only now it is sure that something was.
        if let dueAt = store.accounts[life.user]?.dueAt, dueAt <= store.now {
            violation = violation ?? "the next look was at \(dueAt)"
        }
        return store.picture(of: life.user)
    }

    private mutating func event(_ body: [UInt8]) -> InboxEvent {
        let event = decoded[body] ?? InboxEvent(body: body)
        decoded[body] = event
        return event
    }

    private mutating func consume(_ units: Int, _ task: UUID) throws {
        let request = UnitRequest(userID: life.user, kind: .consume(task: task, inFull: false), units: units)
        let first = try store.grant(request)
        let second = try store.grant(request)
        if first != second { violation = violation ?? "charged twice: \(request)" }
    }

    private mutating func act(by moment: Date) throws {
        while let (at, grant) = acts.first, at <= moment {
            acts.removeFirst()
            store.now = at
            let number = 90 + store.grants.count
            let id = UUID(uuidString: "00000000-0000-4000-8000-0000000000\(number)").unsafelyUnwrapped
            store.grants.append(
                GrantAction(id: id, userID: life.user, planID: grant?.plan, until: grant?.until, at: at))
            try store.refresh([life.user])
            look()
        }
    }

    private mutating func look() { violation = violation ?? store.violation(of: life.user) }
}

extension MemoryStore {
    /// All of an account that R0 speaks of.
    struct Picture: Hashable {
        var tier: String?
        var units: Int?
        var resetDate: Date?
        var dueAt: Date?
        var subscriptions: [SubscriptionRow]
        var buckets: [Bucket]
    }

    func picture(of user: UUID = Case.user) -> Picture {
        let row = accounts[user]
        return Picture(
            tier: row?.tier, units: row?.unitsRemaining, resetDate: row?.resetDate, dueAt: row?.dueAt,
            subscriptions: subscriptions.values.filter { $0.userID == user }.sorted { $0.state.id < $1.state.id },
            buckets: buckets.values.filter { $0.userID == user }.map(\.bucket)
                .sorted { ($0.line.rawValue, $0.begin) < ($1.line.rawValue, $1.begin) })
    }

    /// What must hold of an account after every step; nil if it does.
    func violation(of user: UUID = Case.user) -> String? {
        let entries = entries(of: user)
        guard let row = accounts[user], let last = entries.last else { return nil }
        let sum = entries.reduce(0) { $0 + $1.units }
        if sum != row.unitsRemaining || last.balance != row.unitsRemaining {
            return "the ledger's sum is \(sum), its balance \(last.balance), shown are \(row.unitsRemaining)"
        }
        let current = buckets[BucketRow.Key(userID: user, line: last.line, begin: last.begin)]?.bucket
        if current?.shown != row.unitsRemaining || current?.end != row.resetDate {
            let bucket = current.map { "\($0)" } ?? "missing"
            return "shown are \(row.unitsRemaining) until \(row.resetDate), the bucket is \(bucket)"
        }
        let consumed = buckets.values.filter { $0.userID == user }.reduce(0) { $0 + $1.bucket.consumed }
        let charged = charges.values.reduce(0) { $0 + $1.consumed }
        if accounts.count == 1, consumed != charged { return "\(charged) were charged, buckets say \(consumed)" }
        return nil
    }

    func entries(of user: UUID = Case.user) -> [LedgerEntry] {
        ledger.map(\.entry).filter { $0.userID == user }
    }
}

extension Life {
    /// The settings that it is lived under.
    var policy: BillingPolicy {
        BillingPolicy(
            upgradeUnits: choices.upgradeWhenPaid ? .whenPaid : .atOnce,
            downgradeUnits: choices.downgradeNextMonth ? .nextMonth : .atOnce,
            refundUnits: choices.takeRefunds ? .take : .keep)
    }
}

import Billing
import Foundation
import Payloads
import Testing

/// R15 and R16: charges, what other programs write, and what the ledger calls it.
@Suite("Charges and the ledger")
struct LedgerTests {
    private static let october = Date.utc("2026-10-01 00:00:00")
    private static let november = Date.utc("2026-11-01 00:00:00")
    private static let now = Date.utc("2026-10-20 00:00:00")

    private static func entry(
        _ balance: Int, _ line: BucketSeries = .free, _ begin: Date = october, kind: LedgerEntry.Kind = .grant
    ) -> LedgerEntry {
        LedgerEntry(userID: Case.user, kind: kind, units: balance, balance: balance, line: line, begin: begin)
    }

    private func account() throws -> Account {
        Account(userID: Case.user, createdAt: Self.october, events: [], charges: [])
    }

    /// What a request leads to on a free account: balance, change and shortfall.
    private func granted(_ kind: UnitRequest.Kind, _ units: Int) throws -> [Int] {
        var account = try account()
        let state = account.state(at: Self.now, catalog: Case.plans)
        let result = try state.grant(
            UnitRequest(userID: Case.user, kind: kind, units: units), at: Self.now, after: Self.entry(100)
        ) { charge in
            account.charges.append(charge)
            return account.state(at: Self.now, catalog: Case.plans)
        }
        return [result.entry.balance, result.entry.units, result.entry.shortfall]
    }

    // MARK: Requests

    @Test("A task that costs more than is left is refused; at its end it takes what is left, and the rest is recorded")
    func consume() throws {
        let task = UUID()
        #expect(try granted(.consume(task: task, inFull: true), 100) == [0, -100, 0])
        #expect(throws: UnitRefusal.insufficient(requested: 101, remaining: 100)) {
            try granted(.consume(task: task, inFull: true), 101)
        }
        #expect(try granted(.consume(task: task, inFull: false), 130) == [0, -100, 30])
        #expect(try granted(.consume(task: task, inFull: false), 0) == [100, 0, 0])
        #expect(throws: UnitRefusal.invalid(units: -1)) { try granted(.consume(task: task, inFull: false), -1) }
    }

    @Test("An operator gives any number of units, and takes no more than what is left")
    func adjust() throws {
        #expect(try granted(.adjust(reason: "kind"), 500) == [600, 500, 0])
        #expect(try granted(.adjust(reason: "stern"), -100) == [0, -100, 0])
        #expect(throws: UnitRefusal.insufficient(requested: 101, remaining: 100)) {
            try granted(.adjust(reason: "stern"), -101)
        }
        #expect(throws: UnitRefusal.invalid(units: 0)) { try granted(.adjust(reason: "nothing"), 0) }
    }

    @Test("No more is shown than the column holds")
    func greatest() throws {
        #expect(try granted(.adjust(reason: "generous"), 2_147_483_600)[0] == 2_147_483_647)
    }

    // MARK: Other programs

    @Test("At first sight the opening balance is what the free month gives, and the rest is another program's")
    func opening() throws {
        for (units, kinds, changes) in [
            (100, [LedgerEntry.Kind.grant], [100]), (70, [.grant, .external], [100, -30]),
        ] {
            let shown = ShownBalance(units: units, resetDate: Self.november, lastEntry: nil)
            let found = try account().reconciliation(with: shown, at: Self.now, catalog: Case.plans)
            #expect(found.entries.map(\.kind) == kinds)
            #expect(found.entries.map(\.units) == changes)
            #expect(found.last.balance == units)
            #expect(found.charge?.adjusted == (units == 100 ? nil : -30))
        }
    }

    @Test("The opening balance belongs to the month that the row's reset date ends, at the latest to the present one")
    func openingMonth() throws {
        let now = Date.utc("2026-12-05 00:00:00")
        for (reset, begin) in [
            ("2026-11-01 00:00:00", Self.october), ("2026-12-01 00:00:00", Self.november),
            ("2026-12-20 00:00:00", .utc("2026-12-01 00:00:00")), ("2028-01-01 00:00:00", .utc("2026-12-01 00:00:00")),
            ("2020-01-01 00:00:00", Self.october),
        ] {
            let shown = ShownBalance(units: 100, resetDate: .utc(reset), lastEntry: nil)
            #expect(try account().reconciliation(with: shown, at: now, catalog: Case.plans).last.begin == begin)
        }
    }

    @Test("What another program wrote is charged to the month that the row showed, not to one that began since")
    func external() throws {
        let shown = ShownBalance(units: 40, resetDate: Self.november, lastEntry: Self.entry(100))
        let now = Date.utc("2026-11-02 00:00:00")
        let found = try account().reconciliation(with: shown, at: now, catalog: Case.plans)
        #expect(found.entries.map(\.kind) == [.external])
        #expect(found.last.units == -60)
        #expect(found.charge?.begin == Self.october)
        let same = ShownBalance(units: 100, resetDate: Self.november, lastEntry: Self.entry(100))
        #expect(try account().reconciliation(with: same, at: now, catalog: Case.plans).entries.isEmpty)
    }

    // MARK: Kinds

    @Test("An entry says whether the line, the month, the plan or something else changed; no change is no entry")
    func kinds() throws {
        let state = try account().state(at: Self.now, catalog: Case.plans)
        func kind(_ last: LedgerEntry, granted: Int? = 100) -> LedgerEntry.Kind? {
            state.entry(after: last, granted: granted)?.kind
        }
        let before = Date.utc("2026-09-01 00:00:00")
        #expect(kind(Self.entry(100)) == nil)
        #expect(kind(Self.entry(100, .subscription("1"))) == .switch)
        #expect(kind(Self.entry(40, .subscription("1"), before)) == .switch)
        #expect(kind(Self.entry(100, .free, before)) == .grant)
        #expect(kind(Self.entry(40), granted: 40) == .planChange)
        #expect(kind(Self.entry(40), granted: 100) == .correction)
        #expect(kind(Self.entry(40), granted: nil) == .correction)
    }

    @Test("An entry leads from what was said to what is shown, and names its event")
    func entry() throws {
        let event = UUID()
        let state = try account().state(at: Self.now, catalog: Case.plans)
        let entry = try #require(state.entry(after: Self.entry(40, .subscription("1")), granted: nil, eventID: event))
        #expect(entry.units == 60)
        #expect(entry.balance == 100)
        #expect(entry.line == .free)
        #expect(entry.begin == Self.october)
        #expect(entry.eventID == event)
    }
}

import Foundation
import Glibc
import LemonSqueezy
import LemonSqueezyStandIn
import Payloads
import TestSupport
import Testing

/// `reconcile` that was interrupted, against a stand-in for Lemon Squeezy whose pages are as slow as a test wants them.
@Suite(.timeLimit(.minutes(15)))
struct ResumeTests {
    private static let begin = Date.utc("2026-01-01 00:00:00")

    /// Subscriptions of strangers, one a minute, the last the newest.
    private func hold(_ numbers: Range<Int>, _ shop: Shop) {
        shop.hold(
            numbers.map { number in
                var subscription = ProviderSubscription(
                    userID: nil, createdAt: Self.begin.addingTimeInterval(Double(number) * 60),
                    renewsAt: .utc("2027-01-01 00:00:00"))
                (subscription.id, subscription.customerID) = ("\(700_000 + number)", "\(800_000 + number)")
                subscription.orderID = "\(900_000 + number)"
                subscription.email = "\(number)@example.com"
                return subscription.event("subscription_created")
            })
    }

    /// The pages of all subscriptions that were asked for since so many calls.
    private func pages(_ shop: Shop, after calls: Int = 0) -> [Int] {
        shop.standIn.state.calls.dropFirst(calls)
            .filter { $0.path == "subscriptions" && $0.query["filter[status]"] == nil }
            .compactMap { $0.query["page[number]"].flatMap(Int.init) }
    }

    /// Runs `reconcile` until its next page is asked for, which does not come, and ends it.
    private func interrupt(_ program: Program, _ shop: Shop, afterPages count: Int, by signal: Int32) async throws {
        // The first call asks for the key's mode.
        shop.standIn.change { $0.holdsFrom = $0.calls.count + 1 + count }
        let process = program.process(["reconcile"])
        // As a shell starts it: a process that Foundation starts inherits that signals are blocked.
        process.arguments = [
            "-MPOSIX", "-e", "sigprocmask(SIG_SETMASK, POSIX::SigSet->new); exec @ARGV",
            process.executableURL?.path ?? "", "reconcile",
        ]
        process.executableURL = URL(fileURLWithPath: "/usr/bin/perl")
        process.standardOutput = FileHandle.nullDevice
        let ended = try process.start()
        try await eventually { shop.standIn.state.isHolding }
        kill(process.processIdentifier, signal)
        await ended.value
        #expect(process.terminationReason == .uncaughtSignal)
        shop.standIn.change { $0.holdsFrom = nil }
        try await eventually { !shop.standIn.state.isHolding }
    }

    private func report(_ program: Program, _ options: String...) async throws -> JSON {
        let finished = try await program.run(["reconcile", "--format", "json"] + options)
        #expect(finished.status == 0, "\(finished.errors)")
        return JSON(try JSONSerialization.jsonObject(with: Data(finished.output)))
    }

    private func program(_ shop: Shop, _ database: TestDatabase) async throws -> Program {
        let program = try Program(shop.settings.merging(["DATABASE_URL": database.url]) { $1 })
        #expect(try await program.run("migrate").status == 0)
        return program
    }

    private static let stored = "select '' || count(distinct subscription_id) from webhook_events where source = 'api'"
    private static let remembered = "select '' || count(*) from api_readings"

    @Test(
        "Killed in the middle, it goes on where it stood; what came in meanwhile is read, too",
        arguments: [(DatabaseKind.postgreSQL, SIGKILL), (.sqlite, SIGTERM)])
    func killed(_ kind: DatabaseKind, _ signal: Int32) async throws {
        try await kind.withDatabase { database in
            let shop = try await Shop.open()
            hold(0..<550, shop)
            let program = try await program(shop, database)
            try await interrupt(program, shop, afterPages: 4, by: signal)
            #expect(try await database.values(Self.stored) == ["400"])
            #expect(try await database.values(Self.remembered) == ["1"])

            // In front: the pages move back by 30.
            hold(550..<580, shop)
            let before = shop.standIn.state.calls.count
            let rest = try await report(program)
            // The front, then the page that it stood at, as that is now, and the others.
            #expect(pages(shop, after: before) == [1, 4, 5, 6])
            #expect(rest["resumed"].text != nil)
            #expect(rest["stored"].number == 180)
            #expect(try await database.values(Self.stored) == ["580"])
            // It has ended: the next one begins anew.
            #expect(try await database.values(Self.remembered) == ["0"])
            let last = shop.standIn.state.calls.count
            let again = try await report(program)
            #expect(again["resumed"].isNull && again["stored"].number == 0)
            #expect(pages(shop, after: last) == [1, 2, 3, 4, 5, 6])
        }
    }

    @Test("Where pages have moved forward, it goes back until nothing can have been passed over")
    func movedForward() async throws {
        try await DatabaseKind.sqlite.withDatabase { database in
            let shop = try await Shop.open()
            hold(0..<450, shop)
            let program = try await program(shop, database)
            try await interrupt(program, shop, afterPages: 3, by: SIGKILL)
            // The newest 150 are no longer shown: what was the fourth page begins on the second.
            shop.standIn.change { $0.objects["subscriptions"]?.removeFirst(150) }
            let before = shop.standIn.state.calls.count
            let rest = try await report(program)
            #expect(pages(shop, after: before) == [1, 3, 2, 3])
            #expect(rest["stored"].number == 150)
            #expect(try await database.values(Self.stored) == ["450"])
        }
    }

    @Test("Interrupted while the front is read, or in a later list, nothing is missed")
    func twice() async throws {
        try await DatabaseKind.sqlite.withDatabase { database in
            let shop = try await Shop.open()
            hold(0..<250, shop)
            let program = try await program(shop, database)
            try await interrupt(program, shop, afterPages: 2, by: SIGKILL)
            hold(250..<400, shop)
            // After the first page of the front.
            try await interrupt(program, shop, afterPages: 1, by: SIGKILL)
            // After the front's two, the rest's two, and those that have expired, of which there are none.
            try await interrupt(program, shop, afterPages: 6, by: SIGKILL)
            #expect(try await database.values(Self.stored) == ["400"])
            hold(400..<401, shop)
            let before = shop.standIn.state.calls.count
            #expect(try await report(program)["stored"].number == 1)
            // That list was read to its end: only its front is looked at.
            #expect(pages(shop, after: before) == [1])
            #expect(try await database.values(Self.stored) == ["401"])
        }
    }

    @Test("It does not go on after an hour, where more is wanted, for another store, or with --from-start")
    func anew() async throws {
        try await DatabaseKind.sqlite.withDatabase { database in
            let shop = try await Shop.open()
            hold(0..<150, shop)
            let program = try await program(shop, database)
            try await interrupt(program, shop, afterPages: 1, by: SIGKILL)
            func pagesOf(_ program: Program, _ options: String...) async throws -> [Int] {
                let before = shop.standIn.state.calls.count
                shop.standIn.change { $0.answersAfter = (1 + 2, StandInAnswer(status: 401)) }
                let finished = try await program.run(["reconcile"] + options)
                #expect(finished.status == 1)
                return pages(shop, after: before)
            }
            // Cut short after its second page, it has read more than the one before.
            #expect(try await pagesOf(program, "--from-start") == [1, 2])
            // Of what has been read to its end the front is looked at.
            #expect(try await pagesOf(program) == [1])
            let other = try Program(
                shop.settings.merging(["DATABASE_URL": database.url, "LEMON_SQUEEZY_STORE_ID": nil]) { $1 })
            #expect(try await pagesOf(other) == [1, 2])

            try await database.execute("update api_readings set read_at = '2026-01-01T00:00:00.000Z'")
            #expect(try await pagesOf(program) == [1, 2])
            try await database.execute("update api_readings set began_at = '2026-01-01T00:00:00.000Z'")
            #expect(try await pagesOf(program) == [1, 2])
            // It had left out what is wanted now; the other way round it has read more than is.
            #expect(try await pagesOf(program, "--from-start", "--since", "2026-06-01T00:00:00Z") == [1, 2])
            #expect(try await pagesOf(program, "--since", "2026-05-01T00:00:00Z") == [1, 2])
            #expect(try await pagesOf(program, "--since", "2026-07-01T00:00:00Z") == [1])
            #expect(try await pagesOf(program) == [1, 2])
        }
    }
}

import Accounts
import Billing
import BillingServer
import Databases
import Foundation
import LemonSqueezy
import Payloads
import Selextract
import Storage
import TestSupport
import Testing

/// What pages say, over real sockets.
@Suite("Console", .timeLimit(.minutes(15)))
struct ConsoleTests {
    @Test(
        "An unknown variant waits under its cause, is mapped, and the account has its units",
        arguments: DatabaseKind.allCases)
    func mapping(_ kind: DatabaseKind) async throws {
        try await withConsole(kind) { console in
            let (user, event) = try await console.parkedPurchase()
            let variant = try #require(event.variantID)
            let waiting = try await console.get("waiting")
            #expect(waiting.contains("Variant <b>\(variant)</b> means no plan"))
            let confirmation = try await console.get("acts/map?variant=\(variant)")
            #expect(confirmation.contains("Map, and decide 2 events"), "\(confirmation)")
            // The page that confirms has done nothing.
            #expect(try await console.store.primary.variants()[variant] == nil)
            let done = try await console.submit(confirmation, with: "plan=starter")
            #expect(done.status == 200, "\(done.text)")
            #expect(done.text.contains("2 events that waited for it are decided."), "\(done.text)")
            #expect(try await console.store.user(id: user)?.subscriptionTier == "starter")
            #expect(try await console.get("waiting").contains("Nothing waits."))
            let actions = try await console.get("actions")
            #expect(actions.contains("variant \(variant) mapped to starter"))
            #expect(actions.contains("console, 127.0.0.1"))
        }
    }

    @Test("Each page answers, with headers that let nothing in or out", arguments: DatabaseKind.allCases)
    func headers(_ kind: DatabaseKind) async throws {
        try await withConsole(kind) { console in
            let (user, event) = try await console.parkedPurchase()
            let paths = [
                "", "waiting", "events", "events?outcome=parked&reason=unknown_plan", "events/\(event.id)", "accounts",
                "accounts?who=ada@example.com", "accounts?who=\(event.subscriptionID ?? "")", "accounts/\(user)",
                "accounts/\(user)/ledger", "subscriptions/\(event.subscriptionID ?? "")", "plans", "actions",
                "acts/map?variant=101", "acts/bind?subscription=\(event.subscriptionID ?? "")",
                "acts/bind?subscription=\(event.subscriptionID ?? "")&who=\(user)", "acts/adjust?who=\(user)",
                "acts/grant?who=\(user)", "acts/retry?id=\(event.id)", "acts/discard?outcome=parked",
            ]
            for path in paths {
                let page = try await console.server.admin.send(
                    "GET", "/console/\(path)", headers: [RunningConsole.operator])
                #expect(page.status == 200, "\(path): \(page.text) \(console.failures)")
                #expect(page.text.contains("<h1>"), "\(path)")
                let policy = page["content-security-policy"] ?? ""
                #expect(policy.hasPrefix("default-src 'none';") && !policy.contains("unsafe"), "\(path)")
                #expect(page["cache-control"] == "no-store" && page["referrer-policy"] == "no-referrer", "\(path)")
                #expect(page["x-content-type-options"] == "nosniff" && page["x-robots-tag"] == "noindex", "\(path)")
                // Everything that a page needs is at this address, and nothing is written into the page itself.
                let markup = page.text.components(separatedBy: "<pre")[0]
                for word in [" style=", "<style", "javascript:", "http://", "https://"] {
                    #expect(!markup.contains(word), "\(path): \(word)")
                }
                #expect(!markup.contains("&lt;"), "\(path): markup shown as text")
                let handlers = markup.matches(of: #/<[^>]* on[a-z]+=/#).count
                #expect(handlers == 0, "\(path)")
            }
            for path in [
                "nothing", "events/nothing", "events/\(UUID())", "accounts/nobody@example.com", "assets/x.css",
            ] {
                let page = try await console.server.admin.send(
                    "GET", "/console/\(path)", headers: [RunningConsole.operator])
                #expect(page.status == 404, "\(path)")
            }
        }
    }

    @Test("An event's page tells of each of its deliveries", arguments: DatabaseKind.allCases)
    func deliveries(_ kind: DatabaseKind) async throws {
        try await withConsole(kind) { console in
            let (_, event) = try await console.parkedPurchase()
            let page = try await console.get("events/\(event.id)")
            #expect(!page.contains("<dt>Again</dt>") && page.contains(">Discard</a>"))
            let body = try #require(try await console.store.eventBody(event.id))
            _ = try await console.server.deliver(body)
            let again = try #require(try await console.store.eventRecord(event.id))
            let later = try await console.get("events/\(event.id)")
            let told = try #require(later.firstMatch(of: #/<dt>Again<\/dt><dd>(.*?)<\/dd>/#)).1
            #expect(told.matches(of: #/<div>/#).count == 1)
            let minute = ISOTime.text(from: again.lastReceivedAt).prefix(16)
            #expect(told.contains("current") && told.contains(minute), "\(told)")
        }
    }

    @Test("Style sheet and script are small, and kept for ever under the digest of their bytes")
    func assets() async throws {
        try await withConsole(.sqlite) { console in
            let page = try await console.get("")
            let names = page.matches(of: #/\/console\/assets\/([a-z0-9.-]+)/#).map { String($0.1) }
            #expect(Set(names).count == 3)
            for name in Set(names) {
                // What shows a page before anybody has logged in.
                let file = try await console.server.admin.send("GET", "/console/assets/\(name)")
                #expect(file.status == 200)
                #expect(file["cache-control"] == "public, max-age=31536000, immutable")
                let limit = name.hasSuffix(".css") ? 12_000 : 4000
                #expect(file.body.count < limit, "\(name): \(file.body.count)")
            }
        }
    }

    @Test("What an operator does to an account is in the ledger, the actions and the time line, with who")
    func acts() async throws {
        for kind in DatabaseKind.allCases {
            try await withConsole(kind) { console in
                let user = try await console.store.createUser(email: "ada@example.com", id: UUID()).id
                let key = try await console.store.createKey(for: user, name: "laptop")
                func act(_ query: String, _ values: String) async throws {
                    let page = try await console.get("acts/\(query)")
                    let done = try await console.submit(page, with: values)
                    #expect(done.status == 200, "\(query): \(done.text)")
                }
                try await act("adjust?who=\(user)", "units=-30&reason=a+mistake")
                #expect(try await console.store.user(id: user)?.computeUnitsRemaining == 70)
                try await act("grant?who=\(user)", "plan=professional&reason=a+friend")
                #expect(try await console.store.user(id: user)?.subscriptionTier == "professional")
                #expect(try await console.get("accounts/\(user)").contains(">End granted plans</a>"))
                try await act("end-grants?who=\(user)", "reason=no+friend")
                #expect(try await console.store.user(id: user)?.subscriptionTier == "free")
                try await act("revoke?who=\(user)&key=\(key.key.id)", "")
                #expect(try await console.store.keyHolder(of: key.text.secret) == nil)

                let account = try await console.get("accounts/\(user)")
                for words in [
                    "adjusted by an operator: a mistake (operator, from console, 127.0.0.1)",
                    "professional granted by an operator: a friend (operator, from console, 127.0.0.1)",
                    "granted plans ended by an operator: no friend", "revoked by an operator",
                ] {
                    #expect(account.contains(words), "\(words)")
                }
                #expect(try await console.get("accounts/\(user)/ledger").contains("a mistake"))
                let acts = try await console.store.primary.acts(limit: 10, before: nil).rows
                #expect(acts.map(\.kind) == [.revoke, .grantEnd, .grant, .adjust])
                #expect(acts.allSatisfy { $0.by?.name == "operator" && $0.by?.origin == "console, 127.0.0.1" })
                #expect(try await Rebuild(console.store, policy: BillingPolicy()).run(check: true).differences == [])
            }
        }
    }

    @Test("A stranger's subscription is bound, events are discarded and decided again, each by its number")
    func eventActs() async throws {
        for kind in DatabaseKind.allCases {
            try await withConsole(kind, mapped: true) { console in
                let deliveries = try Fixtures.scenario("unknown-account")
                for delivery in deliveries { _ = try await console.server.deliver(delivery.body) }
                let event = try #require(try await console.server.events().first { $0.outcome == .parked })
                let subscription = try #require(event.subscriptionID)
                let user = try await console.store.createUser(email: "vera@example.com", id: UUID()).id

                let parked = try await console.server.events().filter { $0.outcome == .parked }
                let discard = try await console.get("acts/discard?id=\(event.id)")
                #expect(discard.contains("Discard 1 event</button>"))
                #expect(try await console.submit(discard, with: "reason=a+test").status == 200)
                #expect(try await console.server.events().count { $0.outcome == .parked } == parked.count - 1)
                let again = try await console.get("acts/retry?id=\(event.id)")
                #expect(try await console.submit(again, with: "").status == 200)
                #expect(try await console.server.events().count { $0.outcome == .parked } == parked.count)

                #expect(try await console.get("acts/bind?subscription=\(subscription)").contains("Whose is it?"))
                let bind = try await console.get("acts/bind?subscription=\(subscription)&who=vera@example.com")
                #expect(bind.contains("It is nobody’s now.") && bind.contains(user.uuidString.lowercased()))
                let without = try await console.submit(bind, with: "")
                #expect(without.status == 400 && without.text.contains("Say why"))
                #expect(try await console.submit(bind, with: "reason=she+asked").status == 200)
                #expect(try await console.store.user(id: user)?.subscriptionTier == "starter")
                let page = try await console.get("subscriptions/\(subscription)")
                #expect(page.contains("bound to \(user.uuidString.lowercased()) by an operator: she asked (operator"))
                #expect(page.contains("discarded by an operator: a test"))
            }
        }
    }

    @Test("Two operators who press the same button at once do it once", arguments: DatabaseKind.allCases)
    func twice(_ kind: DatabaseKind) async throws {
        try await withConsole(kind) { console in
            let user = try await console.store.createUser(email: "ada@example.com", id: UUID()).id
            for round in 1...3 {
                // Each looks by himself.
                let pages = [
                    try await console.get("acts/adjust?who=\(user)"), try await console.get("acts/adjust?who=\(user)"),
                ]
                let statuses = try await withThrowingTaskGroup(of: (Int, String).self) { group in
                    for index in 0..<8 {
                        group.addTask {
                            let reply = try await console.submit(pages[index % 2], with: "units=10&reason=a+gift")
                            return (reply.status, reply.text)
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(statuses.count { $0.0 == 200 } == 1, "\(statuses.map(\.0))")
                #expect(statuses.allSatisfy { $0.0 == 200 || $0.0 == 409 && $0.1.contains("was done already at") })
                #expect(try await console.store.user(id: user)?.computeUnitsRemaining == 100 + 10 * round)
                #expect(try await console.store.primary.acts(limit: 100, before: nil).rows.count == round)
            }
            let bare = try await console.post("acts/adjust", "who=\(user)&units=10&reason=x")
            #expect(bare.status == 400 && bare.text.contains("confirmed"))
        }
    }

    @Test("A query that fails is a sentence, and the rest of the page is shown")
    func failures() async throws {
        try await withConsole(.postgreSQL) { console in
            try await console.database.execute("alter table user_subscriptions rename to elsewhere")
            let now = try await console.get("")
            #expect(now.contains("its schema is not up to date") && now.contains("The latest events"))
            let accounts = try await console.server.admin.send(
                "GET", "/console/accounts?who=910001", headers: [RunningConsole.operator])
            #expect(accounts.status == 503 && !accounts.text.contains("There is no such account"))
        }
    }

    @Test(
        "A query that goes on and on is stopped, and the page says so; others are as they were",
        arguments: DatabaseKind.allCases)
    func slowness(kind: DatabaseKind) async throws {
        try await withConsole(kind) { console in
            let (user, _) = try await console.parkedPurchase()
            let endless =
                kind == .postgreSQL
                ? "pg_sleep(3600)"
                : "(with recursive n (i) as (select 1 union all select i + 1 from n) select i from n)"
            try await console.database.execute(
                """
                alter table webhook_events rename to stored;
                create view webhook_events as select stored.* from stored cross join \(endless) as endless
                """)
            let events = try await console.server.admin.send(
                "GET", "/console/events", headers: [RunningConsole.operator])
            #expect(events.status == 503 && events.text.contains("took longer than a page waits"), "\(events.text)")
            #expect(try await console.get("").contains("took longer than a page waits"))
            #expect(try await console.get("accounts?who=\(user)").contains("\(user)".lowercased()))
        }
    }

    @Test("A page that another transaction keeps waiting says so")
    func locks() async throws {
        try await withConsole(.postgreSQL) { console in
            try await console.database.withLock("lock table webhook_events") {
                let events = try await console.server.admin.send(
                    "GET", "/console/events", headers: [RunningConsole.operator])
                #expect(events.status == 503 && events.text.contains("Another transaction holds"), "\(events.text)")
            }
            #expect(try await console.get("events").contains("There is no such event"))
        }
    }

    @Test("Pages read the replica where there is one", arguments: DatabaseKind.allCases)
    func replica(kind: DatabaseKind) async throws {
        try await kind.withDatabase { primary in
            try await kind.withDatabase { replica in
                for (database, name) in [(primary, "primary"), (replica, "replica")] {
                    try await database.withStore {
                        _ = try await $0.createUser(email: "\(name)@example.com", id: UUID())
                    }
                }
                let pages = try #require(
                    try DatabaseConfiguration(url: primary.url, readURL: replica.url).openForPages())
                let users = try await pages.lists.users(limit: 10, before: nil)
                await pages.close()
                #expect(users.map(\.email) == ["replica@example.com"])
            }
        }
    }

    @Test("A list goes on where its page ended, however many came meanwhile")
    func paging() async throws {
        try await withConsole(.sqlite) { console in
            for number in 0..<120 {
                let body = "{\"meta\":{\"event_name\":\"n\(number)\"},\"data\":{\"type\":\"x\",\"id\":\"\(number)\"}}"
                _ = try await console.server.deliver(Array(body.utf8))
            }
            var (path, seen): (String, [String]) = ("events", [])
            while true {
                let page = try await console.get(path)
                seen += page.matches(of: #/>n([0-9]+)<\/a>/#).map { String($0.1) }
                guard let next = page.firstMatch(of: #/rel="next" href="\/console\/([^"]+)"/#) else { break }
                path = String(next.1).replacing("&amp;", with: "&")
                let body = "{\"meta\":{\"event_name\":\"later\"},\"data\":{\"type\":\"x\",\"id\":\"\(UUID())\"}}"
                _ = try await console.server.deliver(Array(body.utf8))
            }
            #expect(seen == (0..<120).reversed().map(String.init))
        }
    }
}

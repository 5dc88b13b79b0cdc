import Foundation
import LemonSqueezy
import LemonSqueezyAPI
import LemonSqueezyStandIn
import Testing

/// The client of the API, against the stand-in over a real socket.
@Suite(.timeLimit(.minutes(5)))
struct ClientTests {
    static let key = "key-that-no-error-shows"

    private func shop(subscriptions: Int = 0) async throws -> StandIn {
        var state = StandInState()
        state.keys = [Self.key: true]
        for id in 0..<subscriptions {
            state.put(
                "subscriptions", id: String(id), [.init("store_id", .number("1")), .init("note", .string("é/\"}]"))])
        }
        return try await StandIn.start(state)
    }

    private func client(_ shop: StandIn, key: String = Self.key, pause: Duration = .milliseconds(1)) -> LemonSqueezyAPI
    {
        LemonSqueezyAPI(key: key, base: shop.base, pace: Pace(interval: .zero, repetitions: 3, pause: pause))
    }

    @Test("A list is read to its last page, 100 a page, each object once, with the bytes that came")
    func pages() async throws {
        let shop = try await shop(subscriptions: 241)
        let client = client(shop)
        let objects = try await client.all("subscriptions", filters: ["store_id": "1"])
        #expect(objects.count == 241)
        #expect(Set(objects.map(\.id)).count == 241)
        let calls = shop.state.calls
        #expect(calls.map { $0.query["page[number]"] } == ["1", "2", "3"])
        #expect(calls.allSatisfy { $0.query["page[size]"] == "100" && $0.query["filter[store_id]"] == "1" })
        let stored = shop.state.objects["subscriptions"] ?? []
        #expect((objects.map(\.bytes) == stored.map { $0.wireBytes() }) as Bool)
        await client.close()
    }

    @Test("What comes in while pages are read hides nothing")
    func shiftingPages() async throws {
        let shop = try await shop(subscriptions: 241)
        shop.change { state in
            state.arrivals["subscriptions"] = (1000..<1003).map {
                StandInState.object("subscriptions", id: String($0), [.init("store_id", .number("1"))])
            }
        }
        let client = client(shop)
        let ids = try await client.all("subscriptions").map(\.id)
        #expect(ids.count == Set(ids).count)
        #expect((0..<241).allSatisfy { ids.contains(String($0)) } as Bool)
        await client.close()
    }

    @Test("Who gives up a call at any moment is told at once, and the next call is answered")
    func abandoned() async throws {
        let shop = try await shop(subscriptions: 1)
        let client = client(shop)
        let start = ContinuousClock.now
        for _ in 0..<10 { _ = try await client.object("subscriptions/0") }
        let usual = (ContinuousClock.now - start) / 10
        for number in 0..<300 {
            let call = Task { try await client.object("subscriptions/0") }
            // About when the answer comes, a bit before or after.
            try await Task.sleep(for: usual * Double(number % 50) / 30)
            call.cancel()
            switch await call.result {
            case .success(let object): #expect(object.id == "0")
            case .failure(let error): #expect(error is CancellationError)
            }
        }
        // Before any answer.
        shop.change { $0.holdsFrom = $0.calls.count }
        let held = Task { try await client.object("subscriptions/0") }
        while !shop.state.isHolding { try await Task.sleep(for: .milliseconds(5)) }
        held.cancel()
        await #expect(throws: CancellationError.self) { try await held.value }
        #expect(shop.state.isHolding)
        shop.change { $0.holdsFrom = nil }
        #expect(try await client.object("subscriptions/0").id == "0")
        await client.close()
    }

    @Test("429 and 500 with HTML are waited for, but a change is sent only once")
    func repetition() async throws {
        let shop = try await shop(subscriptions: 1)
        shop.change { $0.answers = [.overloaded, .broken, .overloaded] }
        let client = client(shop)
        #expect(try await client.object("subscriptions/0").id == "0")
        #expect(shop.state.calls.count == 4)
        shop.change { $0.answers = [.broken] }
        let error = await #expect(throws: APIError.self) { try await client.send("POST", "webhooks", .object([])) }
        #expect(error?.kind == .unavailable)
        #expect(shop.state.calls.count == 5)
        #expect(await client.calls == 5)
        await client.close()
    }

    @Test("It gives up after its repetitions")
    func givingUp() async throws {
        let shop = try await shop()
        shop.change { $0.answers = Array(repeating: .broken, count: 9) }
        let client = client(shop)
        let error = await #expect(throws: APIError.self) { try await client.isTestMode() }
        #expect(error?.kind == .unavailable)
        #expect(shop.state.calls.count == 4)
        await client.close()
    }

    @Test("It waits as long as a 429 asks for")
    func retryAfter() async throws {
        let shop = try await shop()
        shop.change { $0.answers = [StandInAnswer(status: 429, headers: ["Retry-After": "1"])] }
        let client = client(shop)
        let start = ContinuousClock.now
        #expect(try await client.isTestMode() == true)
        #expect(ContinuousClock.now - start >= .seconds(1))
        await client.close()
    }

    @Test("It slows down as the minute's calls run out")
    func slowingDown() async throws {
        let shop = try await shop()
        shop.change { $0.remaining = 5 }
        let client = LemonSqueezyAPI(key: Self.key, base: shop.base, pace: Pace(interval: .milliseconds(20)))
        _ = try await client.isTestMode()
        _ = try await client.isTestMode()
        // From here on it knows that few are left.
        let start = ContinuousClock.now
        _ = try await client.isTestMode()
        _ = try await client.isTestMode()
        #expect(ContinuousClock.now - start >= .milliseconds(240))
        await client.close()
    }

    @Test(
        "Every failure is one sentence without the key",
        arguments: [
            (StandInAnswer(status: 401), APIError.Kind.unauthorized), (StandInAnswer(status: 404), .notFound),
            (
                StandInAnswer(status: 422, body: #"{"errors":[{"detail":"key-that-no-error-shows\nis wrong"}]}"#),
                .refused
            ),
            (StandInAnswer(status: 200, body: "<html>"), .unreadable),
            (StandInAnswer(status: 200, body: "[]"), .unreadable),
            (StandInAnswer(status: 302, headers: ["Location": "/v1/users/me"]), .refused),
        ])
    func failures(answer: StandInAnswer, kind: APIError.Kind) async throws {
        let shop = try await shop()
        shop.change { $0.answers = [answer] }
        let client = client(shop)
        let error = await #expect(throws: APIError.self) { try await client.isTestMode() }
        #expect(error?.kind == kind)
        let text = try #require(error).description
        #expect(!text.contains(Self.key) && !text.contains("\n") && !text.isEmpty)
        #expect(!"\(client) \(String(reflecting: client))".contains(Self.key))
        #expect(shop.state.calls.count == 1)
        await client.close()
    }

    @Test("A wrong key, and an unknown id, are refused as the API does")
    func refusals() async throws {
        let shop = try await shop()
        let stranger = client(shop, key: "another")
        #expect(await #expect(throws: APIError.self) { try await stranger.isTestMode() }?.kind == .unauthorized)
        let client = client(shop)
        #expect(await #expect(throws: APIError.self) { try await client.object("orders/1") }?.kind == .notFound)
        await stranger.close()
        await client.close()
    }

    @Test("Where nobody listens it says so")
    func nobodyListens() async throws {
        let client = LemonSqueezyAPI(
            key: Self.key, base: try #require(URL(string: "http://127.0.0.1:1/v1")),
            pace: Pace(interval: .zero, repetitions: 1, pause: .milliseconds(1)))
        let error = await #expect(throws: APIError.self) { try await client.isTestMode() }
        #expect(error?.kind == .unreachable)
        #expect(await client.calls == 2)
        await client.close()
    }

    @Test("The difference of the clocks is read from the answers")
    func clocks() async throws {
        let shop = try await shop()
        let client = client(shop)
        _ = try await client.isTestMode()
        let ahead = try #require(await client.clockAhead)
        #expect(abs(ahead) < 60)
        await client.close()
    }
}

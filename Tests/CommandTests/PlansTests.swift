import Foundation
import Testing

@Suite(.timeLimit(.minutes(15)))
struct PlansTests {
    @Test("Plans are listed cheapest first, changed, and shown with all their variants")
    func plans() async throws {
        let program = try Program()
        #expect(try await program.run("migrate").text.contains("init"))
        let plans = try await program.json("plans", "list")["plans"].rows
        #expect(plans.map { $0["id"].text } == ["free", "starter", "professional", "enterprise"])
        #expect(plans.map { $0["price_cents"].number } == [0, 1900, 4900, 9900])

        let changed = try await program.json(
            "plans", "set", "starter", "--price-cents", "2100", "--units", "1200", "--max-concurrent-tasks", "4",
            "--name", "Start", "--description", "Anew", "--variant-id", "101", "--no-active")["plan"]
        #expect(changed["price_cents"].number == 2100)
        #expect(changed["monthly_compute_units"].number == 1200)
        #expect(changed["max_concurrent_tasks"].number == 4)
        #expect(changed["name"].text == "Start")
        #expect(changed["description"].text == "Anew")
        #expect(changed["is_active"].flag == false)

        _ = try await program.json("plans", "map", "starter", "102")
        let again = try await program.json("plans", "set", "starter", "--variant-id", "1000", "--active")["plan"]
        #expect(again["variants"].rows.map(\.text) == ["101", "102", "1000"], "the one before keeps its meaning")
        #expect(again["is_active"].flag == true)

        let taken = try await program.run("plans", "map", "enterprise", "101")
        #expect(taken.status == 1)
        #expect(taken.sentence == "variant “101” means plan “starter” already")
        let unknown = try await program.run("plans", "set", "gold", "--units", "1")
        #expect(unknown.status == 1)
        #expect(unknown.sentence == "there is no plan “gold”")
    }
}

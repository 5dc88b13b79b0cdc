import Testing

@testable import Postgres

@Suite struct PlanAgeTests {
    @Test("Plans are made anew after 4, 16, 64, … transactions, and after five seconds")
    func isOver() {
        var age = PlanAge()
        let start = ContinuousClock.now
        #expect((1...100).filter { _ in age.isOver(at: start) } == [4, 16, 64])
        let seconds = [5, 6, 7, 11, 12].filter { age.isOver(at: start + .seconds($0)) }
        #expect(seconds == [6, 12])
    }
}

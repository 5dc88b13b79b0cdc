import Billing
import Foundation
import LemonSqueezy
import Payloads
import Testing

/// R1, R2 and R4: what is new, what was stored before, and what is to be decided.
@Suite("Deliveries stored together")
struct DeliveryBatchTests {
    private static let stored = UUID(uuidString: "5705ed00-44bc-4075-b4b1-25dcb4c6e200").unsafelyUnwrapped
    private static let start = Date.utc("2026-10-12 09:30:04")

    private static func event(_ id: String = "910001", outcome: Outcome? = nil) -> InboxEvent {
        var subscription = ProviderSubscription(userID: Case.user, createdAt: start, renewsAt: nil)
        subscription.id = id
        var event = InboxEvent(body: subscription.event("subscription_created"))
        if let outcome { (event.outcome, event.reason) = (outcome, "why") }
        return event
    }

    /// What the inbox has of that event.
    private static func known(
        _ outcome: Outcome, attempts: Int = 0, of event: InboxEvent = event()
    ) -> [DeliveryBatch.Known] {
        [
            DeliveryBatch.Known(
                digest: event.digest,
                decision: EventDecision(eventID: stored, outcome: outcome, reason: "before", userID: Case.user),
                attempts: attempts)
        ]
    }

    private static func batch(_ events: [InboxEvent], known: [DeliveryBatch.Known] = []) -> DeliveryBatch {
        DeliveryBatch(events, known: known) { UUID() }
    }

    /// Deliveries and earlier failures of what was stored before, which is that event.
    private static func counts(_ batch: DeliveryBatch) -> [[Int?]] {
        batch.repeated.map { $0.id == stored ? [$0.deliveries, $0.failures] : [] }
    }

    @Test("What is new is stored once, however often it came, and only the first is new")
    func new() {
        let (event, other) = (Self.event(), Self.event("910002"))
        let batch = Self.batch([event, event, other, event])
        #expect(batch.new.map(\.event) == [event, other])
        #expect(batch.new.map(\.deliveries) == [3, 1])
        #expect(batch.repeated.isEmpty)
        let ids = batch.new.map(\.id)
        #expect(batch.arrivals == ids)
        #expect(Set(batch.unstored.map(\.id)) == Set(ids))
        #expect(batch.unstored.allSatisfy { $0.outcome == .parked && $0.userID == nil && !$0.isUndecodable })
        let decisions = batch.decisions([:])
        #expect(decisions.map(\.eventID) == [ids[0], ids[0], ids[1], ids[0]])
        #expect(decisions.map(\.isDuplicate) == [false, true, false, true])
        #expect(decisions.allSatisfy { $0.outcome == .parked })
    }

    @Test("All deliveries of an event are answered with what the fold made of it")
    func decided() {
        let event = Self.event()
        let batch = Self.batch([event, event])
        let decision = EventDecision(
            eventID: batch.arrivals[0], outcome: .applied, reason: "fold", userID: Case.user)
        let answers = batch.decisions([decision.eventID: decision])
        #expect(answers.map(\.outcome) == [.applied, .applied])
        #expect(answers.map(\.reason) == ["fold", "fold"])
        #expect(answers.map(\.userID) == [Case.user, Case.user])
        #expect(answers.map(\.isDuplicate) == [false, true])
    }

    @Test("What was stored before is counted, and answered with what became of it")
    func repeated() {
        let batch = Self.batch([Self.event(), Self.event()], known: Self.known(.applied))
        #expect(batch.new.isEmpty)
        #expect(Self.counts(batch) == [[2, nil]])
        #expect(batch.arrivals.isEmpty)
        #expect(batch.unstored.isEmpty)
        let answer = EventDecision(
            eventID: Self.stored, outcome: .applied, reason: "before", userID: Case.user, isDuplicate: true)
        #expect(batch.decisions([:]) == [answer, answer])
    }

    @Test("A duplicate of an event that had failed is decided, once, and is no further failure")
    func hadFailed() {
        let batch = Self.batch([Self.event(), Self.event()], known: Self.known(.failed, attempts: 2))
        #expect(Self.counts(batch) == [[2, nil]])
        #expect(batch.arrivals == [Self.stored])
        #expect(batch.unstored.isEmpty)
        let decision = EventDecision(eventID: Self.stored, outcome: .applied, reason: nil, userID: Case.user)
        let answers = batch.decisions([Self.stored: decision])
        #expect(answers.map(\.outcome) == [.applied, .applied])
        #expect(answers.allSatisfy { $0.isDuplicate })
    }

    @Test("An event that fails once more says how often it had failed; one that was decided does not fail any more")
    func failsAgain() {
        let failing = Self.event(outcome: .failed)
        let again = Self.batch([failing, failing], known: Self.known(.failed, attempts: 3))
        #expect(Self.counts(again) == [[2, 3]])
        #expect(again.arrivals.isEmpty)
        let decided = Self.batch([failing], known: Self.known(.applied))
        #expect(Self.counts(decided) == [[1, nil]])
        #expect(decided.decisions([:]).map(\.outcome) == [.applied])
        let first = Self.batch([failing])
        #expect(first.new.map(\.event.outcome) == [.failed])
        #expect(first.arrivals.isEmpty)
        #expect(first.decisions([:]).map(\.reason) == ["why"])
    }

    @Test("What was quarantined and fails when it comes again is tried again; what was erased stays as it is")
    func acceptedToFail() {
        let fails = Self.batch([Self.event(outcome: .failed)], known: Self.known(.quarantined))
        #expect(fails.accepted.keys.map(\.self) == [Self.stored])
        #expect(Self.counts(fails) == [[1, 0]])
        var erased = Self.known(.quarantined)
        erased[0].isErased = true
        let batch = Self.batch([Self.event()], known: erased)
        #expect(batch.accepted.isEmpty && batch.arrivals.isEmpty && Self.counts(batch) == [[1, nil]])
    }

    @Test("What was quarantined is judged anew when it comes again")
    func accepted() {
        let event = Self.event()
        let batch = Self.batch([event, event], known: Self.known(.quarantined))
        #expect(batch.accepted == [Self.stored: event])
        #expect(batch.arrivals == [Self.stored])
        #expect(batch.unstored.map(\.id) == [Self.stored])
        #expect(batch.unstored.map(\.outcome) == [.parked])
        #expect(batch.repeated.map(\.deliveries) == [2])
        let answers = batch.decisions([:])
        #expect(answers.map(\.outcome) == [.parked, .parked])
        #expect(answers.map(\.reason) == [nil, nil])
        #expect(answers.allSatisfy { $0.isDuplicate })

        let still = Self.batch([Self.event(outcome: .quarantined)], known: Self.known(.quarantined))
        #expect(still.accepted.isEmpty)
        #expect(still.arrivals.isEmpty)
        #expect(still.decisions([:]).map(\.reason) == ["before"])
    }

    @Test("What was accepted once stays so, though it would be quarantined now")
    func staysAccepted() {
        for outcome in [Outcome.applied, .unchanged, .parked, .failed] {
            let batch = Self.batch([Self.event(outcome: .quarantined)], known: Self.known(outcome))
            #expect(batch.accepted.isEmpty)
            #expect(batch.arrivals.isEmpty)
            #expect(batch.decisions([:]).map(\.outcome) == [outcome])
        }
    }

    @Test("What is put aside, or cannot be read, is stored and not decided")
    func aside() throws {
        let garbage = InboxEvent(body: [1, 2, 3])
        let customer = InboxEvent(body: try Fixtures.event("customer_updated"))
        let events = [Self.event(outcome: .quarantined), garbage, customer]
        let batch = Self.batch(events)
        #expect(batch.new.map(\.event) == events)
        #expect(batch.arrivals.isEmpty)
        #expect(batch.unstored.isEmpty)
        #expect(batch.decisions([:]).map(\.outcome) == [.quarantined, .rejected, .ignored])
        #expect(batch.decisions([:]).map(\.reason) == ["why", garbage.reason, nil])
    }

    @Test("A failed event is tried again after a minute, each time twice as long, after an hour at most")
    func retries() {
        let minutes = (0...8).map { RetryDelay.after(failures: $0) / 60 }
        #expect(minutes == [1, 2, 4, 8, 16, 32, 60, 60, 60])
        #expect(RetryDelay.after(failures: .max) == 3600)
        #expect(RetryDelay.after(failures: -1) == 60)
        // Who was held elsewhere may be free in a moment.
        #expect(RetryDelay.first(reason: RetryDelay.heldReason) == 5)
        #expect(RetryDelay.first(reason: "anything else") == 60)
    }
}

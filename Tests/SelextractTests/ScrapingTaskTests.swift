import Foundation
import Selextract
import Testing

@Suite("ScrapingTask")
struct ScrapingTaskTests {
    typealias Status = ScrapingTask.Status

    static let legal: [Status: Set<Status>] = [
        .pending: [.queued, .running, .failed, .cancelled], .queued: [.running, .failed, .cancelled],
        .running: [.completed, .failed, .cancelled],
    ]

    static let later = Sample.noon + 90

    static func change(_ task: inout ScrapingTask, to status: Status) throws {
        switch status {
        case .pending: throw IllegalTransition(from: task.status, to: .pending)
        case .queued: try task.queue(at: later)
        case .running: try task.start(at: later)
        case .completed: try task.complete(at: later, resultFilePath: "results/1.json")
        case .failed: try task.fail(at: later, message: "timed out")
        case .cancelled: try task.cancel(at: later)
        }
    }

    @Test("Each status goes where it may, and nowhere else", arguments: Status.allCases, Status.allCases)
    func transition(from: Status, to: Status) throws {
        let before = Sample.task(from)
        var task = before
        let isLegal = Self.legal[from, default: []].contains(to)
        #expect(from.canBecome(to) == isLegal)
        if isLegal {
            try Self.change(&task, to: to)
            #expect(task.status == to)
            #expect(task.updatedAt == Self.later)
            #expect(task.completedAt == (to.isFinished ? Self.later : nil))
            #expect(task.computeUnitsConsumed == 0)
        } else {
            #expect(throws: IllegalTransition(from: from, to: to)) { try Self.change(&task, to: to) }
            #expect(task == before)
        }
    }

    @Test(
        "A status says whether it is finished, runs, counts against the limit and can be cancelled",
        arguments: [
            (.pending, false, false, true), (.queued, false, false, true), (.running, false, true, true),
            (.completed, true, false, false), (.failed, true, false, false), (.cancelled, true, false, false),
        ] as [(Status, Bool, Bool, Bool)])
    func properties(status: Status, isFinished: Bool, isRunning: Bool, canBeCancelled: Bool) {
        let task = Sample.task(status)
        #expect(task.isFinished == isFinished)
        #expect(task.isUnfinished == !isFinished)
        #expect(Status.unfinished.contains(status) == !isFinished)
        #expect(task.isRunning == isRunning)
        #expect(task.canBeCancelled == canBeCancelled)
    }

    @Test("A task's life leaves its marks in the row")
    func life() throws {
        var task = Sample.task()
        try task.queue(at: Sample.noon + 1)
        try task.start(at: Sample.noon + 2)
        #expect(task.startedAt == Sample.noon + 2)
        try task.report(progress: 40, at: Sample.noon + 30)
        #expect(task.progress == 40)
        try task.complete(at: Sample.noon + 63, resultFilePath: "results/1.json")
        #expect(task.progress == 100)
        #expect(task.resultFilePath == "results/1.json")
        #expect(task.completedAt == Sample.noon + 63)
        #expect(task.duration(at: .distantFuture) == 61)
        #expect(task.billedMinutes(at: .distantFuture) == 2)
    }

    @Test("A failure keeps its progress and its message, without the character PostgreSQL cannot hold")
    func failure() throws {
        var task = Sample.task(.running)
        try task.report(progress: 40, at: Self.later)
        try task.fail(at: Self.later, message: "bad byte \0 in page")
        #expect(task.progress == 40)
        #expect(task.errorMessage == "bad byte \u{FFFD} in page")
    }

    @Test("Progress is 0 to 100 percent", arguments: [0, 1, 99, 100])
    func progress(percent: Int) throws {
        var task = Sample.task(.running)
        try task.report(progress: percent, at: Self.later)
        #expect(task.progress == percent)
        #expect(task.updatedAt == Self.later)
    }

    @Test("Progress out of range changes nothing", arguments: [-1, 101, Int.min, Int.max])
    func progressOutOfRange(percent: Int) {
        var task = Sample.task(.running)
        #expect(throws: ProgressError.outOfRange(percent)) { try task.report(progress: percent, at: Self.later) }
        #expect(task == Sample.task(.running))
    }

    @Test("Only a running task makes progress", arguments: Status.allCases.filter { $0 != .running })
    func progressNotRunning(status: Status) {
        var task = Sample.task(status)
        #expect(throws: ProgressError.notRunning(status)) { try task.report(progress: 5, at: Self.later) }
        #expect(task == Sample.task(status))
    }

    @Test(
        "Started minutes round up, and there is at least one",
        arguments: [
            (-3600, 0, 1), (0, 0, 1), (0.001, 0.001, 1), (59.999, 59.999, 1), (60, 60, 1), (60.000001, 60.000001, 2),
            (61, 61, 2), (120, 120, 2), (3600, 3600, 60), (3601, 3601, 61),
        ] as [(Double, Double, Int)])
    func billing(seconds: Double, duration: Double, minutes: Int) throws {
        let task = Sample.task(.running)
        let end = Sample.noon + seconds
        #expect(abs(try #require(task.duration(at: end)) - duration) < 1e-6)
        #expect(task.billedMinutes(at: end) == minutes)
        var completed = task
        try completed.complete(at: end)
        #expect(completed.billedMinutes(at: .distantPast) == minutes)
    }

    @Test(
        "Whole minutes are billed exactly, at whatever microsecond a task starts",
        arguments: 1...200 as ClosedRange<UInt64>)
    func exactMinutes(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var task = Sample.task(.running)
        let micros = Int64.random(in: 0..<4_000_000_000_000_000, using: &random)
        let minutes = Int64.random(in: 1...100_000, using: &random)
        let moment = { (micros: Int64) in Date(timeIntervalSince1970: Double(micros) / 1e6) }
        task.startedAt = moment(micros)
        #expect(task.billedMinutes(at: moment(micros + minutes * 60_000_000)) == Int(minutes))
        #expect(task.billedMinutes(at: moment(micros + minutes * 60_000_000 + 1)) == Int(minutes) + 1)
    }

    @Test("A task that never started costs nothing", arguments: [Status.pending, .queued, .failed, .cancelled])
    func neverStarted(status: Status) {
        let task = Sample.task(status)
        #expect(!task.hasStarted)
        #expect(task.duration(at: Self.later) == nil)
        #expect(task.billedMinutes(at: Self.later) == 0)
    }

    @Test(
        "A task that another program started without saying when costs a minute",
        arguments: [Status.running, .completed])
    func startUnknown(status: Status) {
        var task = Sample.task(status)
        task.startedAt = nil
        #expect(task.duration(at: Self.later) == nil)
        #expect(task.billedMinutes(at: Self.later) == 1)
    }

    @Test("A task that another program finished without saying when lasted until its last change")
    func endUnknown() {
        var task = Sample.task(.completed)
        task.completedAt = nil
        task.updatedAt = Sample.noon + 70
        #expect(task.billedMinutes(at: .distantFuture) == 2)
    }

    @Test("A task cancelled while it ran is billed for its time, an endless one no more than the column holds")
    func cancelled() throws {
        var task = Sample.task(.running)
        #expect(task.billedMinutes(at: Date(timeIntervalSince1970: .infinity)) == Int(Int32.max))
        try task.cancel(at: Sample.noon + 121)
        #expect(task.billedMinutes(at: Sample.noon) == 3)
    }

    @Test("An illegal transition is a sentence")
    func sentence() {
        let error = IllegalTransition(from: .completed, to: .running)
        #expect("\(error)" == "a task that is completed cannot become running")
    }
}

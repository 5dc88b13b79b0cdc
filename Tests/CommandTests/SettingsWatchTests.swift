import Billing
import Foundation
import Logging
import ServiceSettings
import Storage
import Synchronization
import Testing

@testable import selextract_billing

/// Two instances with different settings: the later start holds, and both say so.
@Suite struct SettingsWatchTests {
    private static func stored(_ revision: Int, _ policy: BillingPolicy, rules: Int = BillingPolicy.rulesVersion)
        -> StoredSettings
    {
        StoredSettings(
            revision: revision, policy: policy, rules: rules, changedAt: Date(timeIntervalSince1970: 0),
            changedBy: "the other")
    }

    /// The lines that a watch logs with these settings of its own.
    private func lines(own: BillingPolicy, _ body: (SettingsWatch) -> Void) -> [String] {
        let lines = Lines()
        let logger = Logger(label: "test") { label in
            RecordLogHandler(label: label) { record in lines.add(record.line(as: .json)) }
        }
        body(SettingsWatch(own: own, logger: logger))
        return lines.all
    }

    @Test("Who runs hears once of each change that another instance brought")
    func running() {
        let own = BillingPolicy()
        let other = BillingPolicy(refundUnits: .take)
        let told = lines(own: own) { watch in
            watch.look(at: nil)
            watch.look(at: Self.stored(2, own))
            for _ in 0..<3 { watch.look(at: Self.stored(3, other)) }
            watch.look(at: Self.stored(4, own))
            watch.look(at: Self.stored(5, other))
        }
        #expect(told.count == 2)
        for line in told {
            #expect(line.contains("another instance has started with other settings, and those hold"))
            #expect(line.contains(#""SELEXTRACT_REFUND_UNITS":"own keep, stored take""#))
            #expect(line.contains(#""host":"the other""#))
        }
    }

    @Test("Who starts says what held before, and when only the rules of the program are new")
    func starting() {
        let own = BillingPolicy(acceptance: Acceptance(storeID: "4242"))
        let told = lines(own: own) { watch in
            watch.adopted(instead: nil)
            watch.adopted(instead: Self.stored(2, BillingPolicy()))
            watch.adopted(instead: Self.stored(3, own, rules: 1))
        }
        #expect(told.count == 2)
        #expect(told[0].contains(#""LEMON_SQUEEZY_STORE_ID":"own 4242, before any""#))
        #expect(told[1].contains(#""rules":"own \#(BillingPolicy.rulesVersion), stored 1""#))
    }
}

private final class Lines: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }

    func add(_ line: String) { lines.withLock { $0.append(line) } }
}

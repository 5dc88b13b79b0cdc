import Accounts
import Foundation
import LemonSqueezyAPI
import ServiceSettings
import Storage

// A pass that was interrupted is remembered by the database, and the next goes on there. What it had read is not read
// again, but for what has come in since: a change of that, of which no delivery came either, is seen by the next whole
// pass. So only a short interruption is passed over.
extension ReconcilePass {
    /// Seconds; after this no pass is gone on with, however short its last interruption was.
    private static let longest: TimeInterval = 86_400

    /// Takes in all that the lists show, or what an earlier pass had left.
    ///
    /// - Parameter mode: of the key.
    /// - Returns: what was found from there on, and when the pass began that was gone on with.
    func takeAll(
        _ observations: Observations, mode: String
    ) async throws -> (report: Observations.Report, resumed: Date?) {
        let scope = "\(settings.storeID ?? "*") \(mode)"
        let (stored, now) = try await store.reading(scope)
        var (progress, beganAt, resumed): (ReadingProgress, Date, Date?) = (ReadingProgress(), now, nil)
        if let stored, let longestInterruption, now.timeIntervalSince(stored.readAt) <= longestInterruption,
            now.timeIntervalSince(stored.beganAt) <= Self.longest, stored.covers(since),
            let earlier = try? JSONDecoder().decode(ReadingProgress.self, from: Data(stored.progress.utf8))
        {
            (progress, beganAt, resumed) = (earlier, stored.beganAt, stored.beganAt)
        }
        var report = Observations.Report()
        let reading = Reconciliation(api: api, storeID: settings.storeID, since: since)
        try await reading.run(from: progress) { progress in
            let json = String(decoding: try JSONEncoder().encode(progress), as: UTF8.self)
            try await store.remember(json, of: scope, beganAt: beganAt, since: since)
        } _: {
            report.add(try await observations.take($0))
        }
        try await store.forgetReading(scope)
        return (report, resumed)
    }
}

extension StoredReading {
    /// Whether all that is wanted was read.
    fileprivate func covers(_ wanted: Date?) -> Bool {
        guard let since else { return true }
        return wanted.map { since <= $0 } ?? false
    }
}

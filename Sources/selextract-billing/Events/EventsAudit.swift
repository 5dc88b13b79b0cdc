import ArgumentParser
import Billing
import Databases
import Foundation
import LemonSqueezy
import ServiceSettings
import Storage

struct EventsAudit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Verifies the signatures of all events that came by webhook over their stored bytes.",
        discussion: """
            Those of secrets that are not set any more cannot be verified, and are counted as such; erased ones have no \
            bytes. Exits with 1 if an event's bytes are not those that were stored, or its row cannot be read.
            """)

    @OptionGroup var output: OutputOptions

    private struct Report: Sendable {
        var valid = 0
        var otherSecret = 0
        var erased = 0
        var changed: [UUID] = []
        var unreadable: [UnreadableRow] = []
    }

    func run() async throws {
        let report = try await withStore { store, settings in
            let secrets = try settings.signingSecrets()
            var (report, last) = (Report(), 0)
            while true {
                let (rows, end) = try await store.transaction { [last] in try await $0.inbox(after: last, limit: 500) }
                guard let end else { return report }
                last = end
                report.unreadable += rows.unreadable
                let digests = try await store.digests(of: rows.map(\.id))
                for row in rows where row.delivery.source == .webhook {
                    if row.isErased {
                        report.erased += 1
                    } else if digests[row.id] != SHA256.digest(row.delivery.body) {
                        report.changed.append(row.id)
                    } else if let signature = row.delivery.signature,
                        Signature.verify([signature], body: row.delivery.body, secrets: secrets) != nil
                    {
                        report.valid += 1
                    } else {
                        report.otherSecret += 1
                    }
                }
            }
        }
        try output.print {
            $0.value("valid", Cell(report.valid))
            $0.value("other_secret", Cell(report.otherSecret))
            $0.value("erased", Cell(report.erased))
            $0.value("changed", .list(report.changed.map(\.text)))
            $0.note(
                "\(report.valid) valid, \(report.otherSecret) signed with a secret that is not set, \(report.erased) erased, "
                    + "\(report.changed.count) changed since they were stored")
            for id in report.changed { $0.note("The bytes of event \(id.text) are not those that were signed.") }
            $0.unreadable(report.unreadable)
        }
        if !report.changed.isEmpty || !report.unreadable.isEmpty { throw ExitCode.failure }
    }
}

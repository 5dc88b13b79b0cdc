import ArgumentParser
import Foundation
import Storage

struct EventsShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "An event; with --raw nothing but its exact bytes.")

    @Argument(help: "The event's id.")
    var id: UUID
    @Flag(help: "Print the body as it was delivered, byte for byte.")
    var raw = false
    @OptionGroup var output: OutputOptions

    func run() async throws {
        if raw {
            let (body, erasedAt) = try await withStore { store, _ in
                (try await store.eventBody(id), try await store.eventRecord(id)?.erasedAt)
            }
            if let erasedAt { throw Failure("the event's bytes were erased at \(erasedAt.formatted(.iso8601))") }
            guard let body else { throw StoreError.notFound("event “\(id.text)”") }
            try FileHandle.standardOutput.write(contentsOf: Data(body))
        } else {
            let event = try await withStore { store, _ in try await store.eventRecord(id) }
            guard let event else { throw StoreError.notFound("event “\(id.text)”") }
            try output.print {
                $0.record("event", Events.columns, event)
                if event.erasedAt != nil {
                    $0.note("What was personal in it is erased: the hash, ids, facts and times are all there is.")
                }
            }
        }
    }
}

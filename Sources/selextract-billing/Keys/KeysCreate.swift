import ArgumentParser
import Selextract
import Storage

struct KeysCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Creates an API key. Its text is shown this once, and stored nowhere.")

    @Argument(help: "The account: id or e-mail.")
    var who: String
    @Option(help: "What the key is for.")
    var name: String
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let new = try await withStore { store, _ in
            try await store.createKey(for: try await store.user(named: who).id, name: name)
        }
        try output.print {
            $0.record("key", Keys.columns, new.key)
            $0.value("text", .text(new.text.secret))
            $0.note("\(new.text.secret)\nKeep it: it is not shown again.")
        }
    }
}

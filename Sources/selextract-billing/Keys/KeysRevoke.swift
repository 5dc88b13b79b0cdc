import ArgumentParser
import Foundation
import Selextract
import Storage

struct KeysRevoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Revokes an API key, at once and for good.")

    @Argument(help: "The key's id.")
    var keyID: UUID
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let key = try await withStore { store, _ in try await store.revokeKey(keyID, of: nil) }
        try output.print { $0.record("key", Keys.columns, key) }
    }
}

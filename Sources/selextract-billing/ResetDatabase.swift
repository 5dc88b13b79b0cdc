import ArgumentParser
import ServiceSettings
import Storage

struct ResetDatabase: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "For development: drops all tables with all that is in them, and creates them anew.",
        discussion: """
            Refused without --yes, if ENVIRONMENT is production, and if an event of live mode is stored: then nothing is \
            dropped.
            """)

    @Flag(help: "Really do it.")
    var yes = false

    mutating func validate() throws {
        guard yes else { throw ValidationError("This drops everything that is stored: say --yes.") }
    }

    func run() async throws {
        let settings = try Settings.load()
        if settings.isProduction { throw Failure("ENVIRONMENT is production: nothing is dropped") }
        try await withStore(settings, use: .create) { store, _ in try await store.reset() }
        print("The database is empty.")
    }
}

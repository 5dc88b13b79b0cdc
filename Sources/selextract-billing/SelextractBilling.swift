import ArgumentParser
import Foundation

/// The program: its commands in the order in which `--help` lists them. Each group of subcommands is a file or a folder of
/// its name.
@main
struct SelextractBilling: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "selextract-billing",
        abstract: "Receives Lemon Squeezy's webhooks and keeps accounts, plans and compute units.",
        discussion: "Settings come from environment variables, then from the file .env; `serve --help` names them.",
        version: "0.1.0",
        subcommands: [
            Serve.self,
            Migrate.self,
            ValidateSchema.self,
            Replay.self,
            Plans.self,
            Users.self,
            Subscriptions.self,
            Keys.self,
            Tasks.self,
            Events.self,
            Explain.self,
            Rebuild.self,
            Tick.self,
            Stats.self,
            Vacuum.self,
            ResetDatabase.self,
            Demo.self,
        ],
        defaultSubcommand: Serve.self
    )

    /// As the library's own `main`, but an error is one sentence, whatever its cause.
    static func main() async {
        do {
            var command = try parseAsRoot(UsersAdjust.movingUnits(Array(CommandLine.arguments.dropFirst())))
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch  where exitCode(for: error).isSuccess {
            exit(withError: error)  // --help and --version: printed on the standard output.
        } catch {
            let code = exitCode(for: error)
            // A command that has said all there is to say throws just the code.
            if !(error is ExitCode) {
                var sentence = message(for: error).split(whereSeparator: \.isNewline).joined(separator: " ")
                if code == .validationFailure { sentence += " (--help tells more)" }
                FileHandle.standardError.write(Data("selextract-billing: \(sentence.printable)\n".utf8))
            }
            Foundation.exit(code.rawValue)
        }
    }
}

/// Why a command failed, as one sentence.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

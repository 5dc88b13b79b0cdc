import ArgumentParser
import Foundation
import ServiceSettings

/// Where the process begins. Its first act must come before Swift's queues exist, so this is not asynchronous.
@main
enum Main {
    static func main() {
        StandardDescriptors.open()
        Task.detached {
            await SelextractBilling.main()
            Foundation.exit(EXIT_SUCCESS)
        }
        // The main thread has nothing to do. It must not end: on Linux the process would look like a zombie.
        while true { pause() }
    }
}

/// The program: its commands in the order in which `--help` lists them. Each group of subcommands is a file or a folder of
/// its name.
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
            Doctor.self,
            Webhook.self,
            Reconcile.self,
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
                LogWriter.standardError.write("selextract-billing: \(sentence.printable)\n")
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

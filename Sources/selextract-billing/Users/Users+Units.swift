import ArgumentParser
import Billing
import ServiceSettings
import Selextract
import Storage

struct UsersAdjust: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adjust",
        abstract: "Gives an account compute units, or takes some, in its present month; the ledger says so.",
        discussion: "For example: users adjust ada@example.com -50 --reason mistake")

    @Argument(help: "The account: id or e-mail.")
    var who: String
    @Argument(help: "Compute units: positive to give, negative to take.")
    var units: Int
    @Option(help: "Why, for the record.")
    var reason: String
    @OptionGroup var output: OutputOptions

    mutating func validate() throws {
        guard units != 0, (-1_000_000_000...1_000_000_000).contains(units) else {
            throw ValidationError("UNITS must be a number other than 0, at most 1000000000.")
        }
        if reason.isEmpty { throw ValidationError("--reason must say why.") }
    }

    /// A number below zero is an option to the parser. It goes to the end, behind `--`, where everything is an argument.
    ///
    /// - Parameter arguments: of the whole program; those of other commands stay as they are.
    static func movingUnits(_ arguments: [String]) -> [String] {
        guard arguments.starts(with: ["users", "adjust"]), !arguments.contains("--"),
            let units = arguments.indices.last(where: { index in
                // Not what stands where an option's value belongs: `--reason -5` lacks one.
                arguments[index].prefixMatch(of: #/-[0-9]/#) != nil
                    && arguments[index - 1].prefixMatch(of: #/--[^=]*$/#) == nil
            })
        else { return arguments }
        var moved = arguments
        moved.remove(at: units)
        return moved + ["--", arguments[units]]
    }

    func run() async throws {
        let user = try await withStore(use: .decide) { store, settings in
            let user = try await store.user(named: who)
            _ = try await store.adjust(user.id, units: units, reason: reason, policy: settings.policy)
            return try await store.user(id: user.id)
        }
        try output.print { $0.record("user", Users.columns, user) }
    }
}

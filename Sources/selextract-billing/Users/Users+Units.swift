import Accounts
import ArgumentParser
import Billing
import Foundation
import Selextract
import ServiceSettings
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

    /// The program's arguments, with the units of `users adjust` behind `--` if they are below zero: the parser takes
    /// `-50` for an option anywhere else. Those of other commands stay as they are.
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

struct UsersGrant: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grant",
        abstract:
            "Gives an account a plan that no event takes back; with --end ends all that were given and still run.",
        discussion: """
            users grant ada@example.com professional --until 2026-12-31T00:00:00Z --reason "beta tester"
            users grant ada@example.com --end

            It acts like a subscription of its own: its months begin at the moment of the grant, and of all that give \
            access the greatest plan counts.
            """)

    @Argument(help: "The account: id or e-mail.")
    var who: String
    @Argument(help: "The plan's id.")
    var plan: String?
    @Option(help: ArgumentHelp("When it ends, ISO-8601. (default: when it is ended)", valueName: "moment"))
    var until: Date?
    @Option(help: "Why, for the record.")
    var reason: String?
    @Flag(help: "End all granted plans of the account that run.")
    var end = false
    @OptionGroup var output: OutputOptions

    mutating func validate() throws {
        if end {
            guard plan == nil, until == nil else { throw ValidationError("--end takes neither PLAN nor --until.") }
        } else {
            guard plan != nil else { throw ValidationError("Name the PLAN to give, or say --end.") }
            guard reason?.isEmpty == false else { throw ValidationError("--reason must say why.") }
        }
    }

    func run() async throws {
        let (user, subscriptions) = try await withStore(use: .decide) { store, settings in
            let user = try await store.user(named: who)
            if let plan {
                try await store.grant(
                    plan, to: user.id, until: until, reason: reason ?? "", policy: settings.policy)
            } else {
                try await store.endGrants(of: user.id, reason: reason, policy: settings.policy)
            }
            let subscriptions = try await store.primary.subscriptions(user: user.id, limit: 100, before: nil)
            return (try await store.user(id: user.id), subscriptions.filter { $0.source == .granted })
        }
        try output.print {
            $0.record("user", Users.columns, user)
            $0.list("granted", Subscriptions.columns.filter { $0.key != "user_id" }, subscriptions)
        }
    }
}

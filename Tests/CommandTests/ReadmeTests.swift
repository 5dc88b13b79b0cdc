import Foundation
import TestSupport
import Testing

/// The README, and the pages it leads to, say what the program says.
@Suite(.timeLimit(.minutes(15)))
struct ReadmeTests {
    private let readme: String
    private let operating: String

    init() throws {
        readme = try Self.page("README.md")
        operating = try Self.page("Sources/Billing/Billing.docc/Operating.md")
    }

    @Test("The page for operators documents each setting of serve --help and no other, the README none but these")
    func settings() async throws {
        let help = try await Program().run("serve", "--help").text
        let named = Set(
            help.matches(of: #/(?m)^  ([A-Z][A-Z_]+) \[/#).map { String($0.output.1) }.filter { $0 != "SETTINGS" })
        #expect(named.count >= 20)
        func documented(_ page: String) throws -> Set<String> {
            let rows = try Self.section("Settings", of: page).split(separator: "\n").filter { $0.hasPrefix("| `") }
            return Set(
                rows.flatMap { $0.split(separator: "|")[0].matches(of: #/`([A-Z_]+)`/#) }.map { String($0.output.1) })
        }
        #expect(try documented(operating) == named)
        let few = try documented(readme)
        #expect(few.count >= 5 && few.isSubset(of: named))
    }

    @Test("The page for operators documents each command, the README some, and each option that they name exists")
    func commands() async throws {
        let program = try Program()
        var known: Set<String> = []
        for name in try await subcommands(program, []) {
            let inner = try await subcommands(program, [name])
            known.formUnion(inner.isEmpty ? [name] : inner.map { "\(name) \($0)" })
        }
        func documented(_ page: String) async throws -> Set<String> {
            var documented: Set<String> = []
            for row in try Self.section("Commands", of: page).matches(
                of: #/(?m)^\| `([a-z][a-z -]*)[^`]*`[^|]*\| (.*) \|$/#)
            {
                let name = row.output.1.trimmingCharacters(in: .whitespaces)
                documented.insert(name)
                let help = try await program.run(name.split(separator: " ").map(String.init) + ["--help"]).text
                for option in row.output.2.matches(of: #/`(--[a-z-]+)/#) {
                    #expect(help.contains(option.output.1), "\(name) has no \(option.output.1)")
                }
            }
            return documented
        }
        #expect(try await documented(operating) == known)
        let few = try await documented(readme)
        #expect(few.count >= 5 && few.isSubset(of: known))
    }

    @Test("Each page that the README leads to is there")
    func links() {
        let targets = readme.matches(of: #/\]\(([^):#]+)[)#]/#).map { String($0.output.1) }
        #expect(targets.count >= 5)
        for target in targets { #expect(Self.exists(target), "\(target)") }
    }

    @Test("Each file and each suite that the rules name is there")
    func rules() throws {
        let rules = try Self.page("Sources/Billing/Billing.docc/Rules.md")
        let files = rules.matches(of: #/`([\w+\/.-]+\.(?:swift|sql))`/#).map { String($0.output.1) }
        #expect(files.count >= 80)
        for file in files { #expect(Self.exists(file) || Self.exists("Sources/\(file)"), "\(file)") }
        let suites = rules.matches(of: #/`(\w+Tests\/\w+)/#).map { String($0.output.1) }
        #expect(suites.count >= 80)
        for suite in suites { #expect(Self.exists("Tests/\(suite).swift"), "\(suite)") }
    }

    @Test("The commands to try are word for word what works")
    func tryIt() async throws {
        let block = try #require(readme.split(separator: "## Try it").last?.split(separator: "\n## ").first)
        let commands = block.split(separator: "\n").filter { $0.hasPrefix("    .build/debug/selextract-billing ") }
            .map { $0.split(separator: " ").dropFirst().map(String.init) }
        try #require(commands.count == 4)
        let program = try Program()
        try FileManager.default.createSymbolicLink(
            at: program.folder.appendingPathComponent("fixtures"),
            withDestinationURL: Repository.root.appendingPathComponent("fixtures"))
        try await program.serve { url in
            var texts: [String] = []
            for command in commands {
                let arguments = command[0] == "replay" ? command + ["--url", url] : command
                let finished = try await program.run(arguments)
                #expect(finished.status == 0)
                texts.append(finished.text)
            }
            for outcome in ["applied", "ignored", "unchanged"] { #expect(texts[1].contains(outcome)) }
            #expect(texts[2].contains("starter") && texts[2].contains("1000"))
            #expect(texts[3].contains("subscription_created"))
        }
    }

    @Test("The sample is a whole program, word for word, and does what it says", arguments: DatabaseKind.allCases)
    func sample(_ kind: DatabaseKind) async throws {
        let block = try #require(readme.split(separator: "```swift\n").dropFirst().first?.split(separator: "```").first)
        let file = Repository.root.appendingPathComponent("Tests/Sample/main.swift")
        #expect(try String(contentsOf: file, encoding: .utf8) == block)
        try await kind.withDatabaseURL(migrated: false) { url in
            let sample = try Program(["DATABASE_URL": url], name: "Sample")
            let finished = try await sample.run()
            #expect(finished.errors == "")
            let said = """
                offers is completed, and cost 1 unit
                99 of 100 units are left
                today: 1 task, 1 unit

                """
            #expect(finished.text == said)
            // And this is shown of it.
            #expect(readme.contains(said.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n")))
            let shown = try await Program(["DATABASE_URL": url]).json("users", "show", "ada@example.com")
            #expect(shown["user"]["compute_units_remaining"].number == 99)
            #expect(shown["ledger"].rows.map { $0["units"].number } == [100, -1])
        }
    }

    private static func page(_ path: String) throws -> String {
        try String(contentsOf: Repository.root.appendingPathComponent(path), encoding: .utf8)
    }

    private static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: Repository.root.appendingPathComponent(path).path)
    }

    /// What stands under a heading of the second rank.
    private static func section(_ heading: String, of page: String) throws -> Substring {
        let rest = try #require(page.split(separator: "\n## \(heading)\n").dropFirst().first)
        return try #require(rest.split(separator: "\n## ").first)
    }

    private func subcommands(_ program: Program, _ path: [String]) async throws -> [String] {
        let help = try await program.run(path + ["--help"]).text
        guard let list = help.split(separator: "SUBCOMMANDS:\n").dropFirst().first else { return [] }
        return list.matches(of: #/(?m)^  ([a-z][a-z-]*)/#).map { String($0.output.1) }
            .filter { $0 != "help" }
    }
}

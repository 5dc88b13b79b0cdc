import Foundation
import TestSupport
import Testing

/// The README says what the program says.
@Suite(.timeLimit(.minutes(15)))
struct ReadmeTests {
    private let readme: String

    init() throws {
        readme = try String(contentsOf: Repository.root.appendingPathComponent("README.md"), encoding: .utf8)
    }

    @Test("Each setting of serve --help is documented, and no other")
    func settings() async throws {
        let help = try await Program().run("serve", "--help").text
        let named = Set(
            help.matches(of: #/(?m)^  ([A-Z][A-Z_]+) \[/#).map { String($0.output.1) }.filter { $0 != "SETTINGS" })
        #expect(named.count >= 20)
        let table = try #require(readme.split(separator: "## Settings").last?.split(separator: "## Commands").first)
        let documented = Set(
            table.split(separator: "\n").filter { $0.hasPrefix("| `") }
                .flatMap { $0.split(separator: "|")[0].matches(of: #/`([A-Z_]+)`/#) }.map { String($0.output.1) })
        #expect(documented == named)
    }

    @Test("Each command is documented, and each option that the README names exists")
    func commands() async throws {
        let program = try Program()
        var known: Set<String> = []
        for name in try await subcommands(program, []) {
            let inner = try await subcommands(program, [name])
            known.formUnion(inner.isEmpty ? [name] : inner.map { "\(name) \($0)" })
        }
        let rows = readme.matches(of: #/(?m)^\| `([a-z][a-z -]*)[^`]*`[^|]*\| (.*) \|$/#)
        var documented: Set<String> = []
        for row in rows {
            let name = row.output.1.trimmingCharacters(in: .whitespaces)
            guard known.contains(name) || !name.contains("_") else { continue }
            documented.insert(name)
            let help = try await program.run(name.split(separator: " ").map(String.init) + ["--help"]).text
            for option in row.output.2.matches(of: #/`(--[a-z-]+)/#) {
                #expect(help.contains(option.output.1), "\(name) has no \(option.output.1)")
            }
        }
        #expect(documented == known)
    }

    @Test("The commands to try are word for word what works")
    func tryIt() async throws {
        let block = try #require(readme.split(separator: "## Try it").last?.split(separator: "\n## ").first)
        let commands = block.split(separator: "\n").filter { $0.hasPrefix("    .build/debug/selextract-billing ") }
            .map { $0.split(separator: " ").dropFirst().map(String.init) }
        #expect(commands.count == 3)
        let program = try Program()
        try FileManager.default.createSymbolicLink(
            at: program.folder.appendingPathComponent("fixtures"),
            withDestinationURL: Repository.root.appendingPathComponent("fixtures"))
        try await program.serve { url in
            var last = ""
            for command in commands {
                let arguments = command[0] == "replay" ? command + ["--url", url] : command
                let finished = try await program.run(arguments)
                #expect(finished.status == 0)
                last = finished.text
            }
            #expect(last.contains("starter"))
            #expect(last.contains("1000"))
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

    private func subcommands(_ program: Program, _ path: [String]) async throws -> [String] {
        let help = try await program.run(path + ["--help"]).text
        guard let list = help.split(separator: "SUBCOMMANDS:\n").dropFirst().first else { return [] }
        return list.matches(of: #/(?m)^  ([a-z][a-z-]*)/#).map { String($0.output.1) }
            .filter { $0 != "help" }
    }
}

import Foundation
import Testing

@Suite(.timeLimit(.minutes(15)))
struct UsageTests {
    @Test(
        "Wrong usage is one sentence and exit code 64",
        arguments: [
            ["bogus"], ["--bogus"], ["replay"], ["replay", "x", "--concurrency", "0"],
            ["replay", "x", "--url", "ftp://x"],
            ["replay", "x", "--repeat", "0"], ["plans", "map", "starter"], ["plans", "map", "starter", "Yearly"],
            ["plans", "set", "starter"], ["plans", "set", "starter", "--units", "-1"], ["users", "create", "nobody"],
            ["users", "create", "a@b", "--id", "7"], ["users", "list", "--limit", "0"],
            ["users", "list", "--before", "x"],
            ["users", "list", "--format", "xml"], ["events", "list", "--outcome", "fine"], ["events", "show", "7"],
            ["events", "retry"], ["migrate", "--sql", "--status"],
        ])
    func usage(_ arguments: [String]) async throws {
        let program = try Program()
        let finished = try await program.run(arguments)
        #expect(finished.status == 64)
        #expect(finished.output.isEmpty)
        #expect(!finished.sentence.isEmpty)
    }

    @Test("Help and version are printed on the standard output", arguments: ["--help", "--version"])
    func help(_ option: String) async throws {
        let finished = try await Program().run(option)
        #expect(finished.status == 0)
        #expect(finished.errors.isEmpty)
        #expect(!finished.output.isEmpty)
    }

    @Test("Without a secret nothing is served, and nothing can be signed")
    func noSecret() async throws {
        let program = try Program(["LEMON_SQUEEZY_WEBHOOK_SECRET": nil])
        let served = try await program.run("serve")
        #expect(served.status == 1)
        #expect(served.sentence.hasPrefix("LEMON_SQUEEZY_WEBHOOK_SECRET must be set"))
        let file = program.folder.appendingPathComponent("payload.json")
        try Data("{}".utf8).write(to: file)
        let replayed = try await program.run("replay", file.path)
        #expect(replayed.status == 1)
        #expect(replayed.sentence.contains("--secret-file"))
    }

    @Test("A secret with quotes around it is refused at the start, and not shown")
    func quotedSecret() async throws {
        let program = try Program(["LEMON_SQUEEZY_WEBHOOK_SECRET": nil])
        let environment = program.folder.appendingPathComponent(".env")
        try Data("LEMON_SQUEEZY_WEBHOOK_SECRET=\"hunter2\"\n".utf8).write(to: environment)
        let served = try await program.run("serve")
        #expect(served.status == 1)
        #expect(served.sentence.hasPrefix("LEMON_SQUEEZY_WEBHOOK_SECRET must be given without the quotes around it"))
        try FileManager.default.removeItem(at: environment)
        let file = program.folder.appendingPathComponent("secret")
        try Data("hunter2 \n".utf8).write(to: file)
        let payload = Repository.root.appendingPathComponent("fixtures/events/order_created.json").path
        let replayed = try await program.run("replay", "--secret-file", file.path, "--url", "http://[::1]:1", payload)
        #expect(replayed.status == 1)
        #expect(replayed.sentence.hasPrefix("the secret in “\(file.path)” must be given without the blank"))
        #expect(!(served.errors + replayed.errors).contains("hunter2"))
    }

    @Test("A setting that is wrong is named, and its value is not")
    func wrongSetting() async throws {
        let program = try Program(["PORT": "seventy-thousand"])
        let served = try await program.run("serve")
        #expect(served.status == 1)
        #expect(served.sentence == "PORT must be a whole number from 0 to 65535")
        let database = try Program(["DATABASE_URL": "mysql://ada:hunter2@db/x"])
        let listed = try await database.run("users", "list")
        #expect(listed.status == 1)
        #expect(listed.sentence.hasPrefix("DATABASE_URL must be "))
        #expect(!listed.errors.contains("hunter2"))
    }

    @Test("The settings are read from .env, too, and the environment goes before it")
    func environmentFile() async throws {
        let program = try Program(["LEMON_SQUEEZY_WEBHOOK_SECRET": nil, "DATABASE_URL": nil])
        try Data("LEMON_SQUEEZY_WEBHOOK_SECRET=from the file\nPORT=70000\n".utf8)
            .write(to: program.folder.appendingPathComponent(".env"))
        try await program.serve { url in
            let payload = Repository.root.appendingPathComponent("fixtures/events/order_created.json").path
            let replayed = try await program.run("replay", "--url", url, payload)
            #expect(replayed.status == 0)
        }
        #expect(
            FileManager.default.fileExists(atPath: program.folder.appendingPathComponent("selextract.sqlite3").path))
    }

    @Test("A schema that is not up to date is refused with --no-migrate")
    func noMigrate() async throws {
        let program = try Program()
        let served = try await program.run("serve", "--no-migrate")
        #expect(served.status == 1)
        #expect(served.sentence == "the schema is not up to date: run `migrate`")
        _ = try await program.run("migrate")
        try await program.serve("--no-migrate") { _ in }
    }

    @Test("Payloads that cannot be read are named")
    func payloads() async throws {
        let program = try Program()
        let missing = try await program.run("replay", "nowhere.json")
        #expect(missing.status == 1)
        #expect(missing.sentence == "there is no file or folder “nowhere.json”")
        try FileManager.default.createDirectory(
            at: program.folder.appendingPathComponent("empty"), withIntermediateDirectories: false)
        let empty = try await program.run("replay", "empty")
        #expect(empty.status == 1)
        #expect(empty.sentence == "there are no .json files in empty")
    }

    @Test("What a stranger wrote cannot steer the terminal")
    func controlCharacters() async throws {
        let program = try Program()
        let refused = try await program.run("replay", "\u{1B}[2Jx")
        #expect(refused.sentence == #"there is no file or folder “\u{1B}[2Jx”"#)
    }
}

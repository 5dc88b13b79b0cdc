import Foundation
import LemonSqueezy
import LemonSqueezyStandIn
import Payloads
import TestSupport
import Testing

/// `webhook create`, `show` and `rotate`, against processes of the program and a stand-in for Lemon Squeezy.
@Suite(.timeLimit(.minutes(15)))
struct WebhookCommandTests {
    private static let user = UUID()

    private func delivery(_ number: Int) -> [UInt8] {
        var subscription = ProviderSubscription(
            userID: Self.user, createdAt: .utc("2026-10-12 09:30:04"), renewsAt: .utc("2026-11-12 09:30:01"))
        return subscription.event("subscription_updated", delivery: number)
    }

    private func send(_ body: [UInt8], to url: String, secret: String) async throws -> Int {
        let port = try #require(url.split(separator: ":").last.flatMap { Int($0) })
        return try await HTTPClient(port: port).send(
            "POST", "/webhooks/lemon-squeezy", headers: [("X-Signature", Signature.sign(body, secret: secret))],
            body: body
        ).status
    }

    private func mode(_ file: URL) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int
    }

    @Test("From nothing: the webhook is made, doctor is content, and a purchase signed with its secret arrives")
    func fromNothing() async throws {
        let shop = try await Shop.open()
        let program = try Program(
            shop.settings.merging([
                "LEMON_SQUEEZY_WEBHOOK_SECRET": nil, "LEMON_SQUEEZY_WEBHOOK_SECRET_FILE": "secret",
            ]) { $1 })
        let file = program.folder.appendingPathComponent("secret")
        let made = try await program.run("webhook", "create")
        #expect(made.status == 0, "\(made.errors)")
        let secret = String(decoding: try Data(contentsOf: file), as: UTF8.self)
        #expect(secret.utf8.count == 40)
        #expect(try mode(file) == 0o600)
        #expect(shop.standIn.state.secrets.values.map(\.self) == [secret])
        #expect(!made.text.contains(secret) && !made.errors.contains(secret))
        let again = try await program.run("webhook", "create")
        #expect(again.status == 0 && again.text.contains("its secret was left as it is"), "\(again.errors)")
        let shown = try await program.json("webhook", "show")
        #expect(shown["webhooks"].rows.count == 1)
        #expect(shown["webhooks"][0]["events"].rows.count == 13)
        #expect(shown["webhooks"][0]["test_mode"].flag == true)

        _ = try await program.run("migrate")
        _ = try await program.json("users", "create", "ada@example.com", "--id", Self.user.uuidString)
        try await program.serve { url in
            let content = try await program.run("doctor")
            #expect(content.status == 0 && content.text.contains("no findings"), "\(content.text)")
            let right = try await send(delivery(1), to: url, secret: secret)
            let wrong = try await send(delivery(2), to: url, secret: "another-secret")
            #expect(right == 200 && wrong == 401)
        }
        let account = try await program.json("users", "show", "ada@example.com")
        #expect(account["user"]["subscription_tier"].text == "starter")
    }

    @Test("A file that exists is not written over, and a refusal leaves none behind")
    func refusals() async throws {
        let shop = try await Shop.open()
        let program = try Program(shop.settings)
        let file = program.folder.appendingPathComponent("secret")
        let unsaid = try await program.run("webhook", "create")
        #expect(unsaid.status == 1 && unsaid.sentence.contains("--secret-file PATH"))
        try Data("precious".utf8).write(to: file)
        let present = try await program.run("webhook", "create", "--secret-file", "secret")
        #expect(present.status == 1 && present.sentence.contains("exists already"))
        #expect(String(decoding: try Data(contentsOf: file), as: UTF8.self) == "precious")
        let elsewhere = try Program(shop.settings.merging(["LEMON_SQUEEZY_STORE_ID": "1"]) { $1 })
        let refused = try await elsewhere.run("webhook", "create", "--secret-file", "secret")
        #expect(refused.status == 1 && refused.sentence.contains("refused POST webhooks (422): The data is not valid."))
        #expect(!FileManager.default.fileExists(atPath: elsewhere.folder.appendingPathComponent("secret").path))
        let nowhere = try Program(shop.settings.merging(["LEMON_SQUEEZY_API_KEY": nil]) { $1 })
        #expect(try await nowhere.run("webhook", "show").sentence.contains("LEMON_SQUEEZY_API_KEY"))
    }

    @Test("A rotation under load refuses no delivery; the old secret ends with --finish")
    func rotation() async throws {
        let shop = try await Shop.open()
        shop.addWebhook()
        let program = try Program(
            shop.settings.merging([
                "LEMON_SQUEEZY_WEBHOOK_SECRET": nil, "LEMON_SQUEEZY_WEBHOOK_SECRET_FILE": "secret",
                "LEMON_SQUEEZY_WEBHOOK_SECRET_PREVIOUS_FILE": "previous",
            ]) { $1 })
        let file = program.folder.appendingPathComponent("secret")
        let first = "the-first-secret-of-all"
        try Data(first.utf8).write(to: file)
        try await program.serve { url in
            // As the provider does: with the secret that it has been told.
            let (stop, answers) = (StopSignal(), AnswerLog())
            let load = Task {
                var number = 0
                while await !stop.isSet {
                    number += 1
                    let secret = shop.standIn.state.secrets["77"] ?? first
                    await answers.add(try await send(delivery(number), to: url, secret: secret))
                }
            }
            let rotated = try await program.run("webhook", "rotate", "--url", url)
            #expect(rotated.status == 0, "\(rotated.errors)")
            let before = await answers.statuses.count
            try await eventually { await answers.statuses.count >= before + 20 }
            await stop.set()
            try await load.value
            let statuses = await answers.statuses
            #expect(statuses.count > 20 && statuses.allSatisfy { $0 == 200 })

            let second = String(decoding: try Data(contentsOf: file), as: UTF8.self)
            #expect(second != first && second.utf8.count == 40)
            #expect(shop.standIn.state.secrets["77"] == second)
            #expect(try mode(file) == 0o600)
            #expect(!rotated.text.contains(second) && !rotated.text.contains(first))
            // A repetition of before is still taken.
            #expect(try await send(delivery(100_001), to: url, secret: first) == 200)
            let twice = try await program.run("webhook", "rotate", "--url", url)
            #expect(twice.status == 1 && twice.sentence.contains("--finish"))
            let early = try await program.run("webhook", "rotate", "--finish")
            #expect(early.status == 1 && early.sentence.contains("signed with the previous secret"))
        }
    }

    @Test("Where serve does not accept the new secret, or Lemon Squeezy refuses it, everything is as before")
    func takenBack() async throws {
        let shop = try await Shop.open()
        shop.addWebhook()
        let settings = shop.settings.merging([
            "LEMON_SQUEEZY_WEBHOOK_SECRET": nil, "LEMON_SQUEEZY_WEBHOOK_SECRET_FILE": "secret",
            "LEMON_SQUEEZY_WEBHOOK_SECRET_PREVIOUS_FILE": "previous",
        ]) { $1 }
        let program = try Program(settings)
        let (file, previous) = (
            program.folder.appendingPathComponent("secret"), program.folder.appendingPathComponent("previous")
        )
        try Data("the-first-secret".utf8).write(to: file)
        func expectAsBefore() throws {
            #expect(String(decoding: try Data(contentsOf: file), as: UTF8.self) == "the-first-secret")
            #expect(!FileManager.default.fileExists(atPath: previous.path))
            #expect(shop.standIn.state.secrets.isEmpty)
        }
        let nobody = try await program.run("webhook", "rotate", "--url", "http://127.0.0.1:1")
        #expect(nobody.status == 1 && nobody.sentence.contains("does not accept the new secret"))
        try expectAsBefore()
        try await program.serve { url in
            shop.standIn.change { $0.refusesChanges = true }
            let refused = try await program.run("webhook", "rotate", "--url", url)
            #expect(refused.status == 1 && refused.sentence.contains("nothing was changed"), "\(refused.errors)")
            try expectAsBefore()
            shop.standIn.change { $0.refusesChanges = false }
            // No answer: both are kept, and the same secret is told again.
            shop.standIn.change { $0.failsChanges = true }
            let doubtful = try await program.run("webhook", "rotate", "--url", url)
            #expect(doubtful.status == 1 && doubtful.sentence.contains("--again"), "\(doubtful.errors)")
            #expect(String(decoding: try Data(contentsOf: previous), as: UTF8.self) == "the-first-secret")
            shop.standIn.change { $0.failsChanges = false }
            let secret = String(decoding: try Data(contentsOf: file), as: UTF8.self)
            let again = try await program.run("webhook", "rotate", "--again", "--url", url)
            #expect(again.status == 0, "\(again.errors)")
            #expect(shop.standIn.state.secrets["77"] == secret)
            #expect(try await send(delivery(1), to: url, secret: secret) == 200)
            let ended = try await program.run("webhook", "rotate", "--finish")
            #expect(ended.status == 0, "\(ended.errors)")
            try await eventually { try await send(delivery(2), to: url, secret: "the-first-secret") == 401 }
        }
    }
}

private actor StopSignal {
    private(set) var isSet = false
    func set() { isSet = true }
}

private actor AnswerLog {
    private(set) var statuses: [Int] = []
    func add(_ status: Int) { statuses.append(status) }
}

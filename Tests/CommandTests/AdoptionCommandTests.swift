import Foundation
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(15)))
struct AdoptionCommandTests {
    @Test("Another program's database is refused, tried, taken over, and told about")
    func adoption() async throws {
        try await DatabaseKind.postgreSQL.withDatabase(migrated: false) { database in
            try await database.execute(CreateAll.tables + CreateAll.rows)
            let program = try Program(["DATABASE_URL": database.url])
            let refused = try await program.run("migrate")
            #expect(refused.status == 1)
            #expect(refused.sentence.contains("`migrate --adopt` takes them over"))
            let tried = try await program.run("migrate", "--adopt", "--dry-run")
            #expect(tried.status == 0)
            #expect(tried.errors.isEmpty)
            #expect(tried.text.contains("Nothing was changed: without --dry-run, this is done."))
            #expect(try await program.run("migrate").status == 1)

            let done = try await program.json("migrate", "--adopt")
            #expect(done["refused"].rows.isEmpty)
            #expect(done["subscriptions"].rows.count == 8)
            #expect(done["subscriptions"].rows.last?["account"].text == "friend@example.com")
            #expect(try await program.run("validate-schema").status == 0)
            #expect(try await program.run("events", "audit").status == 0)
            let story = try await program.run("explain", "active@example.com").text
            #expect(story.contains("R21 taken over from another program's row: professional from "))
            #expect(story.contains("300 units left"))

            let granted = try await program.run(
                "subscriptions", "adopt", "00000000-0000-4000-8000-000000000900")
            #expect(granted.text.hasPrefix("taken over: professional, granted"))
            let again = try await program.run("subscriptions", "adopt", "920000")
            #expect(again.status == 1)
            #expect(again.sentence.hasPrefix("there is nothing to take over"))
        }
    }

    @Test("Refused rows are listed with what would be done, and end with 1")
    func refusals() async throws {
        try await DatabaseKind.postgreSQL.withDatabase(migrated: false) { database in
            try await database.execute(
                CreateAll.tables + CreateAll.rows + "update users set compute_units_remaining = -1 where email < 'b'")
            let program = try Program(["DATABASE_URL": database.url])
            let refused = try await program.run("migrate", "--adopt")
            #expect(refused.status == 1)
            #expect(refused.text.contains("compute_units_remaining is less than 0"))
            #expect(refused.text.contains(CreateAll.user(0)))
            #expect(refused.text.contains("Nothing was changed: with --mend, what is listed is done."))
            #expect(try await program.run("migrate", "--adopt", "--mend").status == 0)
            #expect(try await program.run("validate-schema").status == 0)
        }
    }

    @Test("The flags of a take-over belong to it")
    func usage() async throws {
        let program = try Program()
        for arguments in [["--mend"], ["--dry-run"], ["--grants"], ["--adopt", "--sql"], ["--adopt", "--status"]] {
            #expect(try await program.run(["migrate"] + arguments).status == 64)
        }
    }
}

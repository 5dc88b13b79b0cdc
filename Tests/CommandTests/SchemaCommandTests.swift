import Foundation
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(15)))
struct SchemaCommandTests {
    @Test("A schema that is as expected is said to be so, and damage is listed", arguments: DatabaseKind.allCases)
    func validate(kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            let program = try Program(["DATABASE_URL": database.url])
            let sound = try await program.run("validate-schema")
            #expect(sound.status == 0)
            #expect(sound.text == "The schema is as expected.\n")
            try await database.execute("drop index idx_users_email; create table invoices (id integer)")
            let damaged = try await program.run("validate-schema")
            #expect(damaged.status == 1)
            #expect(damaged.errors.isEmpty)
            #expect(damaged.text == "index idx_users_email is missing\n\nnote: table invoices is not this program's\n")
            let json = try await program.run("validate-schema", "--format", "json")
            #expect(json.status == 1)
            let report = JSON(try JSONSerialization.jsonObject(with: Data(json.output)))
            #expect(report["differences"].rows.count == 1)
            #expect(report["differences"][0]["kind"].text == "index")
            #expect(report["differences"][0]["table"].text == "users")
            #expect(report["differences"][0]["name"].text == "idx_users_email")
            #expect(report["differences"][0]["problem"].text == "missing")
            #expect(report["differences"][0]["sentence"].text == "index idx_users_email is missing")
            #expect(report["notes"].rows.map(\.text) == ["table invoices is not this program's"])
        }
    }

    @Test("A damaged record of migrations is listed, too", arguments: DatabaseKind.allCases)
    func validateRecord(kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            let program = try Program(["DATABASE_URL": database.url])
            try await database.execute("alter table schema_migrations drop column applied_at")
            let damaged = try await program.run("validate-schema")
            #expect(damaged.status == 1)
            #expect(damaged.errors.isEmpty)
            #expect(damaged.text == "column schema_migrations.applied_at is missing\n")
        }
    }

    @Test("The SQL that migrate prints does what migrate does, and records it", arguments: DatabaseKind.allCases)
    func printed(kind: DatabaseKind) async throws {
        try await kind.withDatabase(migrated: false) { database in
            let program = try Program(["DATABASE_URL": database.url])
            try await database.execute(try await program.run("migrate", "--sql").text)
            #expect(try await program.run("migrate").text == "The schema is up to date.\n")
            #expect(try await program.run("migrate", "--sql").output.isEmpty)
            #expect(try await program.run("validate-schema").status == 0)
            let checksums = try await database.values("select checksum from schema_migrations")
            #expect(checksums.count > 1 && checksums.allSatisfy { $0.count == 64 })
        }
    }

    @Test("What migrate would refuse is said with the list, too", arguments: DatabaseKind.allCases)
    func refused(kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            let program = try Program(["DATABASE_URL": database.url])
            try await database.execute("update schema_migrations set checksum = '00' where version = 1")
            let sentence = "migration 1 (init) was changed after it had been applied"
            let status = try await program.run("migrate", "--status")
            #expect((status.status, status.sentence) == (1, sentence))
            #expect(status.text.contains("init"))
            for arguments in [["migrate", "--sql"], ["migrate"], ["users", "list"]] {
                let refused = try await program.run(arguments)
                #expect((refused.status, refused.sentence) == (1, sentence))
                #expect(refused.output.isEmpty)
            }
        }
    }

    @Test("Rows are counted and space is given free", arguments: DatabaseKind.allCases)
    func counts(kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            let program = try Program(["DATABASE_URL": database.url])
            for name in ["ada", "bob"] { _ = try await program.json("users", "create", "\(name)@example.com") }
            let stats = try await program.json("stats")
            #expect(stats["tables"].rows.first { $0["table"].text == "users" }?["rows"].number == 2)
            let tiers = stats["shares"].rows.filter { $0["column"].text == "subscription_tier" }
            #expect(tiers.map { $0["value"].text } == ["free"])
            #expect(tiers.first?["rows"].number == 2)
            #expect(stats["size_bytes"].number ?? 0 > 0)
            let text = try await program.run("stats").text
            #expect(text.contains(#/(?m)^subscription_plans +4$/#))
            let vacuumed = try await program.json("vacuum")
            #expect(vacuumed["size_bytes_after"].number ?? 0 > 0)
            #expect(try await program.run("vacuum").text.hasPrefix("The database's size was "))
        }
    }

    @Test("A database is reset only in development, and only if asked for", arguments: DatabaseKind.allCases)
    func reset(kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            let program = try Program(["DATABASE_URL": database.url])
            _ = try await program.json("users", "create", "ada@example.com")
            let hasty = try await program.run("reset-database")
            #expect(hasty.status == 64)
            #expect(hasty.sentence.hasPrefix("This drops everything that is stored: say --yes."))
            let production = try await Program(["DATABASE_URL": database.url, "ENVIRONMENT": "production"])
                .run("reset-database", "--yes")
            #expect(production.status == 1)
            #expect(production.sentence == "ENVIRONMENT is production: nothing is dropped")
            #expect(try await program.json("users", "list")["users"].rows.count == 1)
            let done = try await program.run("reset-database", "--yes")
            #expect(done.status == 0)
            #expect(done.text == "The database is empty.\n")
            #expect(try await program.json("users", "list")["users"].rows.isEmpty)
            #expect(try await program.run("validate-schema").status == 0)
        }
    }

    @Test("Migrations are listed, printed without being run, and run")
    func migrate() async throws {
        let program = try Program()
        let sql = try await program.run("migrate", "--sql").text
        #expect(sql.contains("create table"))
        let before = try await program.json("migrate", "--status")["migrations"].rows
        // A command that only looks must not create the file.
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: program.folder.path).allSatisfy {
                !$0.contains("sqlite3")
            })
        #expect(before.first?["version"].number == 1)
        #expect(before.allSatisfy { $0["applied_at"].isNull })
        let refused = try await program.run("plans", "list")
        #expect(refused.status == 1)
        #expect(refused.sentence == "the schema is not up to date: run `migrate`")

        #expect(try await program.json("migrate")["migrations"].rows.count == before.count)
        let after = try await program.json("migrate", "--status")["migrations"].rows
        #expect(after.allSatisfy { $0["applied_at"].text != nil })
        #expect(try await program.run("migrate", "--sql").output.isEmpty)
        #expect(try await program.run("migrate").text == "The schema is up to date.\n")
    }
}

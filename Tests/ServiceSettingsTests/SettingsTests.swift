import Billing
import Foundation
import LemonSqueezy
import Logging
import ServiceSettings
import Testing

@Suite("Settings")
struct SettingsTests {
    private func load(_ variables: [String: String], file: String? = nil) throws -> Settings {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        if let file { try Data(file.utf8).write(to: folder.appendingPathComponent(".env")) }
        return try Settings.load(environment: variables, directory: folder.path)
    }

    @Test("With nothing set, all have their defaults")
    func defaults() throws {
        let settings = try load([:])
        #expect(settings.databaseURL == "sqlite:selextract.sqlite3")
        #expect(settings.readDatabaseURL == nil)
        #expect(settings.poolSize == 10)
        #expect(settings.maxOverflow == 20)
        #expect(settings.poolTimeout == .seconds(30))
        #expect(settings.poolRecycle == .seconds(3600))
        #expect(!settings.logsStatements)
        #expect(settings.webhookSecret == nil)
        #expect(settings.storeID == nil)
        #expect(settings.mode == .any)
        #expect(settings.variantIDs.isEmpty)
        #expect(settings.policy == BillingPolicy())
        #expect(settings.policy.acceptance == Acceptance())
        #expect(settings.host == "127.0.0.1" && settings.port == 8080)
        #expect(settings.adminHost == "127.0.0.1" && settings.adminPort == 8081)
        #expect(settings.logLevel == .info)
        #expect(settings.logFormat == .text)
        #expect(settings.environment == "development")
    }

    @Test("What is set is used, the environment before the file")
    func values() throws {
        let settings = try load(
            ["PORT": "1", "ENVIRONMENT": "production", "ADMIN_PORT": ""],
            file: """
                # a comment
                PORT=2
                HOST=0.0.0.0
                LEMON_SQUEEZY_STARTER_VARIANT_ID=101
                LEMON_SQUEEZY_STORE_ID=4242
                SELEXTRACT_MATCH_BY_EMAIL=true
                SELEXTRACT_UPGRADE_UNITS=when_paid
                SELEXTRACT_DOWNGRADE_UNITS=next_month
                SELEXTRACT_REFUND_UNITS=take
                RENEWAL_OVERDUE_HOURS=2
                SELEXTRACT_DB_POOL_TIMEOUT=5
                LOG_FORMAT=json
                LOG_LEVEL=debug
                """)
        #expect(settings.port == 1)
        #expect(settings.adminPort == nil)
        #expect(settings.host == "0.0.0.0")
        #expect(settings.variantIDs == ["starter": "101"])
        #expect(settings.policy.acceptance == Acceptance(storeID: "4242", mode: .live))
        #expect(
            settings.policy
                == BillingPolicy(
                    acceptance: Acceptance(storeID: "4242", mode: .live), matchByEmail: true, upgradeUnits: .whenPaid,
                    downgradeUnits: .nextMonth, refundUnits: .take, renewalOverdueAfter: 7200))
        #expect(settings.poolTimeout == .seconds(5))
        #expect(settings.logFormat == .json)
        #expect(settings.logLevel == .debug)
    }

    @Test(
        "Secrets are taken verbatim, from either source",
        arguments: [
            "in the middle", "\"half quoted", "'mixed\"", "a=b#c=d", "ünïcöd", "$HOME/x",
            String(repeating: "é", count: 40),
        ])
    func verbatim(_ secret: String) throws {
        #expect(try load(["LEMON_SQUEEZY_WEBHOOK_SECRET": secret]).webhookSecret == secret)
        for end in ["", "\n", "\r\n"] {
            let settings = try load([:], file: "A=b\nLEMON_SQUEEZY_WEBHOOK_SECRET=\(secret)\(end)")
            #expect(settings.webhookSecret == secret)
        }
    }

    @Test(
        "A wrong value names its setting and what is expected, and is not repeated",
        arguments: [
            ("DATABASE_URL", "mysql://zzzzz"), ("DATABASE_READ_URL", "zzzzz"), ("SELEXTRACT_DB_POOL_SIZE", "0"),
            ("SELEXTRACT_DB_MAX_OVERFLOW", "-1"), ("SELEXTRACT_DB_POOL_TIMEOUT", "zzzzz"),
            ("SELEXTRACT_DB_POOL_RECYCLE", "1.5"), ("SELEXTRACT_DEBUG", "zzzzz"),
            ("LEMON_SQUEEZY_STORE_ID", "zzzzz"), ("LEMON_SQUEEZY_MODE", "zzzzz"),
            ("LEMON_SQUEEZY_STARTER_VARIANT_ID", "zzzzz"), ("LEMON_SQUEEZY_PROFESSIONAL_VARIANT_ID", "zzzzz"),
            ("LEMON_SQUEEZY_ENTERPRISE_VARIANT_ID", "zzzzz"), ("SELEXTRACT_MATCH_BY_EMAIL", "zzzzz"),
            ("SELEXTRACT_UPGRADE_UNITS", "zzzzz"), ("RENEWAL_OVERDUE_HOURS", "zzzzz"), ("SPOOL_PATH", "zzzzz"),
            ("PORT", "65536"), ("PORT", "http"), ("ADMIN_PORT", "zzzzz"), ("LOG_LEVEL", "zzzzz"),
            ("LOG_FORMAT", "zzzzz"),
        ])
    func wrong(_ name: String, _ value: String) throws {
        let error = try #require(throws: SettingsError.self) { try load([name: value]) }
        #expect(error.setting == name)
        #expect(error.description.hasPrefix("\(name) must be "))
        #expect(!error.description.contains("zzzzz"))
    }

    @Test("Two plans cannot have one variant")
    func sameVariant() throws {
        let error = try #require(throws: SettingsError.self) {
            try load(["LEMON_SQUEEZY_STARTER_VARIANT_ID": "1", "LEMON_SQUEEZY_PROFESSIONAL_VARIANT_ID": "1"])
        }
        #expect(error.setting == "LEMON_SQUEEZY_PROFESSIONAL_VARIANT_ID")
    }

    @Test("Without a secret, or with an empty one, nothing is served", arguments: [nil, ""])
    func noSecret(_ secret: String?) throws {
        let settings = try load(secret.map { ["LEMON_SQUEEZY_WEBHOOK_SECRET": $0] } ?? [:])
        let error = try #require(throws: SettingsError.self) { try settings.signingSecrets() }
        #expect(error.setting == "LEMON_SQUEEZY_WEBHOOK_SECRET")
    }

    @Test(
        "A signing secret that Lemon Squeezy cannot have is refused, from either source, with what to do",
        arguments: [
            ("\"zzzzzz\"", "quotes"), ("'zzzzzz'", "quotes"), ("\"\"", "quotes"), (" zzzzzz", "blank"),
            ("zzzzzz ", "blank"), ("\tzzzzzz", "tab"), ("zzzzzz\t", "tab"), ("zzzzzz\u{A0}", "blank"),
            ("zzz\u{7}zzz", "control"), ("zzzzz", "6 to 40"), (String(repeating: "z", count: 41), "6 to 40"),
        ])
    func impossibleSecret(_ secret: String, _ advice: String) throws {
        for name in ["LEMON_SQUEEZY_WEBHOOK_SECRET", "LEMON_SQUEEZY_WEBHOOK_SECRET_PREVIOUS"] {
            for (variables, file) in [([name: secret], nil), ([:], "\(name)=\(secret)\n")] {
                let error = try #require(throws: SettingsError.self) { try load(variables, file: file) }
                #expect(error.setting == name)
                #expect(error.description.contains(advice))
                #expect(!error.description.contains("zzz"))
            }
        }
    }

    @Test("Newlines in a signing secret are refused", arguments: ["zzzzzz\n", "zzzzzz\r\n", "zzz\nzzz", "zzzzzz\r"])
    func newlineInSecret(_ secret: String) throws {
        let error = try #require(throws: SettingsError.self) { try load(["LEMON_SQUEEZY_WEBHOOK_SECRET": secret]) }
        #expect(error.setting == "LEMON_SQUEEZY_WEBHOOK_SECRET")
        #expect(error.description.contains(#/newline|one line/#))
    }

    @Test("Neither description nor dump shows a secret")
    func hidden() throws {
        let settings = try load([
            "LEMON_SQUEEZY_WEBHOOK_SECRET": "hush-hush", "DATABASE_URL": "postgres://user:hush@localhost/x",
        ])
        var dumped = ""
        dump(settings, to: &dumped)
        for text in ["\(settings)", String(reflecting: settings), dumped] { #expect(!text.contains("hush")) }
    }

    // MARK: As other programs spell them

    @Test("Addresses with a driver of SQLAlchemy's are libpq's without it")
    func drivers() throws {
        for (given, read) in [
            ("postgresql+asyncpg://user:pass@host/db", "postgresql://user:pass@host/db"),
            ("postgresql+psycopg2://host/db?sslmode=require", "postgresql://host/db?sslmode=require"),
            ("postgresql+psycopg://host/db", "postgresql://host/db"),
            ("postgresql+asyncpg://host/db?ssl=require", "postgresql://host/db?sslmode=require"),
            ("postgres://host/db", "postgres://host/db"),
        ] {
            #expect(try load(["DATABASE_URL": given]).databaseURL == read)
            #expect(try load(["DATABASE_READ_URL": given]).readDatabaseURL == read)
        }
        let error = try #require(throws: SettingsError.self) {
            try load(["DATABASE_URL": "postgresql+pg8000://host/db"])
        }
        #expect(error.description.contains("postgresql+asyncpg://"))
    }

    @Test("Words are read in capitals, too")
    func capitals() throws {
        for (word, level) in [("INFO", Logger.Level.info), ("WARNING", .warning), ("Error", .error)] {
            #expect(try load(["LOG_LEVEL": word]).logLevel == level)
        }
        #expect(try load(["SELEXTRACT_DEBUG": "True"]).logsStatements)
        #expect(try load(["SELEXTRACT_DEBUG": "False"]).logsStatements == false)
        for word in ["1", "yes"] {
            let error = try #require(throws: SettingsError.self) { try load(["SELEXTRACT_DEBUG": word]) }
            #expect(error.description == "SELEXTRACT_DEBUG must be true or false")
        }
    }

    @Test("SELEXTRACT_ENVIRONMENT means ENVIRONMENT; both may be set to the same")
    func environments() throws {
        for variables in [
            ["SELEXTRACT_ENVIRONMENT": "production"], ["ENVIRONMENT": "Production"],
            ["ENVIRONMENT": "production", "SELEXTRACT_ENVIRONMENT": "production"],
        ] {
            let settings = try load(variables)
            #expect(settings.isProduction)
            #expect(settings.mode == .live)
        }
        #expect(try load(["SELEXTRACT_ENVIRONMENT": "staging"]).isProduction == false)
        // From different sources, too.
        let error = try #require(throws: SettingsError.self) {
            try load(["ENVIRONMENT": "development"], file: "SELEXTRACT_ENVIRONMENT=production")
        }
        #expect(error.setting == "SELEXTRACT_ENVIRONMENT")
    }

    @Test("A secret may stand in a file, verbatim but for one newline at its end", arguments: ["", "\n", "\r\n"])
    func secretFile(_ end: String) throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: file) }
        func write(_ text: String) throws { try Data((text + end).utf8).write(to: file) }
        try write("in the middle")
        let names = ["LEMON_SQUEEZY_WEBHOOK_SECRET_FILE", "LEMON_SQUEEZY_WEBHOOK_SECRET_PREVIOUS_FILE"]
        let secrets = try load([names[0]: file.path, names[1]: file.path])
        #expect(secrets.webhookSecret == "in the middle" && secrets.previousWebhookSecret == "in the middle")
        #expect(try load([:], file: "\(names[0])=\(file.path)").webhookSecret == "in the middle")
        try write("postgresql+asyncpg://user:hush@host/db")
        let addresses = try load(["DATABASE_URL_FILE": file.path, "DATABASE_READ_URL_FILE": file.path])
        #expect(addresses.databaseURL == "postgresql://user:hush@host/db")
        #expect(addresses.readDatabaseURL == addresses.databaseURL)
        // What is no secret is read from no file.
        #expect(try load(["HOST_FILE": file.path]).host == "127.0.0.1")
        // A second newline belongs to the secret, which cannot have one.
        try write("zzzzzz\n")
        if !end.isEmpty {
            #expect(throws: SettingsError.self) { try load([names[0]: file.path]) }
        }
    }

    @Test("A file that is not there, or empty, or beside the secret itself, is refused")
    func noSecretFile() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        for name in ["LEMON_SQUEEZY_WEBHOOK_SECRET", "DATABASE_URL"] {
            let missing = try #require(throws: SettingsError.self) { try load([name + "_FILE": file.path]) }
            #expect(missing.description.hasPrefix("\(name)_FILE must be the path of a file"))
            let both = try #require(throws: SettingsError.self) {
                try load([name + "_FILE": file.path, name: "zzzzzz"])
            }
            #expect(both.description.hasPrefix("\(name)_FILE must be left unset"))
        }
        try Data().write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        #expect(throws: SettingsError.self) { try load(["DATABASE_URL_FILE": file.path]) }
    }

    @Test("The API's key goes nowhere but over TLS or to this machine")
    func apiAddress() throws {
        #expect(try load([:]).apiURL.absoluteString == "https://api.lemonsqueezy.com/v1")
        let fine = [
            "https://api.example.com/v1/", "http://127.0.0.1:8099/v1", "http://localhost/v1", "http://[::1]:1/v1",
        ]
        for text in fine { #expect(try load(["LEMON_SQUEEZY_API_URL": text]).apiURL.path == "/v1", "\(text)") }
        let wrong = [
            "http://api.lemonsqueezy.com/v1", "http://127.example.com/v1", "https://me:pass@example.com", "ftp://a",
            "x",
            "https://example.com/v1?a=b",
        ]
        for text in wrong {
            let error = #expect(throws: SettingsError.self) { try load(["LEMON_SQUEEZY_API_URL": text]) }
            #expect(error?.setting == "LEMON_SQUEEZY_API_URL", "\(text)")
        }
        #expect(throws: SettingsError.self) { try load(["LEMON_SQUEEZY_API_KEY": "a b"]) }
        #expect(throws: SettingsError.self) { try load(["PUBLIC_URL": "billing.example.com"]) }
        #expect(try load(["PUBLIC_URL": "https://a.example/x/"]).outsideURL?.absoluteString == "https://a.example/x")
    }

    @Test("Every setting is read, and every one is documented once")
    func documented() {
        let names = Setting.all.map(\.name)
        #expect(Set(names).count == names.count)
        #expect(Setting.all.allSatisfy { !$0.description.isEmpty && !$0.fallback.isEmpty })
    }
}

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

    @Test("Every setting is read, and every one is documented once")
    func documented() {
        let names = Setting.all.map(\.name)
        #expect(Set(names).count == names.count)
        #expect(Setting.all.allSatisfy { !$0.description.isEmpty && !$0.fallback.isEmpty })
    }
}

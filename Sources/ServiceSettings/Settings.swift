public import Billing
public import Configuration
public import Foundation
public import Logging

/// The program's settings, read from environment variables and `.env`. ``Setting/all`` names and explains each.
///
/// Its description and dump show nothing: it holds the signing secret, and URLs with passwords.
public struct Settings: Sendable {
    /// How a log line is written.
    public enum LogFormat: String, Sendable, Hashable {
        case text, json
    }

    /// `sqlite:PATH`, `postgres://…` or `postgresql://…`; it may hold a password.
    public var databaseURL: String
    /// A replica, for reading only; nil: everything is read from the primary.
    public var readDatabaseURL: String?
    /// A database of its own for usage; nil: it is kept in the other one.
    public var usageDatabaseURL: String?
    /// Connections to PostgreSQL that are kept open.
    public var poolSize: Int
    /// Further connections under load.
    public var maxOverflow: Int
    /// How long a caller waits for a connection.
    public var poolTimeout: Duration
    /// After this a connection is replaced.
    public var poolRecycle: Duration
    /// Whether each SQL statement is logged.
    public var logsStatements: Bool
    /// The webhook's signing secret, verbatim. Required to serve, and to sign what is replayed.
    public var webhookSecret: String?
    /// The secret before it, accepted while it is being changed.
    public var previousWebhookSecret: String?
    /// The files that hold these two; nil: they are set themselves.
    public var webhookSecretFile: String?
    public var previousWebhookSecretFile: String?
    /// The store whose events are applied; nil: any (R4).
    public var storeID: String?
    /// Whether events of live mode, of test mode or of both are applied (R4).
    public var mode: Acceptance.Mode
    /// Plan id to the variant that sells it; only those that are set (R6).
    public var variantIDs: [String: String]
    /// Whether the e-mail of a checkout may name the account (R5).
    public var matchByEmail: Bool
    public var upgradeUnits: UpgradeUnits
    public var downgradeUnits: DowngradeUnits
    public var refundUnits: RefundUnits
    /// A key of Lemon Squeezy's API; nil: nothing is asked there.
    public var apiKey: String?
    /// Where that API is, with its version, without a slash at the end; HTTPS, or plain HTTP to this machine.
    public var apiURL: URL
    /// Where the public port is reached from outside, without a slash at the end; nil: not known.
    public var outsideURL: URL?
    /// Hours without payment after which a renewal is shown as overdue (R17).
    public var renewalOverdueHours: Int
    /// The address for webhooks and catalogue.
    public var host: String
    /// 0: any free one.
    public var port: Int
    /// The address for health and metrics.
    public var adminHost: String
    /// nil: health and metrics are not served; 0: any free one.
    public var adminPort: Int?
    /// Opens the console to those who may act; nil: none does.
    public var consoleToken: String?
    /// Opens the console for reading.
    public var consoleViewerToken: String?
    /// Names, without a port, under which the console answers beside loopback's.
    public var consoleHosts: [String]
    /// The header in which a proxy says who is logged in; nil: none does.
    public var consoleProxyHeader: String?
    /// Networks of the proxies whose header is believed, as they were written.
    public var consoleProxyNetworks: [String]
    public var logLevel: Logger.Level
    public var logFormat: LogFormat
    /// `production`, or any other word.
    public var environment: String
    /// All settings in the order of their documentation, for people: of a secret only whether it is set.
    public var shown: [(name: String, value: String)]

    private static let apiAddress = URL(string: "https://api.lemonsqueezy.com/v1") ?? URL(fileURLWithPath: "/")

    public var isProduction: Bool { environment.lowercased() == "production" }

    /// Reads all settings.
    ///
    /// ## Configuration keys
    /// The names of ``Setting/all``, verbatim. An empty value counts as not set; an empty `ADMIN_PORT` means none. Of a
    /// secret `NAME`, `NAME_FILE` may name a file that holds it. `SELEXTRACT_ENVIRONMENT` means `ENVIRONMENT`.
    ///
    /// - Throws: `SettingsError` for the first that is wrong.
    public init(reader: ConfigReader) throws(SettingsError) {
        let settings = SettingsReader(reader: reader)
        if settings.text("SPOOL_PATH") != nil {
            throw SettingsError("SPOOL_PATH", expected: "left unset: deliveries cannot be spooled to a file yet")
        }
        shown = Setting.all.map { setting in
            let text = settings.text(setting.name)
            let isSet = text != nil || settings.text(setting.name + SettingsReader.fileSuffix) != nil
            if setting.isSecret { return (setting.name, isSet ? "set" : "not set (\(setting.fallback))") }
            return (setting.name, text ?? setting.fallback)
        }
        environment = try settings.text("ENVIRONMENT", or: "SELEXTRACT_ENVIRONMENT") ?? "development"
        databaseURL = try settings.databaseURL("DATABASE_URL") ?? "sqlite:selextract.sqlite3"
        readDatabaseURL = try settings.databaseURL("DATABASE_READ_URL")
        usageDatabaseURL = try settings.databaseURL("USAGE_DATABASE_URL")
        poolSize = try settings.number("SELEXTRACT_DB_POOL_SIZE", in: 1...1000, default: 10)
        maxOverflow = try settings.number("SELEXTRACT_DB_MAX_OVERFLOW", in: 0...1000, default: 20)
        poolTimeout = .seconds(try settings.number("SELEXTRACT_DB_POOL_TIMEOUT", in: 1...3600, default: 30))
        poolRecycle = .seconds(try settings.number("SELEXTRACT_DB_POOL_RECYCLE", in: 1...604_800, default: 3600))
        logsStatements = try settings.flag("SELEXTRACT_DEBUG")
        webhookSecret = try settings.signingSecret("LEMON_SQUEEZY_WEBHOOK_SECRET")
        previousWebhookSecret = try settings.signingSecret(
            "LEMON_SQUEEZY_WEBHOOK_SECRET_PREVIOUS", mayBeMissing: true)
        webhookSecretFile = settings.text("LEMON_SQUEEZY_WEBHOOK_SECRET_FILE")
        previousWebhookSecretFile = settings.text("LEMON_SQUEEZY_WEBHOOK_SECRET_PREVIOUS_FILE")
        storeID = try settings.identifier("LEMON_SQUEEZY_STORE_ID")
        mode = try settings.choice(
            "LEMON_SQUEEZY_MODE", ["live": .live, "test": .test, "any": .any],
            default: environment.lowercased() == "production" ? .live : .any)
        variantIDs = [:]
        for plan in ["starter", "professional", "enterprise"] {
            let name = "LEMON_SQUEEZY_\(plan.uppercased())_VARIANT_ID"
            guard let variant = try settings.identifier(name) else { continue }
            if variantIDs.values.contains(variant) {
                throw SettingsError(name, expected: "another id than the other plans have")
            }
            variantIDs[plan] = variant
        }
        matchByEmail = try settings.flag("SELEXTRACT_MATCH_BY_EMAIL")
        upgradeUnits = try settings.choice(
            "SELEXTRACT_UPGRADE_UNITS", ["at_once": .atOnce, "when_paid": .whenPaid], default: .atOnce)
        downgradeUnits = try settings.choice(
            "SELEXTRACT_DOWNGRADE_UNITS", ["at_once": .atOnce, "next_month": .nextMonth], default: .atOnce)
        refundUnits = try settings.choice(
            "SELEXTRACT_REFUND_UNITS", ["keep": .keep, "take": .take], default: .keep)
        apiKey = try settings.apiKey("LEMON_SQUEEZY_API_KEY")
        apiURL = try settings.url("LEMON_SQUEEZY_API_URL", plainOnlyHere: true) ?? Self.apiAddress
        outsideURL = try settings.url("PUBLIC_URL", plainOnlyHere: false)
        renewalOverdueHours = try settings.number("RENEWAL_OVERDUE_HOURS", in: 0...8784, default: 24)
        host = settings.text("HOST") ?? "127.0.0.1"
        port = try settings.number("PORT", in: 0...65535, default: 8080)
        adminHost = settings.text("ADMIN_HOST") ?? "127.0.0.1"
        adminPort =
            settings.isEmpty("ADMIN_PORT") ? nil : try settings.number("ADMIN_PORT", in: 0...65535, default: 8081)
        consoleToken = try settings.consoleToken("SELEXTRACT_CONSOLE_TOKEN")
        consoleViewerToken = try settings.consoleToken("SELEXTRACT_CONSOLE_VIEWER_TOKEN")
        if let consoleToken, consoleToken == consoleViewerToken {
            throw SettingsError("SELEXTRACT_CONSOLE_VIEWER_TOKEN", expected: "another token than the operator's")
        }
        consoleHosts = settings.list("SELEXTRACT_CONSOLE_HOSTS")
        for host in consoleHosts where host.wholeMatch(of: #/[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]/#) == nil {
            throw SettingsError(
                "SELEXTRACT_CONSOLE_HOSTS", expected: "host names with commas between them, without ports")
        }
        consoleProxyHeader = settings.text("SELEXTRACT_CONSOLE_PROXY_HEADER")
        if let consoleProxyHeader, consoleProxyHeader.wholeMatch(of: #/[A-Za-z0-9-]+/#) == nil {
            throw SettingsError("SELEXTRACT_CONSOLE_PROXY_HEADER", expected: "the name of a header")
        }
        consoleProxyNetworks = settings.list("SELEXTRACT_CONSOLE_PROXY_NETWORKS")
        if (consoleProxyHeader == nil) != consoleProxyNetworks.isEmpty {
            throw SettingsError(
                "SELEXTRACT_CONSOLE_PROXY_NETWORKS",
                expected: "set together with SELEXTRACT_CONSOLE_PROXY_HEADER: anybody could send that header")
        }
        logLevel = try settings.choice(
            "LOG_LEVEL",
            [
                "trace": .trace, "debug": .debug, "info": .info, "notice": .notice, "warning": .warning,
                "error": .error, "critical": .critical,
            ], default: .info)
        logFormat = try settings.choice("LOG_FORMAT", ["text": .text, "json": .json], default: .text)
    }
}

extension Settings: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "Settings(hidden)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}

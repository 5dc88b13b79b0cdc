/// One setting of the program, as documented by `serve --help` and on the page for operators (`Operating.md`).
public struct Setting: Sendable, Hashable {
    /// The environment variable.
    public var name: String
    /// What holds when it is not set, for people.
    public var fallback: String
    public var description: String
    /// Whether its value must appear in no log, error or help text.
    public var isSecret = false

    /// All settings, in the order in which they are documented.
    public static let all: [Setting] = [
        Setting(
            name: "DATABASE_URL", fallback: "sqlite:selextract.sqlite3",
            description:
                "the database: sqlite:PATH, or postgres://… (handed to libpq; +asyncpg, +psycopg2 are left out)",
            isSecret: true),
        Setting(
            name: "DATABASE_READ_URL", fallback: "none",
            description: "a read replica for the catalogue and for lists", isSecret: true),
        Setting(
            name: "USAGE_DATABASE_URL", fallback: "the same database",
            description: "a database of its own for usage_analytics", isSecret: true),
        Setting(
            name: "SELEXTRACT_DB_POOL_SIZE", fallback: "10", description: "connections kept open to PostgreSQL"),
        Setting(
            name: "SELEXTRACT_DB_MAX_OVERFLOW", fallback: "20", description: "further connections under load"),
        Setting(
            name: "SELEXTRACT_DB_POOL_TIMEOUT", fallback: "30",
            description: "seconds that a caller waits for a connection"),
        Setting(
            name: "SELEXTRACT_DB_POOL_RECYCLE", fallback: "3600",
            description: "seconds after which a connection is replaced"),
        Setting(
            name: "SELEXTRACT_DEBUG", fallback: "false",
            description: "true: log each SQL statement with its duration, never values"),
        Setting(
            name: "LEMON_SQUEEZY_WEBHOOK_SECRET", fallback: "required to serve",
            description: "the webhook's signing secret: 6 to 40 characters, taken verbatim", isSecret: true),
        Setting(
            name: "LEMON_SQUEEZY_WEBHOOK_SECRET_PREVIOUS", fallback: "none",
            description: "the secret before it, also accepted while it is being changed", isSecret: true),
        Setting(
            name: "LEMON_SQUEEZY_STORE_ID", fallback: "any store",
            description: "the store whose events are applied; those of others are quarantined"),
        Setting(
            name: "LEMON_SQUEEZY_MODE", fallback: "any; live if ENVIRONMENT is production",
            description: "live, test or any: events of the other mode are quarantined"),
        Setting(
            name: "LEMON_SQUEEZY_STARTER_VARIANT_ID", fallback: "none",
            description: "the variant that sells the plan starter"),
        Setting(
            name: "LEMON_SQUEEZY_PROFESSIONAL_VARIANT_ID", fallback: "none",
            description: "the variant that sells the plan professional"),
        Setting(
            name: "LEMON_SQUEEZY_ENTERPRISE_VARIANT_ID", fallback: "none",
            description: "the variant that sells the plan enterprise"),
        Setting(
            name: "SELEXTRACT_MATCH_BY_EMAIL", fallback: "false",
            description: "true: an e-mail typed at the checkout may name the account"),
        Setting(
            name: "SELEXTRACT_UPGRADE_UNITS", fallback: "at_once",
            description: "when an upgrade's units are given: at_once or when_paid"),
        Setting(
            name: "SELEXTRACT_DOWNGRADE_UNITS", fallback: "at_once",
            description: "when a downgrade takes units: at_once or next_month"),
        Setting(
            name: "SELEXTRACT_REFUND_UNITS", fallback: "keep",
            description: "what a full refund does to units that were not used: keep or take"),
        Setting(
            name: "LEMON_SQUEEZY_API_KEY", fallback: "none",
            description: "a key of Lemon Squeezy's API, for doctor, webhook and reconcile", isSecret: true),
        Setting(
            name: "LEMON_SQUEEZY_API_URL", fallback: "https://api.lemonsqueezy.com/v1",
            description: "where that API is; plain HTTP only on this machine"),
        Setting(
            name: "PUBLIC_URL", fallback: "none",
            description: "where the public port is reached from outside, for doctor and webhook"),
        Setting(
            name: "RENEWAL_OVERDUE_HOURS", fallback: "24",
            description: "hours without payment after which a renewal is shown as overdue"),
        Setting(
            name: "SPOOL_PATH", fallback: "none", description: "reserved; must not be set yet"),
        Setting(name: "HOST", fallback: "127.0.0.1", description: "address for webhooks and catalogue"),
        Setting(name: "PORT", fallback: "8080", description: "port for webhooks and catalogue"),
        Setting(name: "ADMIN_HOST", fallback: "127.0.0.1", description: "address for health and metrics"),
        Setting(
            name: "ADMIN_PORT", fallback: "8081", description: "port for health and metrics; empty turns it off"),
        Setting(
            name: "SELEXTRACT_CONSOLE_TOKEN",
            fallback: "none; in development on loopback an address that works once is printed",
            description: "opens the console of the admin port to operators: 16 characters or more", isSecret: true),
        Setting(
            name: "SELEXTRACT_CONSOLE_VIEWER_TOKEN", fallback: "none",
            description: "opens the console for reading only", isSecret: true),
        Setting(
            name: "SELEXTRACT_CONSOLE_HOSTS", fallback: "loopback's names",
            description: "further host names under which the console answers, with commas between them"),
        Setting(
            name: "SELEXTRACT_CONSOLE_PROXY_HEADER", fallback: "none",
            description: "the header in which a proxy names the operator who is logged in"),
        Setting(
            name: "SELEXTRACT_CONSOLE_PROXY_NETWORKS", fallback: "none",
            description: "networks of the proxies whose header is believed, as 10.0.0.0/8, with commas between them"),
        Setting(
            name: "LOG_LEVEL", fallback: "info",
            description: "trace, debug, info, notice, warning, error or critical"),
        Setting(name: "LOG_FORMAT", fallback: "text", description: "text, or json: one object a line"),
        Setting(
            name: "ENVIRONMENT", fallback: "development",
            description: "production, or any other word; SELEXTRACT_ENVIRONMENT means the same"),
    ]
}

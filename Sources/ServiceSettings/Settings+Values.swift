public import Billing
public import Databases
public import LemonSqueezy
public import Logging

extension Settings {
    /// The database, and its replica if one is set. If `SELEXTRACT_DEBUG` is true, `logger` is told each SQL statement and
    /// its duration.
    public func databaseConfiguration(logger: Logger) -> DatabaseConfiguration {
        var configuration = DatabaseConfiguration(url: databaseURL, readURL: readDatabaseURL)
        configuration.usageURL = usageDatabaseURL
        configuration.poolSize = poolSize
        configuration.maxOverflow = maxOverflow
        configuration.poolTimeout = poolTimeout
        configuration.poolRecycle = poolRecycle
        configuration.onSchemaWait = {
            logger.warning("a migration waits for other sessions", metadata: ["sessions": "\($0)"])
        }
        if logsStatements {
            configuration.observe = { sql, duration, error in
                var metadata: Logger.Metadata = ["sql": "\(sql)", "duration": "\(duration)"]
                if let error { metadata["error"] = "\(error)" }
                logger.info("SQL statement", metadata: metadata)
            }
        }
        return configuration
    }

    /// The policy that this process was started with. If the database holds another one, that one counts (R17).
    public var policy: BillingPolicy {
        BillingPolicy(
            acceptance: Acceptance(storeID: storeID, mode: mode), matchByEmail: matchByEmail,
            upgradeUnits: upgradeUnits, downgradeUnits: downgradeUnits, refundUnits: refundUnits,
            renewalOverdueAfter: Double(renewalOverdueHours) * 3600)
    }

    /// The secrets that a delivery may be signed with.
    ///
    /// - Throws: `SettingsError` if none is set.
    public func signingSecrets() throws(SettingsError) -> SigningSecrets {
        do {
            return try SigningSecrets(current: webhookSecret ?? "", previous: previousWebhookSecret)
        } catch {
            throw SettingsError("LEMON_SQUEEZY_WEBHOOK_SECRET", expected: "set: the signing secret of the webhook")
        }
    }
}

extension Settings {
    /// A logger to standard error, of the format and level that are set. It never waits (``LogWriter``).
    public func logger(label: String = "selextract-billing") -> Logger {
        var logger = Logger(label: label) { [logFormat] label in
            RecordLogHandler(label: label) { LogWriter.standardError.log($0, as: logFormat) }
        }
        logger.logLevel = logLevel
        return logger
    }
}

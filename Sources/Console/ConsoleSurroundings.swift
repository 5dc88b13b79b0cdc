public import Accounts
public import Databases
public import Foundation

/// What the console shows of the process that it is in, and no database tells; and what it asks that process to do.
public struct ConsoleSurroundings: Sendable {
    /// Something that is wrong with the set-up, as `doctor` says it.
    public struct Finding: Sendable, Hashable {
        public var code: String
        public var sentence: String
        /// What mends it.
        public var remedy: String

        public init(code: String, sentence: String, remedy: String) {
            self.code = code
            self.sentence = sentence
            self.remedy = remedy
        }
    }

    /// How a variant is sold at Lemon Squeezy.
    public struct Offer: Sendable, Hashable {
        public var variant: String
        /// `pending`, `draft` or `published`.
        public var status: String?
        /// In the store's currency; nil: it has no price.
        public var cents: Int?
        /// `month`, or `3 months`; nil: it is no subscription.
        public var interval: String?

        public init(variant: String, status: String?, cents: Int?, interval: String?) {
            self.variant = variant
            self.status = status
            self.cents = cents
            self.interval = interval
        }
    }

    /// What a look at the set-up told.
    public struct SetupReport: Sendable, Hashable {
        public var at: Date
        public var findings: [Finding]
        /// Of the variants that mean a plan; empty where there is no key for the API.
        public var offers: [Offer]

        public init(at: Date, findings: [Finding], offers: [Offer] = []) {
            self.at = at
            self.findings = findings
            self.offers = offers
        }
    }

    /// Lemon Squeezy's API, where there is a key for it.
    public struct Provider: Sendable {
        /// Fetches a subscription and its invoices, and stores what is new.
        public var fetch: @Sendable (_ subscription: String) async throws -> Observations.Report
        /// Begins a run that was recorded; it goes on when this returns.
        public var reconcile: @Sendable (_ run: UUID, _ isDryRun: Bool, _ since: Date?) -> Void

        public init(
            fetch: @escaping @Sendable (_ subscription: String) async throws -> Observations.Report,
            reconcile: @escaping @Sendable (_ run: UUID, _ isDryRun: Bool, _ since: Date?) -> Void
        ) {
            self.fetch = fetch
            self.reconcile = reconcile
        }
    }

    /// How many deliveries took how long to be answered with 200, in this process: by the upper bound in seconds; nil: any.
    public var answerTimes: @Sendable () -> [(seconds: Double?, deliveries: Int)] = { [] }
    /// Told what a page, or an act, failed of: never with values.
    public var onFailure: @Sendable (_ error: any Error) -> Void = { _ in }
    /// Takes the place of this machine's clock where a demonstration moves it.
    public var now: (@Sendable () -> Date)?
    /// What `doctor` found last; nil: it has not looked yet.
    public var setup: @Sendable () async -> SetupReport? = { nil }
    /// Whether the database takes what a delivery writes; nil: nobody asks.
    public var readiness: (@Sendable () async throws -> DatabaseHealth)?
    /// Of the program.
    public var version = ""
    /// Since when the process runs, UTC.
    public var startedAt = Date()
    /// Each setting and what it says; of a secret only whether it is set.
    public var settings: [(name: String, value: String)] = []
    /// nil: there is no key.
    public var provider: Provider?

    public init() {}
}

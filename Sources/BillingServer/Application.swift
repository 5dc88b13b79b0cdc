public import Console
import Hummingbird
import HummingbirdCore
public import LemonSqueezy
public import Logging
import NIOCore
import Selextract
public import ServiceLifecycle
public import ServiceSettings
public import Storage
import UnixSignals

/// A port that the application listens on.
public enum Listener: String, Sendable, Hashable, CaseIterable {
    /// Webhooks and catalogue.
    case `public`
    /// Health and metrics.
    case admin
}

/// What an application is given beside its settings.
public struct ApplicationOptions: Sendable {
    public var limits = Limits()
    public var metrics = Metrics()
    /// The secrets that a delivery may be signed with, asked for each; nil: those of the settings.
    public var signingSecrets: (@Sendable () -> SigningSecrets)?
    /// Whether SIGTERM and SIGINT end the application.
    public var endsOnSignals = false
    /// Makes the database ready, while both ports listen already; nil: it is ready. While it throws that the database is
    /// away, deliveries are answered 503, and it is called again every second.
    public var prepare: (@Sendable () async throws -> Void)?
    /// Called when that is done.
    public var onReady: @Sendable () async -> Void = {}
    /// Called when a shutdown takes longer than it may: has to end the process. nil: it takes as long as it takes.
    public var onShutdownOverdue: (@Sendable () -> Void)?
    /// Run at the start and then again and again (R17); nil: nothing is.
    public var tick: (@Sendable () async throws -> Void)?
    /// From the end of one tick to the begin of the next.
    public var tickInterval: Duration = .seconds(60)
    /// An authentic delivery was answered 503. Lemon Squeezy repeats it, for about two and a half minutes.
    public var onDeliveryRefused: @Sendable () -> Void = {}
    /// Done beside all else once the database is ready; cancelled by the shutdown. nil: nothing is.
    public var aside: (@Sendable () async -> Void)?
    /// How often the calls with API keys are written.
    public var usageInterval: Duration = .seconds(1)
    /// Whether the tables of a usage database may be made.
    public var migratesUsage = true
    /// Waits for these intervals; tests bring another.
    public var clock: any Clock<Duration> = ContinuousClock()
    /// Opens the console once where it needs no token, for whoever is told of it; nil: there is none.
    public var consoleTicket: String?
    /// What the console shows of the process, and asks it to do.
    public var consoleSurroundings = ConsoleSurroundings()
    /// What the console's pages read, closed in the end; nil: the store.
    public var consolePages: Store?
    /// Told each listener's port once it listens.
    public var onListening: @Sendable (Listener, _ port: Int) async -> Void = { _, _ in }

    public init() {}
}

/// Makes a database ready to serve: the schema brought up to date if asked for, the plans' variants as set.
///
/// - Returns: the migrations that were applied now.
/// - Throws: what the store throws.
@discardableResult
public func prepare(store: Store, settings: Settings, migrate: Bool = true) async throws -> [AppliedMigration] {
    let applied = migrate ? try await store.migrate() : []
    guard !settings.variantIDs.isEmpty else { return applied }
    let present = try await store.primary.plans()
    for (plan, variant) in settings.variantIDs.sorted(by: { $0.key < $1.key })
    where present.first(where: { $0.id == plan })?.lemonSqueezyVariantID != variant {
        var changes = PlanChanges()
        changes.lemonSqueezyVariantID = variant
        _ = try await store.updatePlan(plan, changes)
    }
    return applied
}

/// The whole service: both listeners, the commit queue and the clock.
///
/// Running it returns after a graceful shutdown: nothing new is accepted, the requests under way are answered, what waits
/// in the queue is committed and the API calls are written, then the store is closed.
///
/// - Throws: `SettingsError` if there is no signing secret.
public func buildApplication(
    settings: Settings, store: Store, logger: Logger, options: ApplicationOptions = ApplicationOptions()
) throws -> ServiceGroup {
    let (limits, metrics) = (options.limits, options.metrics)
    let (isListening, areListening) = (Milestone(), Milestone())
    let preparation = Preparation(
        options.prepare, onReady: options.onReady, after: areListening, every: .seconds(1), clock: options.clock,
        logger: logger)
    let queue = CommitQueue(
        store: store, policy: settings.policy, limits: limits, metrics: metrics, preparation: preparation,
        logger: logger)
    let bodies = BodyBudget(limits)
    let connections = ConnectionRegistry(limit: limits.connections)
    let signatures = SignatureWatch()

    let ownSecrets = try settings.signingSecrets()
    let webhook = WebhookController(
        secrets: options.signingSecrets ?? { ownSecrets }, queue: queue, bodies: bodies,
        metrics: metrics, signatures: signatures, onRefused: options.onDeliveryRefused)
    let catalogue = CatalogueController(plans: PlanCache(lists: store.lists))
    let calls = APICalls(
        store: store, interval: options.usageInterval, clock: options.clock, logger: logger)
    let account = AccountController(store: store, calls: calls, keys: KeyGuard(triesAMinute: limits.wrongKeysAMinute))
    let admin = AdminController(
        store: store, preparation: preparation, readiness: ReadinessCheck(store: store), metrics: metrics,
        signatures: signatures, queue: queue, bodies: bodies, connections: connections.count)

    // In the order of their dependencies: they are stopped from the last to the first.
    var services: [(name: String, service: any Service)] = [("database", StoreClosing(store: store))]
    if let pages = options.consolePages { services.append(("console's database", StoreClosing(store: pages))) }
    services += [("commits", queue), ("API calls", calls), ("preparation", preparation)]
    if let usageDatabase = store.usageDatabase {
        let moving = UsageMoving(
            store: store, usageDatabase: usageDatabase, migrates: options.migratesUsage, preparation: preparation,
            interval: options.usageInterval, clock: options.clock, logger: logger)
        services.append(("usage", moving))
    }
    if let tick = options.tick {
        services.append(("clock", options.ticking(tick, preparation, logger: logger)))
    }
    if let aside = options.aside { services.append(("aside", Aside(preparation: preparation, work: aside))) }
    if let port = settings.adminPort {
        var controllers: [any Controller] = [admin]
        if let console = try Console(settings, store: store, options: options, logger: logger) {
            controllers.append(ConsoleController(console: console))
        } else {
            logger.notice("the console is off: SELEXTRACT_CONSOLE_TOKEN opens it")
        }
        let listener = options.listener(
            .admin, controllers, host: settings.adminHost, port: port,
            connections: ConnectionRegistry(limit: limits.connections), areListening, logger: logger)
        services.append(("admin listener", LaterListener(listener: listener, milestone: isListening)))
    }
    let listener = options.listener(
        .public, [webhook, catalogue, account], host: settings.host, port: settings.port, connections: connections,
        settings.adminPort == nil ? areListening : isListening, logger: logger)
    services.append(("listener", listener))
    // The last, so that its time begins with the shutdown.
    if let end = options.onShutdownOverdue {
        let deadline = ShutdownDeadline(deadline: limits.shutdownDeadline + .seconds(5), logger: logger, end: end)
        services.append(("shutdown's deadline", deadline))
    }

    var configuration = ServiceGroupConfiguration(
        services: services.map { name, service in
            // What the others have under way comes to its end. Without a name the whole service would be written out.
            .init(service: service, failureTerminationBehavior: .gracefullyShutdownGroup, serviceName: name)
        }, gracefulShutdownSignals: options.endsOnSignals ? [.sigterm, .sigint] : [],
        logger: logger)
    configuration.maximumGracefulShutdownDuration = limits.shutdownDeadline
    return ServiceGroup(configuration: configuration)
}

extension ApplicationOptions {
    fileprivate func listener(
        _ listener: Listener, _ controllers: [any Controller], host: String, port: Int,
        connections: ConnectionRegistry, _ milestone: Milestone, logger: Logger
    ) -> some Service {
        var http = HTTP1Channel.Configuration(
            additionalChannelHandlers: [ConnectionGuard(limits: limits, connections: connections)],
            idleTimeout: TimeAmount(limits.idleTimeout))
        http.httpDecoder = .init(maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 64 << 10, maxHeaderFieldCount: 100)
        return Application(
            router: Router(controllers, metrics: metrics), server: .http1(configuration: http),
            configuration: ApplicationConfiguration(
                address: .hostname(host, port: port),
                // A connection beyond the limit, if none is idle, is answered 503; beyond this number none is even
                // accepted.
                availableConnectionsDelegate: .maximum(
                    limits.connections + max(1, limits.connections / 4), logger: logger)),
            onServerRunning: { channel in
                let failures = AcceptFailures(connections: connections, logger: logger)
                try? await channel.pipeline.addHandler(failures, position: .first)
                milestone.reach()
                await onListening(listener, channel.localAddress?.port ?? port)
            },
            logger: logger.withoutRequestIDs)
    }

    fileprivate func ticking(
        _ tick: @escaping @Sendable () async throws -> Void, _ preparation: Preparation, logger: Logger
    ) -> any Service {
        func ticking<Timepiece: Clock<Duration>>(_ clock: Timepiece) -> any Service {
            Ticking(
                interval: tickInterval, clock: clock, preparation: preparation, metrics: metrics, logger: logger,
                tick: tick)
        }
        return ticking(clock)
    }
}

// swift-tools-version: 6.2
import PackageDescription

/// The house rules, switched on once for every target: Swift 6, warnings are errors.
let settings: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
    name: "selextract-billing",
    products: [
        .executable(name: "selextract-billing", targets: ["selextract-billing"]),
        .library(
            name: "Selextract",
            targets: [
                "Selextract", "Billing", "SchemaValidation", "Databases", "Storage", "Accounts", "ServiceSettings",
            ]
        ),
    ],
    dependencies: [
        // The listener: HTTP/1.1 server, router, graceful shutdown.
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        // SQLite, the embedded default database.
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        // The command line.
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        // Settings from the environment and `.env`; Hummingbird brings it already.
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: []),
        // Structured logs; Hummingbird brings it already.
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        // Start and stop in order; Hummingbird brings it already.
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        // Channel handlers for the limits on connections and bodies; Hummingbird brings it already.
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        // The types of what those handlers see; Hummingbird brings both already.
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    ],
    targets: [
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CLibCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .target(name: "Schema", resources: [.embedInCode("sql")], swiftSettings: settings),
        .target(name: "SchemaValidation", dependencies: ["Schema"], swiftSettings: settings),
        .target(name: "LemonSqueezy", dependencies: ["CLibCrypto"], swiftSettings: settings),
        .target(name: "Selextract", swiftSettings: settings),
        .target(name: "Billing", dependencies: ["LemonSqueezy", "Selextract"], swiftSettings: settings),
        // Lemon Squeezy's API, by the URLSession that Foundation brings.
        .target(name: "LemonSqueezyAPI", dependencies: ["LemonSqueezy"], swiftSettings: settings),
        .target(name: "Postgres", dependencies: ["CLibPQ"], swiftSettings: settings),
        // One SQL for PostgreSQL and SQLite, whatever is kept in them.
        .target(
            name: "Databases",
            dependencies: [
                "LemonSqueezy", "Postgres", "Selextract", .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "Storage",
            dependencies: ["Billing", "Databases", "LemonSqueezy", "Schema", "SchemaValidation", "Selextract"],
            swiftSettings: settings
        ),
        .target(
            name: "Accounts", dependencies: ["Billing", "Databases", "Selextract", "Storage"], swiftSettings: settings
        ),
        .target(
            name: "ServiceSettings",
            dependencies: [
                "Billing", "Databases", "LemonSqueezy",
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
        // The operators' pages. It knows no HTTP server: a request is a value, and so is its answer.
        .target(
            name: "Console",
            dependencies: ["Accounts", "Billing", "Databases", "LemonSqueezy", "Selextract", "Storage"],
            swiftSettings: settings
        ),
        .target(
            name: "BillingServer",
            dependencies: [
                "Accounts", "Billing", "Console", "Databases", "LemonSqueezy", "Selextract", "ServiceSettings",
                "Storage",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "selextract-billing",
            dependencies: [
                "Accounts", "Billing", "BillingServer", "Console", "Databases", "LemonSqueezy", "LemonSqueezyAPI",
                "SchemaValidation", "Selextract", "ServiceSettings", "Storage",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings
        ),

        // Tests: one test target for each source target, and what they share.
        // The README's sample of a program that uses the library.
        .executableTarget(
            name: "Sample", dependencies: ["Accounts", "Selextract", "ServiceSettings", "Storage"],
            path: "Tests/Sample",
            swiftSettings: settings
        ),
        // What `make bench` runs; it finds its SQL and Lua in the repository.
        .executableTarget(
            name: "bench",
            dependencies: [
                "LemonSqueezy",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/Bench", exclude: ["sql", "lua", "nginx.conf"], swiftSettings: settings
        ),
        .target(name: "Payloads", dependencies: ["LemonSqueezy"], path: "Tests/Payloads", swiftSettings: settings),
        .target(
            name: "TestSupport",
            dependencies: [
                "Accounts", "Billing", "Databases", "Postgres", "Schema", "Selextract", "Storage",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "Tests/TestSupport",
            swiftSettings: settings
        ),
        // A server that answers as Lemon Squeezy's API does, in memory.
        .target(
            name: "LemonSqueezyStandIn",
            dependencies: [
                "LemonSqueezy", .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            path: "Tests/LemonSqueezyStandIn", swiftSettings: settings
        ),
        .testTarget(
            name: "LemonSqueezyAPITests", dependencies: ["LemonSqueezy", "LemonSqueezyAPI", "LemonSqueezyStandIn"],
            swiftSettings: settings
        ),
        .testTarget(name: "LemonSqueezyTests", dependencies: ["LemonSqueezy", "Payloads"], swiftSettings: settings),
        .testTarget(
            name: "BillingTests", dependencies: ["Billing", "LemonSqueezy", "Payloads", "Selextract"],
            swiftSettings: settings
        ),
        .testTarget(name: "SelextractTests", dependencies: ["Selextract"], swiftSettings: settings),
        .testTarget(name: "SchemaValidationTests", dependencies: ["SchemaValidation"], swiftSettings: settings),
        .testTarget(name: "PostgresTests", dependencies: ["Postgres"], swiftSettings: settings),
        .testTarget(
            name: "StorageTests",
            dependencies: [
                "Accounts", "Billing", "Databases", "LemonSqueezy", "Payloads", "Postgres", "Schema",
                "SchemaValidation",
                "Selextract", "Storage", "TestSupport",
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ServiceSettingsTests",
            dependencies: [
                "Billing", "LemonSqueezy", "ServiceSettings",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
        .testTarget(name: "ConsoleTests", dependencies: ["Console"], swiftSettings: settings),
        .testTarget(
            name: "BillingServerTests",
            dependencies: [
                "Accounts", "Billing", "BillingServer", "Console", "Databases", "LemonSqueezy", "Payloads", "Postgres",
                "Selextract", "ServiceSettings", "Storage", "TestSupport",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "Accounts", "Billing", "LemonSqueezy", "LemonSqueezyStandIn", "Payloads", "Sample", "Selextract",
                "selextract-billing",
                "ServiceSettings", "Storage", "TestSupport",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
        // The console in a real browser, driven from Python in an environment that `.ci/install test` makes.
        .testTarget(
            name: "Browser",
            dependencies: [
                "Accounts", "Billing", "LemonSqueezy", "LemonSqueezyStandIn", "Payloads", "Selextract",
                "selextract-billing", "Storage", "TestSupport",
            ],
            path: "Tests/Browser", exclude: ["python"], swiftSettings: settings
        ),
        // Another program on the same database: Python's, in an environment that `.ci/install test` makes.
        .testTarget(
            name: "Neighbours",
            dependencies: [
                "Accounts", "Billing", "LemonSqueezy", "Payloads", "Selextract", "selextract-billing", "Storage",
                "TestSupport",
            ],
            path: "Tests/Neighbours", exclude: ["python"], swiftSettings: settings
        ),
    ]
)

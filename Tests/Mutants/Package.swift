// swift-tools-version: 6.2
import PackageDescription

// What .ci/mutants builds in its scratch folder in the place of the real Package.swift: only what the tests of the rules
// need, so that a mutant costs seconds. `MUTANTS_LEVEL=store` adds the databases.

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]
let stores = Context.environment["MUTANTS_LEVEL"] == "store"

var dependencies: [Package.Dependency] = []
var targets: [Target] = [
    .systemLibrary(name: "CLibCrypto", pkgConfig: "libcrypto"),
    .target(name: "LemonSqueezy", dependencies: ["CLibCrypto"], swiftSettings: settings),
    .target(name: "Selextract", swiftSettings: settings),
    .target(name: "Billing", dependencies: ["LemonSqueezy", "Selextract"], swiftSettings: settings),
    .target(name: "Payloads", dependencies: ["LemonSqueezy"], path: "Tests/Payloads", swiftSettings: settings),
]
if stores {
    dependencies = [
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    ]
    targets += [
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq"),
        .target(name: "Schema", resources: [.embedInCode("sql")], swiftSettings: settings),
        .target(name: "SchemaValidation", dependencies: ["Schema"], swiftSettings: settings),
        .target(name: "Postgres", dependencies: ["CLibPQ"], swiftSettings: settings),
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
        .testTarget(
            name: "StorageTests",
            dependencies: [
                "Accounts", "Billing", "Databases", "LemonSqueezy", "Payloads", "Postgres", "Schema",
                "SchemaValidation",
                "Selextract", "Storage", "TestSupport",
            ],
            swiftSettings: settings
        ),
    ]
} else {
    targets += [
        .testTarget(name: "LemonSqueezyTests", dependencies: ["LemonSqueezy", "Payloads"], swiftSettings: settings),
        .testTarget(
            name: "BillingTests", dependencies: ["Billing", "LemonSqueezy", "Payloads", "Selextract"],
            swiftSettings: settings
        ),
    ]
}

let package = Package(name: "selextract-billing", dependencies: dependencies, targets: targets)

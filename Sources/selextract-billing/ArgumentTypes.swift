public import ArgumentParser
public import Billing
public import Foundation

// Types of other modules that may stand on the command line.

extension UUID: @retroactive ExpressibleByArgument {
    public init?(argument: String) { self.init(uuidString: argument) }
}

extension Outcome: ExpressibleByArgument {}

extension Date: @retroactive ExpressibleByArgument {
    /// ISO-8601, with a time zone: `2026-11-12T09:30:00Z`.
    public init?(argument: String) {
        guard let date = try? Date(argument, strategy: .iso8601) else { return nil }
        self = date
    }
}

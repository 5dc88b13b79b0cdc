public import ArgumentParser
public import Billing
public import Foundation

// Types of other modules that may stand on the command line.

extension UUID: @retroactive ExpressibleByArgument {
    public init?(argument: String) { self.init(uuidString: argument) }
}

extension Outcome: ExpressibleByArgument {}

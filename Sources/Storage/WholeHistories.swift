import Databases

/// Which of the subscriptions that are loaded are read whole, and not beside their checkpoints.
package enum WholeHistories: Sendable, Hashable {
    case all
    case only(Set<String>)

    package mutating func formUnion(_ subscriptions: Set<String>) {
        if case .only(let some) = self { self = .only(some.union(subscriptions)) }
    }

    /// A condition on the table of the checkpoints.
    var hidesNone: SQL {
        switch self {
        case .all: "false"
        case .only(let some): some.isEmpty ? "true" : "\("subscription_id", notIn: some)"
        }
    }
}

public import Foundation

extension Snapshot {
    /// What a row of another program says of a subscription beside its status and its period, and no snapshot of the
    /// provider's does (R21).
    public struct Adoption: Hashable, Sendable {
        /// The row's plan: it names no variant.
        public var planID: String
        /// What the row's account had left; nil: that was another subscription's.
        public var unitsLeft: Int?
        /// When the row was read, by the database's clock, whole seconds.
        public var observedAt: Date

        public init(planID: String, unitsLeft: Int?, observedAt: Date) {
            self.planID = planID
            self.unitsLeft = unitsLeft
            self.observedAt = observedAt
        }
    }

    /// The same, told by the provider: what only an adopted row may say is left out.
    public var withoutAdoption: Snapshot {
        var snapshot = self
        snapshot.adoption = nil
        snapshot.order.isAdopted = false
        return snapshot
    }
}

extension Snapshot.Adoption {
    init(_ attributes: Attributes) throws(Undecodable) {
        guard let value = attributes.value["adopted"], case .object = value else {
            throw Undecodable(path: attributes.path + ".adopted", value: attributes.value["adopted"])
        }
        let own = Attributes(value: value, path: attributes.path + ".adopted")
        self.init(
            planID: try own.required(word: "plan_id"), unitsLeft: own.int("compute_units_remaining"),
            observedAt: try own.required(date: "observed_at"))
    }
}

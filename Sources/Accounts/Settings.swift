public import Billing
public import Storage

extension Store {
    /// The settings that decide; nil: no instance has written any yet, and each program goes by its own.
    public func settings() async throws -> StoredSettings? {
        try await transaction { try await $0.settings() }
    }

    /// Makes these settings the database's, as an instance does that starts: the later start holds. All accounts are
    /// due once if they, or the rules of this version of the program, are others than before.
    ///
    /// - Parameter host: who writes them, for people.
    /// - Returns: what held before, if it was another.
    @discardableResult
    public func adopt(_ policy: BillingPolicy, host: String) async throws -> StoredSettings? {
        try await transaction { transaction in
            let before = try await transaction.lockSettings()
            let next = StoredSettings.next(
                after: before, policy: policy, host: host, at: try await transaction.now())
            guard let next else { return nil }
            try await transaction.insert(next)
            return before
        }
    }
}

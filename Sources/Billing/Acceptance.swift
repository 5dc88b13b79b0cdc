public import LemonSqueezy

/// Whose events are applied (R4). What is not accepted is stored, and never applied.
public struct Acceptance: Sendable, Hashable {
    public enum Mode: String, Sendable, Hashable, CaseIterable {
        case live, test, any
    }

    /// nil: any store.
    public var storeID: String?
    public var mode: Mode

    public init(storeID: String? = nil, mode: Mode = .any) {
        self.storeID = storeID
        self.mode = mode
    }

    /// Why the event is quarantined; nil if it is accepted. What an event does not say is not what is asked for.
    public func quarantine(_ event: WebhookEvent) -> QuarantineReason? {
        if let storeID, event.storeID != storeID { return .wrongStore }
        switch mode {
        case .any: return nil
        case .live: return event.testMode == false ? nil : .wrongMode
        case .test: return event.testMode == true ? nil : .wrongMode
        }
    }
}

public enum QuarantineReason: String, Sendable, Hashable {
    case wrongStore = "wrong_store"
    case wrongMode = "wrong_mode"
}

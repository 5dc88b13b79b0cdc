/// Whose events are applied (R4). What is not accepted is stored, and judged again when this changes.
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

    /// Why an event is quarantined; nil if it is accepted. One that names no store, or no mode, is not accepted where
    /// one is required.
    ///
    /// - Parameters:
    ///   - testMode: `meta.test_mode` of the event.
    public func quarantine(storeID: String?, testMode: Bool?) -> QuarantineReason? {
        if let expected = self.storeID, storeID != expected { return .wrongStore(expected: expected, found: storeID) }
        let expected: Bool? =
            switch mode {
            case .any: nil
            case .live: false
            case .test: true
            }
        guard let expected, testMode != expected else { return nil }
        return .wrongMode(expected: mode, found: testMode)
    }
}

/// Why an event is quarantined (R4), and what would have been right.
public enum QuarantineReason: Sendable, Hashable {
    case wrongStore(expected: String, found: String?)
    case wrongMode(expected: Acceptance.Mode, found: Bool?)
}

extension QuarantineReason: CustomStringConvertible {
    /// As it is stored and answered: the word that programs look for, then what people want to know.
    public var description: String {
        switch self {
        case .wrongStore(let expected, let found):
            "wrong_store: expected \(expected), came \(found ?? "none")"
        case .wrongMode(let expected, let found):
            "wrong_mode: expected \(expected.rawValue), came \(found.map { $0 ? "test" : "live" } ?? "none")"
        }
    }
}

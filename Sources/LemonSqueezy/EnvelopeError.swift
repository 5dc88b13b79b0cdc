/// Why a signed body is not a usable event: it is stored as `rejected` and answered 400 (R2).
public enum EnvelopeError: String, Error, Hashable, Sendable, CaseIterable {
    /// Not one JSON document (RFC 8259) of valid UTF-8, or nested too deeply.
    case notJSON = "not_json"
    /// `meta.event_name` is missing or not a usable string.
    case noEventName = "no_event_name"
    /// `data` is missing, not an object, or does not say its type.
    case noData = "no_data"
}

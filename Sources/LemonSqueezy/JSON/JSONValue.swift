/// A JSON document as it was written: members keep their order, numbers their spelling, so that it can be written again
/// byte for byte. ``init(parsing:)`` reads one, ``wireBytes()`` writes it as the provider does.
public enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    /// The number's text: an id of 40 digits or `1e999` is kept, whatever machine type could not hold it.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([Member])

    /// A key and its value.
    public struct Member: Hashable, Sendable {
        public var key: String
        public var value: JSONValue

        public init(_ key: String, _ value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    /// The value of a key, which is compared byte by byte; of several members with that key the last one's. Nil if there
    /// is none, or if this is no object.
    public subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        // Most keys differ in length already.
        let length = key.utf8.count
        for place in members.indices.reversed()
        where members[place].key.utf8.count == length && members[place].key == key { return members[place].value }
        return nil
    }
}

/// Where a document stops being JSON.
public struct JSONSyntaxError: Error, Hashable, Sendable {
    /// The offset of the first byte that cannot be, in bytes from the beginning.
    public let offset: Int

    public init(offset: Int) { self.offset = offset }
}

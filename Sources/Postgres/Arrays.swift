/// Arrays of one dimension, NULLs included if the elements are optional. Bound in binary: the text form would have to
/// escape every element.
extension Array: PostgresEncodable where Element: PostgresArrayElement {
    public static var postgresType: PostgresType { Element.postgresArrayType }

    public func encode(into bytes: inout [UInt8]) {
        bytes.appendArray(
            of: Element.postgresType, count: count, isNull: { self[$0].isPostgresNull },
            encode: { self[$0].encode(into: &$1) })
    }
}

extension [UInt8] {
    /// Appends an array of one dimension.
    mutating func appendArray(
        of element: PostgresType, count: Int, isNull: (Int) -> Bool, encode: (Int, inout [UInt8]) -> Void
    ) {
        appendBigEndian(Int32(count == 0 ? 0 : 1))  // dimensions
        appendBigEndian(Int32((0..<count).contains(where: isNull) ? 1 : 0))
        appendBigEndian(element.rawValue)
        if count == 0 { return }
        appendBigEndian(Int32(count))
        appendBigEndian(Int32(1))  // lower bound
        for index in 0..<count {
            let start = self.count
            appendBigEndian(Int32(-1))
            if isNull(index) { continue }
            encode(index, &self)
            replaceBigEndian(Int32(self.count - start - 4), at: start)
        }
    }
}

extension Array: PostgresDecodable where Element: PostgresDecodable {
    public static func accepts(_ type: PostgresType) -> Bool {
        // Of a database's own types only the value itself says whether it is an array.
        type.element.map(Element.accepts) ?? type.isUserDefined
    }

    public static func decode(_ cell: PostgresCell) throws(PostgresDecodingError.Reason) -> [Element] {
        let bytes = try cell.notNull()
        guard bytes.count >= 12 else { throw .malformed }
        let dimensions = bytes.bigEndian(at: 0, as: Int32.self)
        let type = PostgresType(rawValue: bytes.bigEndian(at: 8))
        guard Element.accepts(type) else { throw .malformed }
        if dimensions == 0 { return [] }
        guard dimensions == 1, bytes.count >= 20 else { throw .malformed }
        let count = Int(bytes.bigEndian(at: 12, as: Int32.self))
        var offset = 20
        // Each element takes four bytes at least, so that a wrong count cannot reserve memory without end.
        guard count >= 0, count <= (bytes.count - offset) / 4 else { throw .malformed }
        var elements: [Element] = []
        elements.reserveCapacity(count)
        for _ in 0..<count {
            guard offset + 4 <= bytes.count else { throw .malformed }
            let length = Int(bytes.bigEndian(at: offset, as: Int32.self))
            offset += 4
            if length < 0 {
                elements.append(try Element.decode(PostgresCell(bytes: nil, type: type)))
                continue
            }
            guard offset + length <= bytes.count else { throw .malformed }
            let element = UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + length)])
            elements.append(try Element.decode(PostgresCell(bytes: element, type: type)))
            offset += length
        }
        return elements
    }
}

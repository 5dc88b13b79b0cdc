/// SQL and the values bound to its parameters.
///
/// An interpolated value is never SQL: `"select name from users where id = \(id)"` sends `$1` and, apart from it, the
/// value. What is to be SQL must say so: `"… order by \(unescaped: column)"`.
public struct PostgresQuery: Sendable {
    /// The SQL with `$1`, `$2`, … in place of the values; fit for a log.
    public internal(set) var sql: String
    var bindings = PostgresBindings()
}

extension PostgresQuery: ExpressibleByStringInterpolation {
    public init(stringLiteral value: String) {
        sql = value
    }

    /// Text that is trusted to be SQL, such as the contents of a file.
    public init(unescaped sql: String) {
        self.sql = sql
    }

    public init(stringInterpolation interpolation: StringInterpolation) {
        sql = interpolation.sql
        bindings = interpolation.bindings
    }

    /// Adds SQL as it stands. Never anything that came from outside.
    public mutating func append(unescaped sql: String) {
        self.sql.append(sql)
    }

    /// Adds a parameter of that type.
    ///
    /// - Parameter encode: appends the value in PostgreSQL's binary format; it is not called for a NULL.
    public mutating func bind(_ type: PostgresType, isNull: Bool = false, _ encode: (inout [UInt8]) -> Void) {
        bindings.append(type, isNull: isNull, encode)
        sql.append("$\(bindings.count)")
    }

    /// Adds a parameter that is an array of one dimension.
    ///
    /// - Parameters:
    ///   - element: the elements' type; the array's is known of those that `PostgresType` names.
    ///   - isNull: whether the element at an index is NULL; then it is not encoded.
    ///   - encode: appends the element at an index in PostgreSQL's binary format.
    public mutating func bind(
        arrayOf element: PostgresType, count: Int, isNull: (Int) -> Bool, encode: (Int, inout [UInt8]) -> Void
    ) {
        bind(element.array ?? .unknown) { bytes in
            bytes.appendArray(of: element, count: count, isNull: isNull, encode: encode)
        }
    }

    public struct StringInterpolation: StringInterpolationProtocol, Sendable {
        var sql = ""
        var bindings = PostgresBindings()

        public init(literalCapacity: Int, interpolationCount: Int) {
            sql.reserveCapacity(literalCapacity + interpolationCount * 3)
        }

        public mutating func appendLiteral(_ literal: String) {
            sql.append(literal)
        }

        /// Binds the value to the next parameter; `nil` as a NULL of its type.
        public mutating func appendInterpolation(_ value: some PostgresEncodable) {
            bindings.append(value)
            sql.append("$\(bindings.count)")
        }

        /// Binds an optional value. It says what the one above does; but without it the compiler takes every optional
        /// in a query for a mistake.
        public mutating func appendInterpolation<Value: PostgresEncodable>(_ value: Value?) {
            bindings.append(value)
            sql.append("$\(bindings.count)")
        }

        /// Inserts SQL as it stands. Never anything that came from outside.
        public mutating func appendInterpolation(unescaped sql: String) {
            self.sql.append(sql)
        }
    }
}

extension PostgresQuery: CustomStringConvertible {
    /// The SQL without values.
    public var description: String { sql }
}

/// The values of a query's parameters, encoded, one behind the other in one buffer.
struct PostgresBindings: Sendable {
    private(set) var types: [UInt32] = []
    /// Where each value lies in `bytes`; `nil` is NULL.
    private var ranges: [Range<Int>?] = []
    private var bytes: [UInt8] = []

    var count: Int { types.count }

    mutating func append<Value: PostgresEncodable>(_ value: Value) {
        append(Value.postgresType, isNull: value.isPostgresNull) { value.encode(into: &$0) }
    }

    mutating func append(_ type: PostgresType, isNull: Bool, _ encode: (inout [UInt8]) -> Void) {
        types.append(type.rawValue)
        if isNull { return ranges.append(nil) }
        let start = bytes.count
        encode(&bytes)
        ranges.append(start..<bytes.count)
    }

    /// The parameters as libpq's functions take them: pointers, lengths, formats (1 is binary).
    func withParameters<Result>(
        _ body: (_ values: [UnsafePointer<CChar>?], _ lengths: [Int32], _ formats: [Int32]) -> Result
    ) -> Result {
        // Never empty, so that an empty value has an address, too: a null pointer would mean NULL.
        (bytes.isEmpty ? [0] : bytes).withUnsafeBufferPointer { buffer in
            let base = UnsafeRawPointer(buffer.baseAddress)?.assumingMemoryBound(to: CChar.self)
            return body(
                ranges.map { range in range.flatMap { range in base.map { $0 + range.lowerBound } } },
                ranges.map { Int32($0?.count ?? 0) },
                Array(repeating: 1, count: ranges.count)
            )
        }
    }
}

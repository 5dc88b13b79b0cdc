/// Finds the bytes of the objects of a JSON:API document: what is stored of an object is what came, to the byte.
enum ObjectBytes {
    /// The places of the elements of the top-level member `data`, or of `data` itself if it is one object.
    ///
    /// - Parameter document: one JSON object that is known to be right.
    static func ranges(in document: [UInt8]) -> [Range<Int>] {
        var scanner = Scanner(bytes: document)
        return scanner.data()
    }

    private struct Scanner {
        let bytes: [UInt8]
        var index = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        private var byte: UInt8? { index < bytes.count ? bytes[index] : nil }

        mutating func data() -> [Range<Int>] {
            // Of several members with that key the last one counts, as everywhere.
            var found: [Range<Int>] = []
            skipSpace()
            guard byte == UInt8(ascii: "{") else { return [] }
            index += 1
            while index < bytes.count {
                skipSpace()
                guard byte == UInt8(ascii: "\"") else { break }
                let key = value()
                skipSpace()
                index += 1  // The colon.
                skipSpace()
                let isData = bytes[key].elementsEqual("\"data\"".utf8)
                if isData, byte == UInt8(ascii: "[") {
                    found = elements()
                } else {
                    let place = value()
                    if isData { found = bytes[place].first == UInt8(ascii: "{") ? [place] : [] }
                }
                skipSpace()
                guard byte == UInt8(ascii: ",") else { break }
                index += 1
            }
            return found
        }

        private mutating func elements() -> [Range<Int>] {
            var places: [Range<Int>] = []
            index += 1
            while index < bytes.count {
                skipSpace()
                if byte == UInt8(ascii: "]") { break }
                places.append(value())
                skipSpace()
                if byte == UInt8(ascii: ",") { index += 1 }
            }
            index += 1
            return places
        }

        /// Passes over one value.
        private mutating func value() -> Range<Int> {
            let start = index
            var depth = 0
            while let byte {
                switch byte {
                case UInt8(ascii: "\""): skipString()
                case UInt8(ascii: "{"), UInt8(ascii: "["):
                    depth += 1
                    index += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"):
                    if depth == 0 { return start..<index }
                    depth -= 1
                    index += 1
                case UInt8(ascii: ","), UInt8(ascii: ":"), 0x20, 0x0A, 0x0D, 0x09:
                    if depth == 0 { return start..<index }
                    index += 1
                default: index += 1
                }
                if depth == 0, byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") {
                    return start..<index
                }
            }
            return start..<index
        }

        private mutating func skipString() {
            index += 1
            while let byte, byte != UInt8(ascii: "\"") { index += byte == UInt8(ascii: "\\") ? 2 : 1 }
            index += 1
        }

        private mutating func skipSpace() {
            while let byte, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { index += 1 }
        }
    }
}

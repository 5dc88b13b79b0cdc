import Databases

extension String {
    /// Whether a column of so many characters can hold it, in either database.
    package func fits(_ lengths: ClosedRange<Int>) -> Bool {
        lengths.contains(unicodeScalars.count) && !unicodeScalars.contains("\0")
    }

    /// - Throws: `StoreError.conflict`.
    package func fitting(_ lengths: ClosedRange<Int>, _ what: String) throws {
        guard fits(lengths) else {
            throw StoreError.conflict(
                "\(what) has \(lengths.lowerBound) to \(lengths.upperBound) characters, none of them U+0000")
        }
    }
}

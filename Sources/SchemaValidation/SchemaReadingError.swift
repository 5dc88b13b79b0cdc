/// The answer to a query about the schema lacks something that the query always returns.
public struct SchemaReadingError: Error, Hashable, CustomStringConvertible {
    public let description: String
}

/// A row of an answer.
extension [String?] {
    /// - Throws: `SchemaReadingError` if the column is null, or not there.
    func text(_ column: Int) throws(SchemaReadingError) -> String {
        guard let text = optionalText(column) else {
            throw SchemaReadingError(description: "column \(column + 1) of a row about the schema holds no text")
        }
        return text
    }

    func optionalText(_ column: Int) -> String? { column < count ? self[column] : nil }
}

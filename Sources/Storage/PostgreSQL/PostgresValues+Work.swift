import Foundation
public import Postgres
public import Selextract

extension ScrapingTask.Status: PostgresArrayElement, PostgresDecodable {}
extension TaskLog.Level: PostgresArrayElement, PostgresDecodable {}

extension PostgresJSON {
    init(_ value: MetadataValue) throws {
        self.init(text: String(decoding: try value.json(), as: UTF8.self))
    }

    /// A row of a shared table that `to_jsonb` wrote: the models' coding keys are its columns.
    func row<Row: Decodable>(_ type: Row.Type = Row.self) throws -> Row {
        do {
            let decoder = JSONDecoder()
            decoder.userInfo[.isStoredJSON] = true
            return try decoder.decode(Row.self, from: Data(text.utf8))
        } catch {
            // The error's own text may hold values.
            throw StoreError.failed("the row cannot be read as \(Row.self)")
        }
    }
}

extension PostgresRows {
    /// The rows of a query whose only column is `to_jsonb` of a row.
    func rows<Row: Decodable>(_ type: Row.Type = Row.self) throws -> [Row] {
        try map { try $0.decode(PostgresJSON.self).row() }
    }
}

extension PostgresDate {
    init?(_ day: UsageDay) {
        let (year, month, day) = day.parts
        self.init(year: year, month: month, day: day)
    }
}

public import Databases
import Foundation
public import Selextract

// Columns that hold a model's own types.

extension UsageDay: StoredValue {
    @usableFromInline package static var sqlType: SQLType { .day }
    @usableFromInline package var sqlValue: SQLValue { .day(self) }

    @usableFromInline
    package init?(sqlValue: SQLValue) {
        switch sqlValue {
        case .day(let day): self = day
        case .text(let text): self.init(text)
        default: return nil
        }
    }
}

extension MetadataValue: StoredValue {
    @usableFromInline package static var sqlType: SQLType { .json }

    /// Whoever writes one has seen that it can be written: a number that is not finite cannot.
    @usableFromInline package var sqlValue: SQLValue {
        (try? json()).map { .json(String(decoding: $0, as: UTF8.self)) } ?? .null
    }

    @usableFromInline
    package init?(sqlValue: SQLValue) {
        guard let text = String(sqlValue: sqlValue) else { return nil }
        // SQLite takes for JSON what Foundation does not, as half a surrogate pair: then it is a text.
        self = (try? MetadataValue(json: Data(text.utf8), isStored: true)) ?? .string(text)
    }
}

extension ScrapingTask.Status: StoredValue {}
extension TaskLog.Level: StoredValue {}
extension UserSubscription.Source: StoredValue {}

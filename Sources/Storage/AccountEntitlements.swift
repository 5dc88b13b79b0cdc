import Foundation
import Schema

/// The text of the view `account_entitlements`. It has one place for the moment, so that it can be asked about any.
enum AccountEntitlements {
    /// PostgreSQL's text before and after the expression for the moment.
    static var aroundMoment: (head: String, tail: String) {
        get throws { try split(Schema.postgreSQL.map(\.sql).joined(separator: "\n"), moment: "now()") }
    }

    static func split(_ sql: String, moment: String) throws -> (head: String, tail: String) {
        guard let view = sql.range(of: "view account_entitlements as", options: .backwards),
            let end = sql.range(of: ";", range: view.upperBound..<sql.endIndex),
            let place = sql.range(of: "select \(moment) as at", range: view.upperBound..<end.lowerBound)
        else { throw StoreError.schema("the view account_entitlements has no place for the moment") }
        let before = sql.index(place.lowerBound, offsetBy: "select ".count)
        let after = sql.index(before, offsetBy: moment.count)
        return (String(sql[view.upperBound..<before]), String(sql[after..<end.lowerBound]))
    }
}

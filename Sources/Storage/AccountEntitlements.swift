import Foundation
import Schema

/// The text of the view `account_entitlements`, around its one place for the moment, so that it can be asked about any.
struct AccountEntitlements {
    /// Up to the expression for the moment.
    let head: String
    /// From behind it.
    let tail: String

    static let postgreSQL = AccountEntitlements(Schema.postgreSQL, moment: "now()")
    static let sqlite = AccountEntitlements(Schema.sqlite, moment: SQLiteStore.moment)

    /// The view as the last migration that speaks of it creates it.
    private init(_ migrations: [Schema.Migration], moment: String) {
        let sql = migrations.map(\.sql).joined(separator: "\n")
        guard let view = sql.range(of: "view account_entitlements as", options: .backwards),
            let end = sql.range(of: ";", range: view.upperBound..<sql.endIndex),
            let place = sql.range(of: "select \(moment) as at", range: view.upperBound..<end.lowerBound)
        else { preconditionFailure("the view account_entitlements has no place for the moment") }
        let before = sql.index(place.lowerBound, offsetBy: "select ".count)
        let after = sql.index(before, offsetBy: moment.count)
        head = String(sql[view.upperBound..<before])
        tail = String(sql[after..<end.lowerBound])
    }
}

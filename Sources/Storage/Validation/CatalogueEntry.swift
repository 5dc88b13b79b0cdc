/// One thing that a database's catalogue knows.
struct CatalogueEntry: Hashable {
    enum Kind: String, CaseIterable {
        case `extension`, table, column
        case primaryKey = "primary key"
        case unique
        case foreignKey = "foreign key"
        case check, exclusion, index, function, trigger, rule, view
        /// A row of `subscription_plans` that is there from the start.
        case plan
    }

    var kind: Kind
    /// The table it belongs to; of a table, itself.
    var table: String?
    /// By which it is found again. A constraint has none that matters: what it is about takes the place.
    var name: String
    /// All else, in one spelling: a type, a default, what a foreign key does.
    var definition: String
}

extension CatalogueEntry {
    /// As a sentence names it.
    var subject: String {
        let table = table ?? ""
        return switch kind {
        case .column: "column \(table).\(name)"
        case .primaryKey: "the primary key of \(table)"
        case .unique: "unique \(name) of \(table)"
        case .foreignKey: "foreign key \(name) of \(table)"
        case .check: "check (\(name)) of \(table)"
        case .exclusion: "exclusion \(name) of \(table)"
        case .index: "index \(name)"
        case .trigger, .rule: "\(kind.rawValue) \(name) on \(table)"
        case .extension, .table, .function, .view, .plan: "\(kind.rawValue) \(name)"
        }
    }

    /// Whether it can change what this program's statements do, although the program does not know it. Tables, indexes
    /// and columns that need no value are other programs' own affair.
    var isHarmful: Bool {
        switch kind {
        case .primaryKey, .unique, .foreignKey, .check, .exclusion, .trigger, .rule: true
        case .index: definition.hasPrefix("unique")
        case .column:
            definition.contains(" not null") && !definition.contains(" default ")
                && !definition.contains(" generated ")
        case .extension, .table, .function, .view, .plan: false
        }
    }

    /// One that nobody is told of: a database may hold any number of them beside ours.
    var isNobodysConcern: Bool {
        switch kind {
        case .extension, .function, .view, .plan: true
        default: false
        }
    }
}

extension SchemaSnapshot {
    /// One thing of a database: a table, a column, a constraint.
    public struct Entry: Sendable, Hashable {
        /// As sentences and the text of a snapshot name it.
        public enum Kind: String, Sendable, CaseIterable {
            case `extension`, table, column
            case primaryKey = "primary key"
            case unique
            case foreignKey = "foreign key"
            case check, exclusion, index, function, trigger, rule, view
            /// A row of `subscription_plans` that is there from the start.
            case plan
        }

        public var kind: Kind
        /// The table it belongs to; of a table, itself.
        public var table: String?
        /// By which it is found again. A constraint has none that matters: what it is about takes the place.
        public var name: String
        /// All else, in one spelling: a type, a default, what a foreign key does.
        public var definition: String

        public init(kind: Kind, table: String?, name: String, definition: String) {
            self.kind = kind
            self.table = table
            self.name = name
            self.definition = definition
        }
    }
}

extension SchemaSnapshot.Entry {
    private static let plans = "subscription_plans"

    init(plan id: String) { self.init(kind: .plan, table: Self.plans, name: id, definition: "") }

    /// Whether it is the column that plans are known by.
    fileprivate var isPlanID: Bool { kind == .column && table == Self.plans && name == "id" }
}

extension [SchemaSnapshot.Entry] {
    /// Whether plans can be read.
    var havePlans: Bool { contains(where: \.isPlanID) }
}

extension SchemaSnapshot.Entry {
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

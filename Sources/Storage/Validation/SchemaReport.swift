/// Where a database is not what this program expects.
public struct SchemaReport: Sendable, Hashable {
    public enum Problem: String, Sendable {
        case missing, different, unexpected
    }

    public struct Difference: Sendable, Hashable {
        /// `table`, `column`, `index`, `foreign key`, … or `migration`.
        public var kind: String
        /// The table it belongs to, if it belongs to one.
        public var table: String?
        public var name: String
        public var problem: Problem
        /// For people, without an end stop.
        public var sentence: String
    }

    /// What this program may stumble over.
    public var differences: [Difference]
    /// What other programs have added, as sentences; it does no harm.
    public var notes: [String]
}

extension SchemaReport {
    /// Whether the rows of `schema_migrations` can be read.
    enum MigrationRecord {
        case sound, missing
        /// It is there, but not as this program reads it; maybe it is another program's.
        case damaged
    }

    var migrationRecord: MigrationRecord {
        let table = "schema_migrations"
        let isMissing = differences.contains { $0.kind == "table" && $0.name == table && $0.problem == .missing }
        if isMissing { return .missing }
        let isDamaged = differences.contains {
            $0.kind == "table" && $0.name == table
                || $0.kind == "column" && $0.table == table && $0.problem != .unexpected
        }
        return isDamaged ? .damaged : .sound
    }
}

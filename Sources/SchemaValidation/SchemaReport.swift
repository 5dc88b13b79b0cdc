/// Where a database is not what this program expects.
public struct SchemaReport: Sendable, Hashable {
    /// `unexpected`: it is there beside what is expected, and can refuse or change what this program writes.
    public enum Problem: String, Sendable {
        case missing, different, unexpected
    }

    /// One thing that is not as expected.
    public struct Difference: Sendable, Hashable {
        /// `table`, `column`, `index`, `foreign key`, … or `migration`.
        public var kind: String
        /// The table it belongs to, if it belongs to one.
        public var table: String?
        /// By which it is told from others of its kind and table; of a check, its expression.
        public var name: String
        public var problem: Problem
        /// For people, without an end stop.
        public var sentence: String

        public init(kind: String, table: String? = nil, name: String, problem: Problem, sentence: String) {
            self.kind = kind
            self.table = table
            self.name = name
            self.problem = problem
            self.sentence = sentence
        }
    }

    /// What this program may stumble over.
    public var differences: [Difference]
    /// What other programs have added, as sentences; it does no harm.
    public var notes: [String]

    public init(differences: [Difference], notes: [String]) {
        self.differences = differences
        self.notes = notes
    }
}

extension SchemaReport {
    /// Whether the rows of `schema_migrations` can be read.
    public enum MigrationRecord: Sendable {
        case sound, missing
        /// It is there, but not as this program reads it; maybe it is another program's.
        case damaged
    }

    /// What the differences say of `schema_migrations`, which is to be asked before its rows are read.
    public var migrationRecord: MigrationRecord {
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

import SchemaValidation
import Testing

@Suite struct ComparisonTests {
    private typealias Entry = SchemaSnapshot.Entry

    private static let table = Entry(kind: .table, table: "tasks", name: "tasks", definition: "table")
    private static let name = Entry(kind: .column, table: "tasks", name: "name", definition: "text not null")
    private static let check = Entry(
        kind: .check, table: "tasks", name: "length(name::text) > 3", definition: "")
    private static let expected = snapshot(table, name, check)

    private static func snapshot(version: Int = 15, _ entries: Entry...) -> SchemaSnapshot {
        SchemaSnapshot(version: version, entries: entries)
    }

    private static func sentences(_ found: SchemaSnapshot) -> [String] {
        expected.compare(found).differences.map(\.sentence)
    }

    @Test func `a snapshot does not differ from itself, in whatever order it was read`() {
        let found = Self.snapshot(Self.check, Self.name, Self.table)
        #expect(found == Self.expected)
        #expect(Self.expected.compare(found) == SchemaReport(differences: [], notes: []))
    }

    @Test func `a missing table says it for all that belongs to it`() {
        let table = SchemaReport.Difference(
            kind: "table", name: "tasks", problem: .missing, sentence: "table tasks is missing")
        #expect(
            Self.expected.compare(Self.snapshot()) == SchemaReport(differences: [table], notes: []))
    }

    @Test func `what is missing, different and unexpected is named with its table`() {
        let name = Entry(kind: .column, table: "tasks", name: "name", definition: "text")
        let trigger = Entry(kind: .trigger, table: "tasks", name: "meddle", definition: "")
        let report = Self.expected.compare(Self.snapshot(Self.table, name, trigger))
        #expect(
            report.differences == [
                SchemaReport.Difference(
                    kind: "column", table: "tasks", name: "name", problem: .different,
                    sentence: "column tasks.name: expected text not null, found text"),
                SchemaReport.Difference(
                    kind: "check", table: "tasks", name: "length(name::text) > 3", problem: .missing,
                    sentence: "check (length(name::text) > 3) of tasks is missing"),
                SchemaReport.Difference(
                    kind: "trigger", table: "tasks", name: "meddle", problem: .unexpected,
                    sentence: "trigger meddle on tasks is not expected"),
            ])
    }

    @Test func `only between servers of different versions the spelling of casts does not count`() {
        let check = Entry(kind: .check, table: "tasks", name: "(length(tasks.name) > 3)", definition: "")
        #expect(Self.sentences(Self.snapshot(version: 16, Self.table, Self.name, check)) == [])
        #expect(
            Self.sentences(Self.snapshot(Self.table, Self.name, check)) == [
                "check (length(name::text) > 3) of tasks is missing",
                "check ((length(tasks.name) > 3)) of tasks is not expected",
            ])
    }

    @Test func `what other programs add without harm is a note, or nothing`() {
        let found = Self.snapshot(
            Self.table, Self.name, Self.check, Self.check,
            Entry(kind: .table, table: "invoices", name: "invoices", definition: "table"),
            Entry(kind: .check, table: "invoices", name: "id > 0", definition: ""),
            Entry(kind: .column, table: "tasks", name: "tag", definition: "text not null default ''"),
            Entry(kind: .view, table: nil, name: "everybody", definition: "select 1"))
        let notes = [
            "table invoices is not this program's", "column tasks.tag is not expected",
            "a further check (length(name::text) > 3) of tasks is not expected",
        ]
        #expect(Self.expected.compare(found) == SchemaReport(differences: [], notes: notes))
    }

    @Test(
        arguments: [
            ([], .sound),
            ([("table", nil, "schema_migrations", .missing)], .missing),
            ([("table", nil, "schema_migrations", .different)], .damaged),
            ([("column", "schema_migrations", "version", .different)], .damaged),
            ([("column", "schema_migrations", "remark", .unexpected)], .sound),
            ([("column", "tasks", "version", .missing)], .sound),
        ] as [([(String, String?, String, SchemaReport.Problem)], SchemaReport.MigrationRecord)])
    func `the record of migrations is read only if it is one`(
        differences: [(String, String?, String, SchemaReport.Problem)], record: SchemaReport.MigrationRecord
    ) {
        let report = SchemaReport(
            differences: differences.map {
                SchemaReport.Difference(kind: $0.0, table: $0.1, name: $0.2, problem: $0.3, sentence: "")
            }, notes: [])
        #expect(report.migrationRecord == record)
    }
}

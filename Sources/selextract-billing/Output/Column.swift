/// One property of a row: a column of a table, a line of a record, a key in JSON.
struct Column<Row>: Sendable {
    /// `snake_case`, stable: scripts rely on it.
    let key: String
    /// Whether a table shows it, too; records and JSON always do.
    let isInTable: Bool
    let cell: @Sendable (Row) -> Cell

    /// At the head of a table's column, where a key may be too long.
    let title: String

    init(
        _ key: String, title: String? = nil, inTable isInTable: Bool = true, _ cell: @escaping @Sendable (Row) -> Cell
    ) {
        self.key = key
        self.title = title ?? key.split(separator: "_").joined(separator: " ")
        self.isInTable = isInTable
        self.cell = cell
    }
}

/// Rows in columns as wide as they need to be; numbers stand on the right.
struct TextTable {
    private let titles: [String]
    private let cells: [[Cell]]

    init<Row>(_ columns: [Column<Row>], _ rows: [Row]) {
        let shown = columns.filter(\.isInTable)
        titles = shown.map(\.title)
        cells = rows.map { row in shown.map { $0.cell(row) } }
    }

    /// Each line ends with a newline, and none with a blank.
    var text: String {
        let texts = cells.map { $0.map(\.description) }
        let widths = titles.indices.map { column in
            ([titles[column]] + texts.map { $0[column] }).map(\.count).max() ?? 0
        }
        let isNumeric = titles.indices.map { column in cells.contains { $0[column].isNumber } }
        return ([titles] + texts).map { line in
            let padded = line.indices.map { column in
                let padding = String(repeating: " ", count: widths[column] - line[column].count)
                return isNumeric[column] ? padding + line[column] : line[column] + padding
            }
            let text = padded.joined(separator: "  ")
            return text.prefix(text.count - text.reversed().prefix { $0 == " " }.count) + "\n"
        }.joined()
    }
}

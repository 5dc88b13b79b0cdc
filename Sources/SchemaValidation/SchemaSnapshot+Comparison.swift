extension SchemaSnapshot {
    /// What is not as in this snapshot, the expected one. If the two are of servers of different versions, parentheses,
    /// casts and the names of tables before columns do not count.
    public func compare(_ found: SchemaSnapshot) -> SchemaReport {
        let isLoose = found.version != version
        // A table may have several constraints over the same columns.
        var rest = Dictionary(grouping: found.entries) { Key($0, isLoose) }
        var report = SchemaReport(differences: [], notes: [])
        var missing: Set<String> = []
        for entry in entries {
            // A table that is missing says it for all that belongs to it.
            if let table = entry.table, missing.contains(table) { continue }
            let key = Key(entry, isLoose)
            let others = rest[key] ?? []
            guard !others.isEmpty else {
                if entry.kind == .table { missing.insert(entry.name) }
                report.differences.append(SchemaReport.Difference(entry, .missing, "\(entry.subject) is missing"))
                continue
            }
            let same = others.firstIndex { entry.isSame(as: $0, loosely: isLoose) }
            let other = others[same ?? 0]
            rest[key]?.remove(at: same ?? 0)
            if same == nil {
                report.differences.append(SchemaReport.Difference(entry, .different, entry.sentence(found: other)))
            }
        }
        let left = SchemaSnapshot(version: found.version, entries: rest.values.flatMap(\.self))
        let ours = Set(tables)
        for entry in left.entries where !entry.isNobodysConcern {
            if entry.kind == .table {
                report.notes.append("\(entry.subject) is not this program's")
            } else if ours.contains(entry.table ?? "") {
                let twins = entries.filter { Key($0, isLoose) == Key(entry, isLoose) }
                // One that says the same once more refuses nothing more.
                let isSaidAlready = twins.contains { $0.isSame(as: entry, loosely: isLoose) }
                let sentence = entry.sentence(isFurther: !twins.isEmpty)
                if entry.isHarmful && !isSaidAlready {
                    report.differences.append(SchemaReport.Difference(entry, .unexpected, sentence))
                } else {
                    report.notes.append(sentence)
                }
            }
        }
        return report
    }

    /// By which an entry of one snapshot is found in another.
    private struct Key: Hashable {
        var kind: Entry.Kind
        var table: String?
        var name: String

        /// The name of a check is its expression, which servers of other versions spell otherwise.
        init(_ entry: Entry, _ isLoose: Bool) {
            kind = entry.kind
            table = entry.table
            name = isLoose && entry.kind == .check ? SQLText(entry.name).loosened.description : entry.name
        }
    }
}

extension SchemaSnapshot.Entry {
    fileprivate func isSame(as other: Self, loosely: Bool) -> Bool {
        definition == other.definition
            || loosely && SQLText(definition).loosened == SQLText(other.definition).loosened
    }

    fileprivate func sentence(found other: Self) -> String {
        let (expected, found) = excerpts(definition, other.definition)
        return "\(subject): expected \(expected), found \(found)"
    }

    /// - Parameter isFurther: There is an expected one of the same subject, so that only the rest tells them apart.
    fileprivate func sentence(isFurther: Bool) -> String {
        if !isFurther { return "\(subject) is not expected" }
        return "a further \(subject) is not expected" + (definition.isEmpty ? "" : ": \(definition)")
    }

    /// Of long texts the place where they part.
    private func excerpts(_ expected: String, _ found: String) -> (String, String) {
        if max(expected.count, found.count) <= 100 { return (spoken(expected), spoken(found)) }
        let common = zip(expected, found).prefix { $0 == $1 }.count
        func excerpt(_ text: String) -> String {
            let begin = max(0, common - 30)
            let part = text.dropFirst(begin).prefix(80)
            let end = begin + part.count
            return "“\(begin > 0 ? "… " : "")\(part.drop { $0 == " " })\(end < text.count ? " …" : "")”"
        }
        return (excerpt(expected), excerpt(found))
    }

    private func spoken(_ definition: String) -> String { definition.isEmpty ? "nothing more" : definition }
}

extension SchemaReport.Difference {
    fileprivate init(_ entry: SchemaSnapshot.Entry, _ problem: SchemaReport.Problem, _ sentence: String) {
        self.init(
            kind: entry.kind.rawValue, table: entry.kind == .table ? nil : entry.table, name: entry.name,
            problem: problem, sentence: sentence)
    }
}

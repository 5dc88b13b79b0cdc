public import Foundation

/// The payload files, found from this file's own place.
public enum Fixtures {
    public static let repository = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    public static let tests = repository.appendingPathComponent("Tests")
    private static let root = repository.appendingPathComponent("fixtures")

    /// The events that have a file in `fixtures/events`.
    public static let eventNames = names(in: root.appendingPathComponent("events"))
        .map { String($0.dropLast(".json".count)) }
    public static let scenarioNames = names(in: root.appendingPathComponent("scenarios"))

    public static func event(_ name: String) throws -> [UInt8] {
        try bytes(root.appendingPathComponent("events/\(name).json"))
    }

    /// The scenarios that tell of no variant which is known to mean a plan.
    public static let withoutPlan: Set = ["unknown-variant", "mistakes-unknown-variant-is-no-limit"]

    /// The files of a scenario in order, each with its name.
    public static func scenario(_ name: String) throws -> [(file: String, body: [UInt8])] {
        let folder = root.appendingPathComponent("scenarios/\(name)")
        return try names(in: folder).map { ($0, try bytes(folder.appendingPathComponent($0))) }
    }

    /// Every payload there is, each with a name to tell it by.
    public static func all() throws -> [(name: String, body: [UInt8])] {
        try eventNames.map { ("events/\($0)", try event($0)) }
            + scenarioNames.flatMap { scenario in
                try self.scenario(scenario).map { ("\(scenario)/\($0.file)", $0.body) }
            }
    }

    private static func bytes(_ file: URL) throws -> [UInt8] { [UInt8](try Data(contentsOf: file)) }

    /// Sorted, without hidden files; no folder is no names, which the tests' counts notice.
    private static func names(in folder: URL) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { !$0.hasPrefix(".") }.sorted()
    }
}

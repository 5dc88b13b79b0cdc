import Configuration
public import Foundation

extension Settings {
    /// Environment variables, then the file `.env` of the working directory, then defaults.
    ///
    /// - Parameters:
    ///   - environment: the variables, by name.
    ///   - directory: where `.env` is looked for.
    /// - Returns: every setting, with its default where neither names it.
    /// - Throws: `SettingsError` for the first that is wrong.
    public static func load(
        environment: [String: String] = ProcessInfo.processInfo.environment,
        directory: String = FileManager.default.currentDirectoryPath
    ) throws(SettingsError) -> Settings {
        let file = try EnvironmentFile(path: directory + "/.env")
        return try Settings(
            reader: ConfigReader(providers: [
                provider(environment), provider(file?.variables ?? [:]),
            ]))
    }

    private static func provider(_ variables: [String: String]) -> EnvironmentVariablesProvider {
        let secrets = Set(Setting.all.filter(\.isSecret).map(\.name))
        return EnvironmentVariablesProvider(environmentVariables: variables, secretsSpecifier: .specific(secrets))
    }
}

/// A `.env` file: `NAME=value` a line, `#` begins a comment line.
///
/// A value is what stands behind the `=`, to the end of the line and without change: quotes and blanks belong to it, for a
/// password may hold either.
struct EnvironmentFile {
    let variables: [String: String]

    init(text: String) {
        var variables: [String: String] = [:]
        // Of "\r\n" Swift makes one character, so splitting there leaves no "\r" behind.
        for line in text.split(whereSeparator: { $0 == "\n" || $0 == "\r\n" }) {
            guard let equals = line.firstIndex(of: "="), !line.hasPrefix("#") else { continue }
            let name = line[..<equals].trimmingCharacters(in: .whitespaces)
            guard !name.isEmpty else { continue }
            variables[name] = String(line[line.index(after: equals)...])
        }
        self.variables = variables
    }

    /// - Returns: nil if there is no such file.
    /// - Throws: `SettingsError` if it cannot be read.
    init?(path: String) throws(SettingsError) {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        guard let data = FileManager.default.contents(atPath: path), let text = String(data: data, encoding: .utf8)
        else { throw SettingsError(path, expected: "a file of UTF-8 text that this program may read") }
        self.init(text: text)
    }
}

import Configuration
public import Foundation

extension Settings {
    /// Environment variables, then the file `.env` of the working directory, then defaults.
    ///
    /// - Parameter directory: where `.env` is looked for.
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

import Foundation

/// `bench` measures, `bench bare PORT FILE` is what some of it is compared with.
@main
enum Main {
    static func main() async {
        let arguments = CommandLine.arguments
        do {
            if arguments.count == 4, arguments[1] == "bare", let port = Int(arguments[2]) {
                try await BareServer.run(port: port, file: arguments[3])
            } else {
                exit(try Bench().run() ? 0 : 1)
            }
        } catch {
            FileHandle.standardError.write(Data("bench: \(error)\n".utf8))
            exit(1)
        }
    }
}

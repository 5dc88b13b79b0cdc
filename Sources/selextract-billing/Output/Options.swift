import ArgumentParser
import Foundation

/// Text for people, or JSON for programs.
struct OutputOptions: ParsableArguments {
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, json
    }

    @Option(help: "How to print.")
    var format: Format = .text

    func print(_ document: Document) throws {
        let bytes = format == .json ? try document.json : Data(document.text.utf8)
        try FileHandle.standardOutput.write(contentsOf: bytes)
    }

    func print(_ build: (inout Document) -> Void) throws {
        var document = Document()
        build(&document)
        try print(document)
    }
}

import Foundation
import Payloads
import Testing

@testable import selextract_billing

/// The scenarios inside the program are those of `fixtures/scenarios`.
@Suite struct DemoDeliveriesTests {
    private static let file = Fixtures.repository.appendingPathComponent(
        "Sources/selextract-billing/Demo/DemoDeliveries.swift")

    /// With UPDATE_DEMO=1 it writes the file instead; then the program has to be built again.
    @Test("The deliveries inside the program are those of the files, byte for byte")
    func deliveries() throws {
        var bodies: [[UInt8]] = []
        var rows = ""
        for scenario in Demo.choice {
            for (file, body) in try Fixtures.scenario(scenario) {
                let text = try #require(String(validating: body, as: UTF8.self))
                // Otherwise it could not stand in a literal of one line.
                try #require(!text.contains(#/[\p{Cc}]|"##/#), "\(scenario)/\(file)")
                bodies.append(body)
                rows += "        (\"\(scenario)\", \"\(file)\", ##\"\(text)\"##),\n"
            }
        }
        let source = """
            // swift-format-ignore-file

            extension Demo {
                /// The files of the chosen scenarios, written by DemoDeliveriesTests.
                ///
                /// Literals, because they compile in no time: as a resource, an array of bytes, they would take half a minute
                /// and two gigabytes of memory.
                static let deliveries: [(scenario: String, file: String, body: String)] = [
            \(rows)    ]
            }

            """
        if ProcessInfo.processInfo.environment["UPDATE_DEMO"] != nil {
            try Data(source.utf8).write(to: Self.file)
            return
        }
        let isUpToDate = try String(contentsOf: Self.file, encoding: .utf8) == source
        #expect(isUpToDate, "UPDATE_DEMO=1 make test FILTER=DemoDeliveriesTests")
        let isInside = Demo.deliveries.map { Array($0.body.utf8) } == bodies
        #expect(isInside, "build the program again")
    }
}

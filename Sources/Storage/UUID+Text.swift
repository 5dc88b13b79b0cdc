package import Foundation

extension UUID {
    /// As people write it.
    package var text: String { uuidString.lowercased() }
}

import Foundation

/// JSON that a test looks into.
struct JSON: @unchecked Sendable {
    // Proof: what JSONSerialization makes is never changed.
    private let value: Any?

    init(_ value: Any?) { self.value = value }

    subscript(key: String) -> JSON { JSON((value as? [String: Any])?[key]) }
    subscript(index: Int) -> JSON {
        let rows = value as? [Any]
        return JSON(rows?.indices.contains(index) == true ? rows?[index] : nil)
    }

    var text: String? { value as? String }
    var number: Int? { value as? Int }
    var flag: Bool? { value as? Bool }
    var isNull: Bool { value is NSNull }
    var rows: [JSON] { (value as? [Any])?.map(JSON.init) ?? [] }
    var keys: Set<String> { Set((value as? [String: Any])?.keys.map { $0 } ?? []) }
}

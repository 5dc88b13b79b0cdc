import Foundation
import LemonSqueezy

/// A fixture of an event with holes, so that bodies of the real size and shape are made faster than they are posted.
struct Template {
    enum Hole: UInt8, CaseIterable {
        // Control characters, from 1 on.
        case user = 1
        case webhook, subscription, customer, order, invoice, email, variant, status, cancelled, reason
        case createdAt, updatedAt, renewsAt, endsAt, expires, anchor
    }

    private enum Piece {
        case text([UInt8])
        case hole(Hole)
    }

    private let pieces: [Piece]

    init(event: String, root: String) throws {
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(root)/fixtures/events/\(event).json")))
        let document = try JSONValue(parsing: bytes)
        guard let data = document["data"], let attributes = data["attributes"] else {
            throw Failure("\(event) is empty")
        }
        // Control characters, which no document has, mark the holes.
        var text = String(decoding: document.wireBytes(), as: UTF8.self)
        func replace(_ old: JSONValue?, _ hole: Hole) {
            switch old {
            case .string(let value), .number(let value): text = text.replacing(value, with: hole.mark)
            default: break
            }
        }
        func fill(_ name: String, _ hole: Hole) {
            let ends: Set<Character> = [",", "}"]
            var parts = text.components(separatedBy: "\"\(name)\":")
            for index in parts.indices.dropFirst() {
                let isText = parts[index].first == "\""
                let value = parts[index].dropFirst(isText ? 1 : 0).prefix { isText ? $0 != "\"" : !ends.contains($0) }
                parts[index] = hole.mark + parts[index].dropFirst(value.count + (isText ? 2 : 0))
            }
            text = parts.joined(separator: "\"\(name)\":")
        }
        replace(document["meta"]?["custom_data"]?["user_id"], .user)
        replace(document["meta"]?["webhook_id"], .webhook)
        replace(attributes["customer_id"], .customer)
        replace(attributes["user_email"], .email)
        switch data["type"] {
        case .string("subscriptions"):
            replace(data["id"], .subscription)
            replace(attributes["order_id"], .order)
        case .string("subscription-invoices"):
            replace(data["id"], .invoice)
            replace(attributes["subscription_id"], .subscription)
        default: replace(data["id"], .order)
        }
        for (name, hole) in [
            ("variant_id", Hole.variant), ("status", .status), ("cancelled", .cancelled), ("billing_reason", .reason),
            ("created_at", .createdAt), ("updated_at", .updatedAt), ("renews_at", .renewsAt), ("ends_at", .endsAt),
            ("billing_anchor", .anchor),
        ] {
            fill(name, hole)
        }
        var parts = text.components(separatedBy: "expires=")
        for index in parts.indices.dropFirst() {
            parts[index] = Hole.expires.mark + parts[index].drop { $0.isNumber }
        }
        pieces = Self.pieces(Array(parts.joined(separator: "expires=").utf8))
    }

    private static func pieces(_ bytes: [UInt8]) -> [Piece] {
        var pieces: [Piece] = []
        var start = 0
        for (index, byte) in bytes.enumerated() {
            guard let hole = Hole(rawValue: byte) else { continue }
            pieces += [.text(Array(bytes[start..<index])), .hole(hole)]
            start = index + 1
        }
        return pieces + [.text(Array(bytes[start...]))]
    }

    func body(_ values: [Hole: String]) -> [UInt8] {
        var body: [UInt8] = []
        body.reserveCapacity(4096)
        for piece in pieces {
            switch piece {
            case .text(let text): body += text
            case .hole(let hole): body += (values[hole] ?? "null").utf8
            }
        }
        return body
    }
}

extension Template.Hole {
    fileprivate var mark: String { String(UnicodeScalar(rawValue)) }
}

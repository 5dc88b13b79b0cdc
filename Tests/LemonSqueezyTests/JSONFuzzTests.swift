import Foundation
import Payloads
import Testing

@testable import LemonSqueezy

/// Our parser against Foundation's, on documents from a seed; the seed is the test's argument, so a failure names it.
@Suite("JSON parser against Foundation's")
struct JSONFuzzTests {
    static let seeds: [UInt64] = Array(1...8) + [UInt64.random(in: 100 ... .max)]

    @Test("A random document is read as Foundation reads it, in any spelling", arguments: seeds)
    func validDocuments(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        for _ in 0..<300 {
            let value = RandomJSON.value(depth: 5, using: &random)
            let spelled = RandomJSON.spell(value, using: &random)
            let parsed = try JSONValue(parsing: spelled)
            #expect(parsed == value)
            #expect(try JSONValue(parsing: value.wireBytes()) == parsed)
            let reference = try JSONSerialization.jsonObject(with: Data(spelled), options: .fragmentsAllowed)
            #expect(agrees(parsed, reference), "\(String(decoding: spelled, as: UTF8.self))")
            #expect(
                try JSONValue(parsing: value.canonicalBytes()).canonicalBytes()
                    == value.canonicalBytes())
        }
    }

    @Test("A damaged document is accepted or refused as by Foundation", arguments: seeds)
    func damagedDocuments(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var refused = 0
        for _ in 0..<1500 {
            var bytes = RandomJSON.spell(RandomJSON.value(depth: 3, using: &random), using: &random)
            for _ in 0...Int.random(in: 0...2, using: &random) { damage(&bytes, using: &random) }
            // Foundation guesses UTF-16 and UTF-32 from zeros and byte order marks, which RFC 8259 does not have.
            guard !bytes.contains(0), !bytes.contains(0xFE), !bytes.contains(0xFF) else { continue }
            let ours = try? JSONValue(parsing: bytes)
            let reference = try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
            if ours == nil { refused += 1 }
            guard !isKnownDifference(bytes, ours) else { continue }
            #expect((ours == nil) == (reference == nil), "\(String(decoding: bytes, as: UTF8.self).debugDescription)")
            if let ours, let reference {
                #expect(agrees(ours, reference), "\(String(decoding: bytes, as: UTF8.self).debugDescription)")
            }
        }
        #expect(refused > 100)
    }

    @Test("What is skipped has to be JSON as well, and nothing else is skipped", arguments: seeds)
    func skippedMembers(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var refused = 0
        for _ in 0..<1500 {
            var bytes = RandomJSON.spell(RandomJSON.value(depth: 3, using: &random), using: &random)
            if Bool.random(using: &random) { damage(&bytes, using: &random) }
            bytes = Array(#"{"data":{"links":[{"links":1}],"links":"#.utf8) + bytes + Array(#","id":"1"}}"#.utf8)
            let whole = Result { () throws(JSONSyntaxError) in try JSONValue(parsing: bytes) }
            let part = Result { () throws(JSONSyntaxError) in try JSONValue(parsing: bytes, without: "links") }
            switch (whole, part) {
            case (.success(let whole), .success(let part)):
                #expect(part["data"]?["links"] == .null)
                #expect(part["data"]?["id"] == whole["data"]?["id"])
            case (.failure(let whole), .failure(let part)):
                #expect(whole == part)
                refused += 1
            default: Issue.record("\(String(decoding: bytes, as: UTF8.self).debugDescription)")
            }
        }
        #expect(refused > 100)
        let other = Array(#"{"links":{"a":{"links":[2]}},"b":[{"links":3}],"links":4}"#.utf8)
        #expect((try? JSONValue(parsing: other, without: "links")) == (try? JSONValue(parsing: other)))
    }

    @Test("Random bytes crash nothing", arguments: seeds)
    func randomBytes(seed: UInt64) {
        var random = SplitMix(seed: seed)
        let alphabet = Array(#"{}[]",:\u0dD8c9eE+-.tfnrule 123"#.utf8) + [0x00, 0x80, 0xC3, 0xF0]
        for _ in 0..<5000 {
            let length = Int.random(in: 0...40, using: &random)
            let bytes = (0..<length).map { _ in alphabet.randomElement(using: &random)! }
            if let value = try? JSONValue(parsing: bytes) {
                #expect((try? JSONValue(parsing: value.wireBytes())) == value)
            }
            _ = try? WebhookEvent(body: bytes)
        }
    }

    private func damage(_ bytes: inout [UInt8], using random: inout SplitMix) {
        let alphabet = Array(#"{}[]",:\/u0123456789eE+-.tfnrualse "#.utf8) + [0x0A, 0x1F, 0x80, 0xC3, 0xE2, 0xF0]
        let index = Int.random(in: 0..<max(1, bytes.count), using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes.insert(RandomJSON.one(of: alphabet, using: &random), at: min(index, bytes.count))
        case 1 where !bytes.isEmpty: bytes.remove(at: index)
        case 2 where !bytes.isEmpty: bytes[index] = RandomJSON.one(of: alphabet, using: &random)
        default: bytes.removeLast(min(bytes.count, Int.random(in: 0...3, using: &random)))
        }
    }

    /// Where we mean to differ: lone surrogates become U+FFFD here, numbers beyond a Double are kept, and a comma behind
    /// the last element, which Foundation lets pass, is refused.
    private func isKnownDifference(_ bytes: [UInt8], _ ours: JSONValue?) -> Bool {
        guard let ours else {
            let dense = bytes.filter { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
            return zip(dense, dense.dropFirst()).contains { $0 == UInt8(ascii: ",") && [0x5D, 0x7D].contains($1) }
        }
        return contains(ours) { value in
            switch value {
            case .number(let text): !(Double(text) ?? .infinity).isFinite
            case .string(let text): text.unicodeScalars.contains("\u{FFFD}")
            case .object(let members):
                members.contains { $0.key.unicodeScalars.contains("\u{FFFD}") }
                    || Set(members.map(\.key)).count < members.count
            default: false
            }
        }
    }

    private func contains(_ value: JSONValue, where predicate: (JSONValue) -> Bool) -> Bool {
        switch value {
        case .array(let elements): elements.contains { contains($0, where: predicate) }
        case .object(let members): predicate(value) || members.contains { contains($0.value, where: predicate) }
        default: predicate(value)
        }
    }

    private func agrees(_ ours: JSONValue, _ reference: Any) -> Bool {
        switch ours {
        case .null: return reference is NSNull
        case .bool(let flag): return (reference as? Bool) == flag
        case .number(let text):
            // Foundation reads some decimals by another type than Double, and is off in the last place.
            guard let double = Double(text), let other = (reference as? NSNumber)?.doubleValue else { return false }
            return abs(double - other) <= abs(double) * 1e-15
        case .string(let text): return (reference as? String).map { Array($0.utf8) } == Array(text.utf8)
        case .array(let elements):
            guard let list = reference as? [Any], list.count == elements.count else { return false }
            return zip(elements, list).allSatisfy { agrees($0, $1) }
        case .object(let members):
            guard let dictionary = reference as? [String: Any], dictionary.count == members.count else { return false }
            return members.allSatisfy { member in dictionary[member.key].map { agrees(member.value, $0) } ?? false }
        }
    }
}

import Foundation
import LemonSqueezy

/// A payload file: its bytes as they are, and what can be read of them.
struct Payload: Sendable {
    let path: String
    var body: [UInt8]

    /// A file, or all `.json` files of a folder and of its folders, in order of their names.
    static func read(_ path: String) throws -> [Payload] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw Failure("there is no file or folder “\(path)”")
        }
        guard isFolder.boolValue else {
            guard let data = FileManager.default.contents(atPath: path) else {
                throw Failure("“\(path)” cannot be read")
            }
            return [Payload(path: path, body: Array(data))]
        }
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
            throw Failure("the folder “\(path)” cannot be read")
        }
        return try names.filter { !$0.hasPrefix(".") }.sorted().flatMap { name -> [Payload] in
            let inner = path.hasSuffix("/") ? path + name : "\(path)/\(name)"
            _ = FileManager.default.fileExists(atPath: inner, isDirectory: &isFolder)
            return isFolder.boolValue || name.hasSuffix(".json") ? try read(inner) : []
        }
    }

    /// Moves all times so that the last event is `now`; what is not JSON stays.
    static func rebased(_ payloads: [Payload], to now: Date) -> [Payload] {
        let documents = payloads.map { try? JSONValue(parsing: $0.body) }
        let rebase = Rebase(latestOf: documents.compactMap { $0 }, to: now)
        return zip(payloads, documents).map { payload, document in
            guard let document else { return payload }
            var moved = payload
            moved.body = rebase(document).wireBytes()
            return moved
        }
    }

    /// The accounts that payloads name in their custom data, and an e-mail for each: of the payload, else one that
    /// nobody has.
    static func accounts(_ payloads: [Payload]) -> [(id: UUID, email: String)] {
        var order: [UUID] = []
        var emails: [UUID: String] = [:]
        for payload in payloads {
            guard let event = try? WebhookEvent(body: payload.body),
                let id = event.customUserID.flatMap(UUID.init(uuidString:))
            else { continue }
            if !order.contains(id) { order.append(id) }
            if emails[id] == nil { emails[id] = event.email }
        }
        return order.map { ($0, emails[$0] ?? "\($0.text)@example.invalid") }
    }
}

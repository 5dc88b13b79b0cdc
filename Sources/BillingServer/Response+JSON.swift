import Foundation
import Hummingbird

extension Response {
    /// A JSON document whose bytes depend on the value alone.
    init(json document: some Encodable, status: HTTPResponse.Status = .ok) {
        self.init(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: Self.bytes(document))))
    }

    static func bytes(_ document: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(document) else {
            preconditionFailure("strings, whole numbers and nothing else can always be encoded")
        }
        return Array(data)
    }
}

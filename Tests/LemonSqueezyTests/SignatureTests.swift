import LemonSqueezy
import Testing

@Suite("Signature")
struct SignatureTests {
    private static let secret = "test-webhook-secret-0123456789"
    private static let body = Array(
        #"{"meta":{"test_mode":true,"event_name":"subscription_updated","webhook_id":"0b5d5a4e-6a0e-4d5e-9a43-3f6f1c1d2e3f"},"data":{"type":"subscriptions","id":"1","links":{"self":"https:\/\/api.lemonsqueezy.com\/v1\/subscriptions\/1"}}}"#
            .utf8)
    private static let signature = "261b4b5e09b778ee4f27434f0db4f348ad4e8001671f93af7ebfb877fa9db58d"
    private static let signatureOfReencoded = "c119ebe2270bdec52a343dec8e8cd88d95a12f2e80a03545b9020bc30d787108"

    private let secrets: SigningSecrets

    init() throws { secrets = try SigningSecrets(current: Self.secret) }

    private func verify(_ values: [String]) -> SecretMatch? {
        Signature.verify(values, body: Self.body, secrets: secrets)
    }

    @Test("The known vector is signed and verified")
    func vector() {
        #expect(Signature.sign(Self.body, secret: Self.secret) == Self.signature)
        #expect(verify([Self.signature]) == .current)
    }

    @Test("A body that was encoded again has another signature")
    func reencoded() {
        let slashes = String(decoding: Self.body, as: UTF8.self).split(separator: "\\").joined()
        #expect(Signature.sign(Array(slashes.utf8), secret: Self.secret) == Self.signatureOfReencoded)
        #expect(Signature.verify([Self.signature], body: Array(slashes.utf8), secrets: secrets) == nil)
        #expect(verify([Self.signatureOfReencoded]) == nil)
    }

    @Test(
        "Anything but one header of 64 lower-case digits is refused",
        arguments: [
            [], [""], [signature, signature], [signature, ""], [signature.uppercased()],
            [String(signature.dropLast())], [signature + "0"], [" " + signature], [signature + "\n"],
            ["sha256=" + signature], ["g" + signature.dropFirst()], [String(repeating: "é", count: 32)],
            [String(repeating: "0", count: 64)], [signature + "," + signature],
        ])
    func refused(values: [String]) {
        #expect(verify(values) == nil)
    }

    @Test("Each digit counts")
    func everyDigit() {
        for index in Self.signature.indices {
            var changed = Self.signature
            changed.replaceSubrange(index...index, with: changed[index] == "0" ? "1" : "0")
            #expect(verify([changed]) == nil)
        }
    }

    @Test("Each byte of the body counts")
    func everyByte() {
        for index in Self.body.indices {
            var changed = Self.body
            changed[index] ^= 1
            #expect(Signature.verify([Self.signature], body: changed, secrets: secrets) == nil)
        }
    }

    @Test("While the secret changes both are accepted, and told apart")
    func rotation() throws {
        let both = try SigningSecrets(current: "new secret", previous: Self.secret)
        #expect(Signature.verify([Self.signature], body: Self.body, secrets: both) == .previous)
        let new = Signature.sign(Self.body, secret: "new secret")
        #expect(Signature.verify([new], body: Self.body, secrets: both) == .current)
        let other = Signature.sign(Self.body, secret: "other")
        #expect(Signature.verify([other], body: Self.body, secrets: both) == nil)
    }

    @Test("An empty body can be signed, and a secret longer than a block")
    func sizes() throws {
        // As long as that of RFC 4231's test case 6; the code is Python's.
        let long = try SigningSecrets(current: String(repeating: "k", count: 131))
        let signature = Signature.sign([], secret: String(repeating: "k", count: 131))
        #expect(signature == "c68b7ace04e8bf0b01c1ed872ac04ac02cb9acb6a6d01fae07f52ff2d6c9bcee")
        #expect(Signature.verify([signature], body: [], secrets: long) == .current)
        #expect(verify([signature]) == nil)
    }

    @Test("An empty secret is refused")
    func emptySecret() {
        #expect(throws: SigningSecrets.EmptySecret.current) { try SigningSecrets(current: "") }
        #expect(throws: SigningSecrets.EmptySecret.previous) { try SigningSecrets(current: "a", previous: "") }
    }

    @Test("A secret shows in no description, interpolation, dump or mirror")
    func hidden() throws {
        let secrets = try SigningSecrets(current: "hush-hush", previous: "older-hush")
        var dumped = ""
        dump(secrets, to: &dumped)
        dump(["secrets": secrets], to: &dumped)
        let shown = [dumped, "\(secrets)", String(describing: secrets), String(reflecting: secrets), "\([secrets])"]
        for text in shown {
            #expect(!text.contains("hush"))
            #expect(!text.contains("\(UInt8(ascii: "h")), \(UInt8(ascii: "u"))"))
        }
        #expect(Mirror(reflecting: secrets).children.isEmpty)
    }

    @Test("SHA-256 of the standard's example")
    func sha256() {
        let digest = SHA256.digest(Array("abc".utf8))
        #expect(digest.count == 32)
        #expect(digest.prefix(4) == [0xBA, 0x78, 0x16, 0xBF])
        #expect(SHA256.digest([]).prefix(4) == [0xE3, 0xB0, 0xC4, 0x42])
    }
}

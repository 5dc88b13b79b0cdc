// The only file that sees OpenSSL.
import CLibCrypto

/// SHA-256 (FIPS 180-4) of a whole message.
public enum SHA256 {
    /// The digest of `bytes`, 32 bytes long.
    public static func digest(_ bytes: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 32) { digest, count in
            _ = CLibCrypto.SHA256(bytes, bytes.count, digest.baseAddress)
            count = 32
        }
    }

    /// The digest of `bytes` as 64 lower-case hexadecimal digits.
    public static func hexadecimal(_ bytes: [UInt8]) -> String {
        // Not by a format: each start needs this of every migration.
        digest(bytes).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

/// HMAC (RFC 2104) with SHA-256, of a whole message.
enum HMACSHA256 {
    /// The authentication code of `message` under `key`, 32 bytes long.
    static func code(_ message: [UInt8], key: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 32) { code, count in
            // OpenSSL answers NULL only when it cannot allocate memory or has no SHA-256. Then no signature can be
            // checked.
            let result = HMAC(
                EVP_sha256(), key, Int32(key.count), message, message.count, code.baseAddress, nil)
            precondition(result != nil, "OpenSSL cannot compute HMAC-SHA256")
            count = 32
        }
    }

    /// Whether two codes are equal, in a time that does not depend on where they differ.
    static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
    }
}

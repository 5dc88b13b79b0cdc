import Foundation

/// A file that holds a signing secret, for its owner only.
struct SecretFile {
    let path: String

    var exists: Bool { FileManager.default.fileExists(atPath: path) }

    /// Replaces the file at once, so that nobody reads half of it. It is on the disk when this returns.
    ///
    /// - Throws: `Failure`.
    func write(_ secret: String) throws {
        let draft = path + ".\(UUID().uuidString.prefix(8))"
        let file = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Failure("“\(path)” cannot be written") }
        let bytes = Array(secret.utf8)
        let isWritten = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) } == bytes.count
        let isSynced = isWritten && fsync(file) == 0
        close(file)
        guard isSynced, rename(draft, path) == 0 else {
            unlink(draft)
            throw Failure("“\(path)” cannot be written")
        }
    }

    func remove() { unlink(path) }

    /// 40 characters of 64, the most that Lemon Squeezy takes: 240 bits by the system's generator.
    static func freshSecret() -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        var generator = SystemRandomNumberGenerator()
        return String((0..<40).map { _ in alphabet[Int.random(in: 0..<64, using: &generator)] })
    }
}

import Foundation
import GRDB
import Synchronization

/// A database's file and the connections to it, as long as the one is what the others have open.
///
/// Who moves the file away or deletes it would else let us go on writing into what has no name any more, and is gone when
/// we end. So before and after each transaction the file at the path is compared with the one that was opened. Back at
/// its place it is used again. If another file is there, a copy or a backup, that one is opened.
final class SQLiteFile: Sendable {
    /// What tells one file from another, whatever its name.
    private struct Identity: Hashable {
        var device: dev_t
        var inode: ino_t
    }

    private struct Opened {
        var pool: DatabasePool
        var identity: Identity
        /// Its connections' own files beside it; nil: there was none.
        var log: Identity?
        var index: Identity?
        /// Whether what is only in the write-ahead log was brought into the file after that was moved away.
        var isWrittenBack = false
        var isClosed = false
    }

    /// How long a file that was not there before must have been left alone, in seconds: one that is still being copied
    /// must not be opened.
    private static let quiet: TimeInterval = 2

    private let path: String
    private let open: @Sendable (String) throws -> DatabasePool
    private let opened: Mutex<Opened>
    /// Never closed: closing them would delete what others have put beside the path.
    private let abandoned = Mutex<[DatabasePool]>([])

    /// - Throws: what `open` throws; `StoreError.unavailable` if the file is not there afterwards.
    init(path: String, open: @escaping @Sendable (String) throws -> DatabasePool) throws {
        self.path = path
        self.open = open
        opened = Mutex(try Self.opened(path, open))
    }

    private static func opened(
        _ path: String, _ open: (String) throws -> DatabasePool
    ) throws -> Opened {
        let pool = try open(path)
        guard let identity = identity(path) else { throw away(path) }
        return Opened(
            pool: pool, identity: identity, log: Self.identity(path + "-wal"), index: Self.identity(path + "-shm"))
    }

    /// The connections to the file at the path.
    ///
    /// - Throws: `StoreError.unavailable` if it is not there, or another is that cannot be opened yet.
    func pool() throws -> DatabasePool {
        try opened.withLock { opened in
            if Self.identity(path) == opened.identity {
                if opened.isWrittenBack { opened.isWrittenBack = false }
                return opened.pool
            }
            writeBack(&opened)
            guard let status = Self.status(path) else { throw Self.away(path) }
            let age = Date.now.timeIntervalSince1970 - Double(status.st_mtim.tv_sec)
            guard status.st_size > 0, age >= Self.quiet else {
                throw StoreError.unavailable(
                    "another file has been put at “\(path)”; it is opened when it has not changed for two seconds")
            }
            try replace(&opened)
            return opened.pool
        }
    }

    /// - Throws: `StoreError.unavailable` if what these connections have open is not the file at the path.
    func check(_ pool: DatabasePool) throws {
        let isPresent = opened.withLock { $0.pool === pool && Self.identity(path) == $0.identity }
        guard isPresent else { throw Self.away(path) }
    }

    /// Closes the connections so that the file alone holds everything, unless another process has it open.
    func close() {
        opened.withLock { opened in
            guard !opened.isClosed else { return }
            opened.isClosed = true
            // Closing deletes the write-ahead log at the path, which may be that of another file by now.
            let log = Self.identity(path + "-wal")
            guard log == nil || log == opened.log else { return }
            // The last connection to be closed clears up, and must be one that may write.
            opened.pool.invalidateReadOnlyConnections()
            _ = try? opened.pool.writeWithoutTransaction { try $0.checkpoint(.truncate) }
            try? opened.pool.close()
        }
    }

    /// What was committed into a file that is moved away belongs to it, wherever it is now: who copies it back must find all
    /// of it there. Tried until it succeeds, without waiting for other processes.
    private func writeBack(_ opened: inout Opened) {
        guard !opened.isWrittenBack else { return }
        opened.isWrittenBack =
            (try? opened.pool.writeWithoutTransaction { try $0.checkpoint(.passive) }) != nil
    }

    private func replace(_ opened: inout Opened) throws {
        do {
            _ = try opened.pool.writeWithoutTransaction { try $0.checkpoint(.truncate) }
        } catch {
            throw StoreError.unavailable("the file that was at “\(path)” is still in use, so that another must wait")
        }
        // What lies beside the path is either ours, and now empty, or came with the file.
        let log = Self.identity(path + "-wal")
        if log == nil || log == opened.log {
            opened.pool.invalidateReadOnlyConnections()
            try? opened.pool.close()
            if log != nil, Self.identity(path + "-wal") == log { unlink(path + "-wal") }
        }
        if let index = opened.index, Self.identity(path + "-shm") == index { unlink(path + "-shm") }
        let before = opened.pool
        opened = try Self.opened(path, open)
        abandoned.withLock { $0.append(before) }
    }

    private static func away(_ path: String) -> StoreError {
        .unavailable("the file “\(path)” has been moved away or deleted: put it back")
    }

    private static func status(_ path: String) -> stat? {
        var status = stat()
        return stat(path, &status) == 0 ? status : nil
    }

    private static func identity(_ path: String) -> Identity? {
        status(path).map { Identity(device: $0.st_dev, inode: $0.st_ino) }
    }
}

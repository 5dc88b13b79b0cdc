import Foundation
import Selextract
import Storage

/// How a task ends.
enum TaskEnding: Sendable {
    case completed(resultFilePath: String?)
    case failed(message: String)
    case cancelled

    /// The most characters of an error message that are kept; longer ones are cut.
    static let messageLimit = 10_000
    /// What the column for the path can hold.
    static let pathLimit = 500

    /// - Throws: `IllegalTransition`.
    func apply(to task: inout ScrapingTask, at moment: Date) throws {
        switch self {
        case .completed(let path): try task.complete(at: moment, resultFilePath: path.flatMap(Self.storable))
        case .failed(let message): try task.fail(at: moment, message: Self.shortened(message))
        case .cancelled: try task.cancel(at: moment)
        }
    }

    /// The line that tells of it. A path that the column cannot hold is kept here: a task's end is never refused for
    /// it.
    func log(of task: ScrapingTask, shortfall: Int, at moment: Date) -> TaskLog {
        var level = TaskLog.Level.info
        var message: String
        var metadata: [String: MetadataValue] = ["compute_units": .init(integerLiteral: task.computeUnitsConsumed)]
        if shortfall > 0 { metadata["shortfall"] = .init(integerLiteral: shortfall) }
        if let seconds = task.duration(at: moment) { metadata["duration_seconds"] = MetadataValue(seconds) }
        switch self {
        case .completed(let path):
            message = "completed"
            if let path, Self.storable(path) == nil {
                (level, message) = (.warning, "completed; the path of the result is too long for its column")
                metadata["result_file_path"] = .string(path)
            }
        case .failed(let reason): (level, message) = (.error, "failed: \(Self.shortened(reason))")
        case .cancelled: message = "cancelled"
        }
        return TaskLog(
            id: UUID(), taskID: task.id, level: level, message: message, metadata: .object(metadata),
            timestamp: moment)
    }

    private static func storable(_ path: String) -> String? { path.fits(0...pathLimit) ? path : nil }

    private static func shortened(_ message: String) -> String {
        guard message.unicodeScalars.count > messageLimit else { return message }
        return String(String.UnicodeScalarView(message.unicodeScalars.prefix(messageLimit - 1))) + "…"
    }
}

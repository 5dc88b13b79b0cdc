import Foundation
import GRDB
import Selextract

extension ScrapingTask.Status: SQLiteValue {}
extension TaskLog.Level: SQLiteValue {}

/// `YYYY-MM-DD`.
extension UsageDay: SQLiteValue {
    var sqliteValue: DatabaseValue { description.databaseValue }
    init?(sqliteValue: DatabaseValue) {
        guard case .string(let text) = sqliteValue.storage else { return nil }
        self.init(text)
    }
}

/// JSON as text.
extension MetadataValue: SQLiteValue {
    var sqliteValue: DatabaseValue {
        // Only a number that is not finite cannot be written: JSON has none.
        (try? json()).map { String(decoding: $0, as: UTF8.self).databaseValue } ?? .null
    }
    init?(sqliteValue: DatabaseValue) {
        guard case .string(let text) = sqliteValue.storage else { return nil }
        // SQLite takes for JSON what Foundation does not, as half a surrogate pair: then it is a text.
        self = (try? MetadataValue(json: Data(text.utf8), isStored: true)) ?? .string(text)
    }
}

extension ScrapingTask {
    static let sqliteColumns = """
        id, user_id, name, description, task_type, config, status, priority, scheduled_at, started_at, completed_at,
        compute_units_consumed, estimated_compute_units, progress, error_message, result_file_path, created_at, updated_at
        """

    init(row: SQLiteRow) throws {
        let (
            id, user, name, description, type, config, status, priority, scheduled, started, completed, consumed,
            estimated, progress, message, path, created, updated
        ) = try row.decode(
            UUID.self, UUID.self, String.self, String?.self, String.self, MetadataValue.self, Status.self, Int.self,
            Date?.self, Date?.self, Date?.self, Int.self, Int.self, Int.self, String?.self, String?.self, Date.self,
            Date.self)
        self.init(
            id: id, userID: user, name: name, description: description, taskType: type, config: config,
            status: status, priority: priority, scheduledAt: scheduled, startedAt: started, completedAt: completed,
            computeUnitsConsumed: consumed, estimatedComputeUnits: estimated, progress: progress,
            errorMessage: message, resultFilePath: path, createdAt: created, updatedAt: updated)
    }
}

extension TaskLog {
    init(row: SQLiteRow) throws {
        let (id, task, level, message, metadata, timestamp) = try row.decode(
            UUID.self, UUID.self, Level.self, String.self, MetadataValue?.self, Date.self)
        self.init(
            id: id, taskID: task, level: level, message: message, metadata: metadata, timestamp: timestamp)
    }
}

extension UsageAnalytics {
    init(row: SQLiteRow) throws {
        let (id, user, date, tasks, units, calls, created) = try row.decode(
            UUID.self, UUID.self, UsageDay.self, Int.self, Int.self, Int.self, Date.self)
        self.init(
            id: id, userID: user, date: date, tasksExecuted: tasks, computeUnitsUsed: units, apiCalls: calls,
            createdAt: created)
    }
}

extension APIKey {
    static let sqliteColumns = """
        id, user_id, name, description, key_hash, key_prefix, last_used_at, is_active, created_at
        """

    init(row: SQLiteRow) throws {
        let (id, user, name, description, hash, prefix, used, isActive, created) = try row.decode(
            UUID.self, UUID.self, String.self, String?.self, String.self, String.self, Date?.self, Bool.self,
            Date.self)
        self.init(
            id: id, userID: user, name: name, description: description, keyHash: hash, keyPrefix: prefix,
            lastUsedAt: used, isActive: isActive, createdAt: created)
    }
}

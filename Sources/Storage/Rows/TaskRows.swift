import Databases
import Foundation
import Selextract

// Rows of `tasks` and `task_logs`.

extension ScrapingTask: Record {
    static let tableName = "tasks"
    static let columns: Columns = [
        "id", "user_id", "name", "description", "task_type", "config", "status", "priority", "scheduled_at",
        "started_at", "completed_at", "compute_units_consumed", "estimated_compute_units", "progress",
        "error_message", "result_file_path", "created_at", "updated_at",
    ]

    init(row: inout RowReader) throws {
        self.init(
            id: try row["id"], userID: try row["user_id"], name: try row["name"],
            description: try row["description"], taskType: try row["task_type"], config: try row["config"],
            status: try row["status"], priority: try row["priority"], scheduledAt: try row["scheduled_at"],
            startedAt: try row["started_at"], completedAt: try row["completed_at"],
            computeUnitsConsumed: try row["compute_units_consumed"],
            estimatedComputeUnits: try row["estimated_compute_units"], progress: try row["progress"],
            errorMessage: try row["error_message"], resultFilePath: try row["result_file_path"],
            createdAt: try row["created_at"], updatedAt: try row["updated_at"])
    }
}

extension TaskLog: Record {
    static let tableName = "task_logs"
    static let columns: Columns = ["id", "task_id", "level", "message", "metadata", "timestamp"]

    init(row: inout RowReader) throws {
        self.init(
            id: try row["id"], taskID: try row["task_id"], level: try row["level"], message: try row["message"],
            metadata: try row["metadata"], timestamp: try row["timestamp"])
    }

    static let table = Table<TaskLog>(
        "task_logs", key: ["id"],
        [
            Column("id", \.id), Column("task_id", \.taskID), Column("level", \.level), Column("message", \.message),
            Column("metadata", \.metadata), Column("timestamp", \.timestamp),
        ])
}

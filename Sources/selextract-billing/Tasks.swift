import Accounts
import ArgumentParser
import Databases
import Foundation
import Selextract
import Storage

struct Tasks: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Shows scraping tasks.", subcommands: [TasksList.self])

    static let columns: [Column<ScrapingTask>] = [
        Column("id") { Cell($0.id) },
        Column("user_id", title: "account") { Cell($0.userID) },
        Column("name") { Cell($0.name) },
        Column("task_type", inTable: false) { Cell($0.taskType) },
        Column("status") { Cell($0.status.rawValue) },
        Column("priority", inTable: false) { Cell($0.priority) },
        Column("progress", inTable: false) { Cell($0.progress) },
        Column("compute_units_consumed", title: "units") { Cell($0.computeUnitsConsumed) },
        Column("error_message", inTable: false) { Cell($0.errorMessage) },
        Column("created_at") { Cell($0.createdAt) },
        Column("started_at", inTable: false) { Cell($0.startedAt) },
        Column("completed_at", inTable: false) { Cell($0.completedAt) },
        Column("config", inTable: false) { task in
            Cell((try? task.config.json()).map { String(decoding: $0, as: UTF8.self) })
        },
    ]
}

struct TasksList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Tasks, newest first: of one account, or of all.",
        discussion: """
            --where finds tasks whose configuration contains a JSON object, wherever it has further keys: \
            '{"target_url": "https://example.com/"}', or '{"fields": [{"name": "price"}]}'. On PostgreSQL an index answers.
            """)

    @Argument(help: "The account: id or e-mail.")
    var who: String?
    @Option(name: .customLong("where"), help: ArgumentHelp("What the configuration contains.", valueName: "json"))
    var condition: String?
    @OptionGroup var page: PageOptions
    @OptionGroup var output: OutputOptions

    private func contained() throws -> MetadataValue? {
        guard let condition else { return nil }
        guard let value = try? MetadataValue(json: Data(condition.utf8)), case .object = value else {
            throw ValidationError("--where must be a JSON object.")
        }
        return value
    }

    mutating func validate() throws { _ = try contained() }

    func run() async throws {
        let contained = try contained()
        let tasks = try await withStore { store, _ in
            var user: UUID?
            if let who { user = try await store.user(named: who).id }
            let owner = user
            return try await page.read {
                try await store.lists.tasks(of: owner, where: contained, limit: $0, before: $1)
            } cursor: {
                Cursor(at: $0.createdAt, id: $0.id)
            }
        }
        try output.print { $0.page("tasks", Tasks.columns, tasks) }
        try tasks.unreadable.failIfAny()
    }
}

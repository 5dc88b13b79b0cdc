import Accounts
import Selextract
import ServiceSettings
import Storage

let settings = try Settings.load()
let store = try settings.databaseConfiguration(logger: settings.logger()).open()
try await store.migrate()

let user = try await store.createAccount(NewUser(email: "ada@example.com"), policy: settings.policy)
let offers = TaskConfiguration(
    targetURL: "https://example.com/offers", containerSelector: ".offer",
    fields: [.init(name: "price", type: .number, selector: ".price")])
let task = try await store.createTask(
    NewTask(name: "offers", configuration: offers), for: user.id, policy: settings.policy)
try await store.startTask(task.id, of: user.id)
let ended = try await store.completeTask(task.id, of: user.id, policy: settings.policy)
print("\(ended.name) is \(ended.status), and cost \(ended.computeUnitsConsumed) unit")

if let account = try await store.overview(user: user.id), let today = account.usage {
    print("\(account.user.computeUnitsRemaining) of \(account.computeUnitsLimit) units are left")
    print("today: \(today.tasksExecuted) task, \(today.computeUnitsUsed) unit")
}
await store.close()

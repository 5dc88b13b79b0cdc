public import ServiceSettings
import Selextract
public import Storage

/// Makes a database ready to serve: the schema brought up to date if asked for, the plans' variants as set.
///
/// - Returns: the migrations that were applied now.
/// - Throws: what the store throws.
@discardableResult
public func prepare(store: any Store, settings: Settings, migrate: Bool = true) async throws -> [AppliedMigration] {
    let applied = migrate ? try await store.migrate() : []
    guard !settings.variantIDs.isEmpty else { return applied }
    let present = try await store.plans()
    for (plan, variant) in settings.variantIDs.sorted(by: { $0.key < $1.key })
    where present.first(where: { $0.id == plan })?.lemonSqueezyVariantID != variant {
        var changes = PlanChanges()
        changes.lemonSqueezyVariantID = variant
        _ = try await store.updatePlan(plan, changes)
    }
    return applied
}

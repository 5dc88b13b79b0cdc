import ArgumentParser
import Foundation
import Selextract

struct Users: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Creates, shows, changes and deletes accounts, gives and takes units.",
        subcommands: [
            UsersCreate.self, UsersList.self, UsersShow.self, UsersSet.self, UsersAdjust.self, UsersGrant.self,
            UsersDelete.self,
        ]
    )

    static let columns: [Column<User>] = [
        Column("id") { Cell($0.id) },
        Column("email") { Cell($0.email) },
        Column("full_name", inTable: false) { Cell($0.fullName) },
        Column("google_id", inTable: false) { Cell($0.googleID) },
        Column("is_active", inTable: false) { Cell($0.isActive) },
        Column("subscription_tier", title: "tier") { Cell($0.subscriptionTier) },
        Column("compute_units_remaining", title: "units left") { Cell($0.computeUnitsRemaining) },
        Column("compute_units_reset_date", title: "reset date") { Cell($0.computeUnitsResetDate) },
        Column("created_at") { Cell($0.createdAt) },
        Column("updated_at", inTable: false) { Cell($0.updatedAt) },
    ]
}

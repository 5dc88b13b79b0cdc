public import Foundation

/// An account of Selextract Cloud, a row of `users`.
public struct User: Sendable, Codable, Hashable, Identifiable {
    public var id: UUID
    public var email: String
    public var fullName: String?
    public var googleID: String?
    public var isActive: Bool
    /// The id of the plan in force.
    public var subscriptionTier: String
    /// Compute units left in the current bucket; 1 unit is 1 minute of task run time.
    public var computeUnitsRemaining: Int
    /// The end of the current bucket's month, UTC; in the past it means: waiting for payment.
    public var computeUnitsResetDate: Date
    public var createdAt: Date
    public var updatedAt: Date

    /// The columns.
    public enum CodingKeys: String, CodingKey {
        case id
        case email
        case fullName = "full_name"
        case googleID = "google_id"
        case isActive = "is_active"
        case subscriptionTier = "subscription_tier"
        case computeUnitsRemaining = "compute_units_remaining"
        case computeUnitsResetDate = "compute_units_reset_date"
        case createdAt = "created_at"
        case updatedAt = "updated_at"
    }

    public init(
        id: UUID, email: String, fullName: String? = nil, googleID: String? = nil, isActive: Bool = true,
        subscriptionTier: String, computeUnitsRemaining: Int, computeUnitsResetDate: Date, createdAt: Date,
        updatedAt: Date
    ) {
        self.id = id
        self.email = email
        self.fullName = fullName
        self.googleID = googleID
        self.isActive = isActive
        self.subscriptionTier = subscriptionTier
        self.computeUnitsRemaining = computeUnitsRemaining
        self.computeUnitsResetDate = computeUnitsResetDate
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}

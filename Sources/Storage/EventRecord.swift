public import Billing
public import Foundation

/// An event of the inbox, as an operator sees it.
public struct EventRecord: Sendable, Hashable, Codable, Identifiable {
    public var id: UUID
    public var name: String?
    public var dataType: String?
    public var dataID: String?
    public var subscriptionID: String?
    public var customerID: String?
    public var claimedUserID: UUID?
    public var email: String?
    public var testMode: Bool?
    public var storeID: String?
    public var webhookID: String?
    public var status: String?
    public var variantID: String?
    /// The provider's `updated_at`.
    public var sourceUpdatedAt: Date?
    public var outcome: Outcome
    public var reason: String?
    public var userID: UUID?
    public var deliveries: Int
    public var receivedAt: Date
    public var lastReceivedAt: Date
    public var attempts: Int
    public var nextAttemptAt: Date?
    public var matchedSecret: String
    public var signature: String
    /// Bytes of the body; 0 if it was erased.
    public var size: Int
    /// When what is personal was removed (R20); nil: it was not.
    public var erasedAt: Date?

    public init(
        id: UUID, name: String?, dataType: String?, dataID: String?, subscriptionID: String?, customerID: String?,
        claimedUserID: UUID?, email: String?, testMode: Bool?, storeID: String?, webhookID: String?, status: String?,
        variantID: String?, sourceUpdatedAt: Date?, outcome: Outcome, reason: String?, userID: UUID?, deliveries: Int,
        receivedAt: Date, lastReceivedAt: Date, attempts: Int, nextAttemptAt: Date?, matchedSecret: String,
        signature: String, size: Int, erasedAt: Date? = nil
    ) {
        self.id = id
        self.name = name
        self.dataType = dataType
        self.dataID = dataID
        self.subscriptionID = subscriptionID
        self.customerID = customerID
        self.claimedUserID = claimedUserID
        self.email = email
        self.testMode = testMode
        self.storeID = storeID
        self.webhookID = webhookID
        self.status = status
        self.variantID = variantID
        self.sourceUpdatedAt = sourceUpdatedAt
        self.outcome = outcome
        self.reason = reason
        self.userID = userID
        self.deliveries = deliveries
        self.receivedAt = receivedAt
        self.lastReceivedAt = lastReceivedAt
        self.attempts = attempts
        self.nextAttemptAt = nextAttemptAt
        self.matchedSecret = matchedSecret
        self.signature = signature
        self.size = size
        self.erasedAt = erasedAt
    }
}

extension Outcome {
    /// What an operator looks for among a great many events that went well.
    var isRare: Bool { self != .applied && self != .unchanged }
}

/// Which events a list shows; nil: any.
public struct EventFilter: Sendable, Hashable {
    public var outcome: Outcome?
    /// As stored, or its beginning up to a colon.
    public var reason: String?
    public var name: String?
    public var subscriptionID: String?
    public var userID: UUID?

    public init() {}
}

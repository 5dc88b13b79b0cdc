public import Foundation

/// An account that is to be created.
public struct NewUser: Sendable, Hashable {
    /// nil: a random one.
    public var id: UUID?
    public var email: String
    public var fullName: String?
    public var googleID: String?

    public init(id: UUID? = nil, email: String, fullName: String? = nil, googleID: String? = nil) {
        self.id = id
        self.email = email
        self.fullName = fullName
        self.googleID = googleID
    }

    /// - Throws: `StoreError.conflict`.
    func validate() throws { try changes.validate() }

    private var changes: UserChanges {
        var changes = UserChanges()
        (changes.email, changes.fullName, changes.googleID) = (email, fullName, googleID)
        return changes
    }
}

/// What can be changed about an account by hand; its plan and units follow from its subscriptions.
public struct UserChanges: Sendable, Hashable {
    public var email: String?
    public var fullName: String?
    public var googleID: String?
    /// Whether it may do anything.
    public var isActive: Bool?

    public init() {}

    /// - Throws: `StoreError.conflict`.
    func validate() throws {
        try email?.fitting(1...255, "an e-mail")
        try fullName?.fitting(0...255, "a full name")
        try googleID?.fitting(1...255, "a Google id")
    }
}

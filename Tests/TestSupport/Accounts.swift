import Accounts
public import Billing
public import Foundation
public import Selextract
public import Storage

extension Store {
    @discardableResult
    public func createUser(email: String, id: UUID?) async throws -> User {
        try await createUser(NewUser(id: id, email: email))
    }

    public func createAccount(email: String, id: UUID?, policy: BillingPolicy) async throws -> User {
        try await createAccount(NewUser(id: id, email: email), policy: policy)
    }
}

import Databases
public import Foundation

extension Store {
    /// - Throws: `StoreError.unreadable`.
    public func eventRecord(_ id: UUID) async throws -> EventRecord? {
        try await eventRecords(ids: [id]).entries.first?.orThrow()
    }

    /// In order of arrival.
    public func eventRecords(ids: [UUID]) async throws -> Listing<EventRecord> {
        try await reads.list(
            Query<EventRecord>(select: "from webhook_events where \("id", in: ids) order by arrival"))
    }

    /// The exact bytes; empty if they were erased (R20).
    public func eventBody(_ id: UUID) async throws -> [UInt8]? {
        try await reads.fetch(Query<[UInt8]>("select body from webhook_events where id = \(id)")).first
    }

    /// The SHA-256 that events had when they were stored.
    public func digests(of ids: [UUID]) async throws -> [UUID: [UInt8]] {
        let rows = try await reads.fetch(
            Query<(UUID, [UInt8])>("select id, body_sha256 from webhook_events where \("id", in: ids)") {
                (try $0.next(), try $0.next())
            })
        return Dictionary(uniqueKeysWithValues: rows)
    }
}

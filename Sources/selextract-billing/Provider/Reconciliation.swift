import Accounts
import Billing
import Foundation
import LemonSqueezy
import LemonSqueezyAPI

/// Reads what Lemon Squeezy has, page by page, and hands on what the rules read of it. Sends nothing but GET.
struct Reconciliation {
    let api: LemonSqueezyAPI
    /// nil: all stores that the key sees.
    let storeID: String?
    /// Invoices and orders created before are left out, unless they were refunded; nil: all are read.
    let since: Date?

    /// A list of the API, and where it may end early.
    private struct List {
        var path: String
        var filters: [String: String] = [:]
        /// Whether it may end at the horizon: it is in order of creation, newest first.
        var endsAtHorizon = false
    }

    /// Subscriptions first, so that no invoice waits for its own. There is no “updated since”: a subscription of any age may
    /// have changed, and an invoice of any age may have been refunded.
    private static let lists = [
        List(path: "subscriptions"),
        // Whether a list without a status holds them is not documented.
        List(path: "subscriptions", filters: ["status": "expired"]),
        List(path: "subscription-invoices", endsAtHorizon: true),
        List(path: "subscription-invoices", filters: ["refunded": "1"]),
        List(path: "orders", endsAtHorizon: true),
    ]

    /// - Parameter take: given the observations of a page. Interrupted and run again, it gets the same ones again, and
    ///   finds them known.
    /// - Throws: `APIError`, `CancellationError`, what `take` throws.
    func run(_ take: ([InboxEvent]) async throws -> Void) async throws {
        for list in Self.lists { try await read(list, take) }
    }

    /// One subscription with its invoices: what is asked when its renewal is overdue.
    func read(subscription id: String, _ take: ([InboxEvent]) async throws -> Void) async throws {
        let object = try await api.object("subscriptions/\(id)")
        let invoices = try await api.page("subscription-invoices", filters: ["subscription_id": id], number: 1)
        try await take(Self.observations([object] + invoices.objects))
    }

    private func read(_ list: List, _ take: ([InboxEvent]) async throws -> Void) async throws {
        var filters = list.filters
        filters["store_id"] = storeID
        var number = 1
        var progress: ProgressBar?
        defer { progress?.finish() }
        while true {
            try Task.checkCancellation()
            let page = try await api.page(list.path, filters: filters, number: number)
            if progress == nil { progress = ProgressBar(total: page.last) }
            let horizon = list.endsAtHorizon ? since : nil
            let wanted = page.objects.filter { object in
                guard let horizon, let created = object.attributes["created_at"]?.date else { return true }
                return created >= horizon
            }
            if !wanted.isEmpty { try await take(Self.observations(wanted)) }
            progress?.advance()
            if page.number >= page.last || page.objects.isEmpty || wanted.count < page.objects.count { return }
            number += 1
        }
    }

    private static func observations(_ objects: [APIObject]) -> [InboxEvent] {
        objects.compactMap { InboxEvent(observed: $0.type, bytes: $0.bytes) }
    }
}

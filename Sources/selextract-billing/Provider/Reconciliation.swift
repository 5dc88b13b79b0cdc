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
        /// By which its progress is remembered.
        var name: String
        var path: String
        var filters: [String: String] = [:]
        /// Whether it may end at the horizon: it is in order of creation, newest first.
        var endsAtHorizon = false
    }

    /// Subscriptions first, so that no invoice waits for its own. There is no “updated since”: a subscription of any age may
    /// have changed, and an invoice of any age may have been refunded.
    private static let lists = [
        List(name: "subscriptions", path: "subscriptions"),
        // Whether a list without a status holds them is not documented.
        List(name: "expired subscriptions", path: "subscriptions", filters: ["status": "expired"]),
        List(name: "invoices", path: "subscription-invoices", endsAtHorizon: true),
        List(name: "refunded invoices", path: "subscription-invoices", filters: ["refunded": "1"]),
        List(name: "orders", path: "orders", endsAtHorizon: true),
    ]

    /// - Parameters:
    ///   - progress: how far an earlier run had come; what has come in since, in front, is read as well.
    ///   - remember: called when a page was taken in.
    ///   - take: given the observations of a page.
    /// - Throws: `APIError`, `CancellationError`, what the closures throw.
    func run(
        from progress: ReadingProgress = ReadingProgress(),
        remember: (ReadingProgress) async throws -> Void = { _ in }, _ take: ([InboxEvent]) async throws -> Void
    ) async throws {
        var progress = progress
        for list in Self.lists {
            try await read(list, progress.lists[list.name], take) {
                progress.lists[list.name] = $0
                try await remember(progress)
            }
        }
    }

    /// One subscription with its invoices: what is asked when its renewal is overdue.
    func read(subscription id: String, _ take: ([InboxEvent]) async throws -> Void) async throws {
        let object = try await api.object("subscriptions/\(id)")
        let invoices = try await api.page("subscription-invoices", filters: ["subscription_id": id], number: 1)
        try await take(Self.observations([object] + invoices.objects))
    }

    private func read(
        _ list: List, _ earlier: ReadingProgress.List?, _ take: ([InboxEvent]) async throws -> Void,
        remember: (ReadingProgress.List) async throws -> Void
    ) async throws {
        guard var place = earlier, let newest = place.newest else {
            return try await readOn(list, ReadingProgress.List(page: 0), take, remember)
        }
        place.newest = try await readFront(of: list, to: newest, take)
        try await remember(place)
        if place.isRead { return }
        try await readOn(list, place, take, remember)
    }

    /// What came in after an object that was the newest.
    ///
    /// - Returns: the object that is the newest now.
    private func readFront(
        of list: List, to newest: ReadingProgress.Place, _ take: ([InboxEvent]) async throws -> Void
    ) async throws -> ReadingProgress.Place {
        var (first, number): (ReadingProgress.Place?, Int) = (nil, 1)
        while true {
            let page = try await page(number, of: list)
            if number == 1 { first = ReadingProgress.Place(page.objects.first) }
            let isWhole = try await handOn(page, of: list, take)
            if page.reaches(newest) || page.isLast || !isWhole { return first ?? newest }
            number += 1
        }
    }

    /// Reads from where `place` is, to the end or the horizon.
    private func readOn(
        _ list: List, _ place: ReadingProgress.List, _ take: ([InboxEvent]) async throws -> Void,
        _ remember: (ReadingProgress.List) async throws -> Void
    ) async throws {
        var place = place
        var progress: ProgressBar?
        defer { progress?.finish() }
        // The last page once more: it shows whether anything can have moved from behind it to before it.
        var number = max(1, place.page)
        var page = try await page(number, of: list)
        while number > 1, page.objects.isEmpty || !page.continues(behind: place.reached) {
            number -= 1
            page = try await self.page(number, of: list)
        }
        while true {
            if progress == nil { progress = ProgressBar(total: page.last, done: number - 1) }
            let isWhole = try await handOn(page, of: list, take)
            progress?.advance()
            place.newest = place.newest ?? ReadingProgress.Place(page.objects.first)
            place.reached = ReadingProgress.Place(page.objects.last) ?? place.reached
            place.page = number
            place.isRead = page.isLast || !isWhole
            try await remember(place)
            if place.isRead { return }
            number += 1
            page = try await self.page(number, of: list)
        }
    }

    private func page(_ number: Int, of list: List) async throws -> APIPage {
        try Task.checkCancellation()
        var filters = list.filters
        filters["store_id"] = storeID
        return try await api.page(list.path, filters: filters, number: number)
    }

    /// - Returns: whether all of the page lies within the horizon.
    private func handOn(
        _ page: APIPage, of list: List, _ take: ([InboxEvent]) async throws -> Void
    ) async throws -> Bool {
        let horizon = list.endsAtHorizon ? since : nil
        let wanted = page.objects.filter { object in
            guard let horizon, let created = object.attributes["created_at"]?.date else { return true }
            return created >= horizon
        }
        if !wanted.isEmpty { try await take(Self.observations(wanted)) }
        return wanted.count == page.objects.count
    }

    private static func observations(_ objects: [APIObject]) -> [InboxEvent] {
        objects.compactMap { InboxEvent(observed: $0.type, bytes: $0.bytes) }
    }
}

extension APIPage {
    fileprivate var isLast: Bool { number >= last || objects.isEmpty }
}

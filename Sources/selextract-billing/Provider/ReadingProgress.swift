import Foundation
import LemonSqueezy
import LemonSqueezyAPI

/// How far the lists of Lemon Squeezy's API were read, by name.
struct ReadingProgress: Codable, Sendable, Hashable {
    /// Where an object stands in a list, which is in order of creation, the newest first.
    struct Place: Codable, Sendable, Hashable {
        var id: String
        var createdAt: Date?

        init?(_ object: APIObject?) {
            guard let object else { return nil }
            (id, createdAt) = (object.id, object.attributes["created_at"]?.date)
        }
    }

    struct List: Codable, Sendable, Hashable {
        /// The first of the list when it was last begun: what came in later stands before it.
        var newest: Place?
        /// The last of what was taken in without a gap.
        var reached: Place?
        /// The page that this one was on.
        var page: Int
        var isRead = false
    }

    var lists: [String: List] = [:]
}

extension APIPage {
    /// Whether nothing can stand between this page and what comes before an object in the list: the object is on it, or
    /// the page begins before it.
    func continues(behind place: ReadingProgress.Place?) -> Bool {
        guard number > 1, let place else { return true }
        if objects.contains(where: { $0.id == place.id }) { return true }
        guard let first = ReadingProgress.Place(objects.first)?.createdAt, let created = place.createdAt else {
            return false
        }
        return first > created
    }

    /// Whether it goes as far back as an object, so that all that came in after that one was seen.
    func reaches(_ place: ReadingProgress.Place) -> Bool {
        if objects.contains(where: { $0.id == place.id }) { return true }
        guard let last = ReadingProgress.Place(objects.last)?.createdAt, let created = place.createdAt else {
            return false
        }
        return last < created
    }
}

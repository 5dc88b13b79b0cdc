/// Why a call of Lemon Squeezy's API gave nothing: one sentence, never with the key.
public struct APIError: Error, Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        /// 401: the key is wrong, revoked or has expired.
        case unauthorized
        /// 404: there is no such object, or the key's account does not own it.
        case notFound
        /// Another 4xx: the request was not accepted.
        case refused
        /// 429, again and again.
        case rateLimited
        /// 5xx, again and again.
        case unavailable
        /// No answer came.
        case unreachable
        /// The certificate is not one that this machine trusts.
        case untrusted
        /// An answer came that is none of the API's.
        case unreadable
    }

    public var kind: Kind
    public var description: String

    init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}

extension APIError: CustomStringConvertible {}

import Glibc
import NIOCore
import Synchronization

/// Spares the database keys that are wrong: each is asked for once a minute, and an address may ask for so many that it
/// did not know before. In memory, and bounded: what does not fit is forgotten.
final class KeyGuard: Sendable {
    enum Verdict {
        /// The database has to tell.
        case unknown
        /// It has told within the last minute.
        case wrong
        /// The address has tried too many.
        case tooMany
    }

    private struct State {
        var wrong: [String: ContinuousClock.Instant] = [:]
        var right: [String: ContinuousClock.Instant] = [:]
        var tries: [String: (since: ContinuousClock.Instant, count: Int)] = [:]
    }

    private static let memory: Duration = .seconds(60)
    private static let capacity = 10_000
    private let triesAMinute: Int
    private let state = Mutex(State())

    init(triesAMinute: Int) {
        self.triesAMinute = triesAMinute
    }

    /// - Parameters:
    ///   - key: what is stored of its text.
    ///   - address: whose request it is.
    func verdict(
        on key: String, from address: SocketAddress?, at now: ContinuousClock.Instant = .now
    ) -> Verdict {
        state.withLock { state in
            if let told = state.wrong[key], now - told < Self.memory { return .wrong }
            if let told = state.right[key], now - told < Self.memory { return .unknown }
            guard let tries = state.tries[address.network], now - tries.since < Self.memory else { return .unknown }
            return tries.count < triesAMinute ? .unknown : .tooMany
        }
    }

    func tell(
        _ key: String, isRight: Bool, from address: SocketAddress?, at now: ContinuousClock.Instant = .now
    ) {
        state.withLock { state in
            if isRight {
                Self.remember(key, in: &state.right, now)
                return
            }
            Self.remember(key, in: &state.wrong, now)
            let network = address.network
            if state.tries.count >= Self.capacity, state.tries[network] == nil { state.tries = [:] }
            let tries = state.tries[network]
            if let tries, now - tries.since < Self.memory {
                state.tries[network] = (tries.since, tries.count + 1)
            } else {
                state.tries[network] = (now, 1)
            }
        }
    }

    private static func remember(
        _ key: String, in told: inout [String: ContinuousClock.Instant], _ now: ContinuousClock.Instant
    ) {
        if told.count >= capacity { told = told.filter { now - $0.value < memory } }
        if told.count >= capacity { told = [:] }
        told[key] = now
    }
}

extension SocketAddress? {
    /// An address of IPv4; of IPv6 the first 64 bits, since whoever has one has all behind them.
    fileprivate var network: String {
        switch self {
        case .v6?:
            withUnsafeTemporaryAllocation(byteCount: 16, alignment: 4) { bytes in
                let text = self?.ipAddress ?? ""
                guard inet_pton(AF_INET6, text, bytes.baseAddress) == 1 else { return text }
                return bytes.prefix(8).map { String($0, radix: 16) }.joined(separator: ":")
            }
        case let address?: address.ipAddress ?? ""
        case nil: ""
        }
    }
}

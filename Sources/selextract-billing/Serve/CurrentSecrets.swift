import Foundation
import LemonSqueezy
import Logging
import ServiceSettings
import Synchronization

/// The signing secrets as their files hold them now: a changed file counts without a restart.
///
/// Looked at by the deliveries themselves, a few times a second at most: so they wait for no timer, and a service that
/// nobody calls reads no files.
final class CurrentSecrets: Sendable {
    private struct State {
        var secrets: SigningSecrets
        var texts: [String?]
        /// When somebody last began to look, and when he had whose finding holds.
        var lookedAt = ContinuousClock.now
        var foundAt = ContinuousClock.now
        var isWrong = false
    }

    private let state: Mutex<State>
    private let isInFiles: Bool
    private let logger: Logger

    init(_ settings: Settings, logger: Logger) throws {
        state = Mutex(
            State(
                secrets: try settings.signingSecrets(),
                texts: [settings.webhookSecret, settings.previousWebhookSecret]))
        isInFiles = settings.webhookSecretFile != nil || settings.previousWebhookSecretFile != nil
        self.logger = logger
    }

    func now() -> SigningSecrets {
        guard isInFiles else { return state.withLock(\.secrets) }
        // One of the deliveries looks; the others go on with what holds, and wait for no disk.
        let known: State? = state.withLock { state in
            let now = ContinuousClock.now
            guard now - state.lookedAt >= .milliseconds(200) else { return nil }
            state.lookedAt = now
            return state
        }
        guard let known else { return state.withLock(\.secrets) }
        do {
            let found = try Self.read(beside: known.texts)
            return state.withLock { state in
                // Who began later has seen what is newer.
                guard state.foundAt < known.lookedAt else { return state.secrets }
                (state.foundAt, state.isWrong) = (known.lookedAt, false)
                guard let found, found.texts != state.texts else { return state.secrets }
                (state.secrets, state.texts) = found
                logger.notice("the signing secrets have changed")
                return state.secrets
            }
        } catch {
            // What held goes on to hold: a file that is away for a moment refuses no delivery.
            if !known.isWrong {
                logger.error("the signing secrets cannot be read again", metadata: ["error": "\(error)"])
            }
            return state.withLock { state in
                state.isWrong = true
                return state.secrets
            }
        }
    }

    /// What the files hold; nil: what is known already.
    ///
    /// Two files cannot be read at one moment: what has changed is read until it is the same twice, so that no pair counts
    /// that nobody has written.
    private static func read(beside known: [String?]) throws -> (secrets: SigningSecrets, texts: [String?])? {
        var before = known
        for _ in 1...5 {
            let settings = try Settings.load()
            let texts = [settings.webhookSecret, settings.previousWebhookSecret]
            if texts == before { return texts == known ? nil : (try settings.signingSecrets(), texts) }
            before = texts
        }
        return nil
    }
}

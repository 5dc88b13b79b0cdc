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
        var lookedAt = ContinuousClock.now
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
        return state.withLock { state in
            let now = ContinuousClock.now
            guard now - state.lookedAt >= .milliseconds(200) else { return state.secrets }
            state.lookedAt = now
            do {
                let settings = try Settings.load()
                let texts = [settings.webhookSecret, settings.previousWebhookSecret]
                if texts != state.texts {
                    (state.secrets, state.texts) = (try settings.signingSecrets(), texts)
                    logger.notice("the signing secrets have changed")
                }
                state.isWrong = false
            } catch {
                // What held goes on to hold: a file that is away for a moment refuses no delivery.
                if !state.isWrong {
                    logger.error("the signing secrets cannot be read again", metadata: ["error": "\(error)"])
                }
                state.isWrong = true
            }
            return state.secrets
        }
    }
}

import Billing
import Synchronization

/// The last catalogue that a process has read, so that it is read again only when its version is another.
final class KnownCatalog: Sendable {
    private let known = Mutex<(version: Int, catalog: PlanCatalog)?>(nil)

    func catalog(of version: Int) -> PlanCatalog? {
        known.withLock { $0.flatMap { $0.version == version ? $0.catalog : nil } }
    }

    func keep(_ catalog: PlanCatalog, of version: Int) { known.withLock { $0 = (version, catalog) } }
}

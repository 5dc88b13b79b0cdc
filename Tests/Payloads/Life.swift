public import Foundation
import LemonSqueezy

/// A plausible history of one account, made up from a seed: what the provider sends, and what tasks consume in between.
public struct Life: Sendable {
    public enum Step: Sendable, Hashable {
        /// A delivery arrives.
        case event([UInt8])
        /// A task ends.
        case consume(units: Int, task: UUID)
    }

    public let seed: UInt64
    public let user: UUID
    public let createdAt: Date
    /// In order of arrival, each with its moment.
    public var steps: [(at: Date, step: Step)]
    /// When one looks, after all of it.
    public var end: Date
    /// Plans that an operator gives (R19), and ends by hand. Not among the steps: a runner may leave them out.
    public var grants: [Grant]
    /// Which way each setting goes that a runner may choose (R13, R18).
    public let choices: Choices

    public typealias Grant = (at: Date, plan: String, until: Date?, endedAt: Date?)
    public typealias Choices = (upgradeWhenPaid: Bool, downgradeNextMonth: Bool, takeRefunds: Bool)

    /// The variants that mean starter, professional and enterprise, and one that means nothing.
    public static let variants = ["101", "102", "103"]
    public static let unmappedVariant = "999"

    /// - Parameter isLong: of years, not of months.
    public init(seed: UInt64, isLong: Bool = false) {
        var author = LifeAuthor(seed: seed, isLong: isLong)
        author.write()
        self.seed = seed
        user = author.user
        createdAt = author.createdAt
        steps = author.arrivals
        end = author.end
        grants = author.grants()
        choices = author.choices()
    }

    /// Its stretches between consumptions: within each, the order of arrival must not matter.
    public var stretches: [[(at: Date, step: Step)]] {
        var stretches: [[(at: Date, step: Step)]] = [[]]
        for step in steps {
            if case .consume = step.step {
                stretches.append([step])
                stretches.append([])
            } else {
                stretches[stretches.count - 1].append(step)
            }
        }
        return stretches.filter { !$0.isEmpty }
    }

    /// The same with the events of each stretch in another order, and some of them delivered again.
    public func shuffled(_ generator: inout some RandomNumberGenerator, doubled: Bool = false) -> Life {
        var life = self
        life.steps = stretches.flatMap { stretch -> [(at: Date, step: Step)] in
            guard stretch.count > 1 || doubled, let last = stretch.last?.at else { return stretch }
            if case .consume? = stretch.first?.step { return stretch }
            let again = doubled ? stretch.filter { _ in generator.next() % 2 == 0 } : []
            return (stretch + again).shuffled(using: &generator).map { (last, $0.step) }
        }
        return life
    }

    /// The same with a share of the deliveries lost, those that came twice too.
    public func losing(percent: Int, _ generator: inout some RandomNumberGenerator) -> Life {
        var life = self
        var isLost: [Step: Bool] = [:]
        life.steps.removeAll { _, step in
            guard case .event = step else { return false }
            let lost = isLost[step] ?? (Int.random(in: 1...100, using: &generator) <= percent)
            isLost[step] = lost
            return lost
        }
        return life
    }
}

extension Life {
    /// The same with fewer steps, as few as can be left while it still fails.
    public func shrunken(while fails: (Life) async throws -> Bool) async rethrows -> Life {
        var life = self
        var index = life.steps.count - 1
        while index >= 0 {
            var shorter = life
            shorter.steps.remove(at: index)
            if try await fails(shorter) { life = shorter }
            index -= 1
        }
        return life
    }
}

extension Life: CustomStringConvertible {
    public var description: String {
        let lines = steps.map { at, step in
            switch step {
            case .consume(let units, _): "\(at.formatted(.iso8601)) consume \(units)"
            case .event(let body): "\(at.formatted(.iso8601)) \(Self.summary(body))"
            }
        }
        let given = grants.map { grant in
            let ends = [grant.until, grant.endedAt].map { $0?.formatted(.iso8601) ?? "-" }
            return "\(grant.at.formatted(.iso8601)) given \(grant.plan) until \(ends[0]), ended \(ends[1])"
        }
        return "seed \(seed), user created \(createdAt.formatted(.iso8601)), seen at \(end.formatted(.iso8601)), "
            + "\(choices)\n" + (lines + given).joined(separator: "\n")
    }

    /// What the rules read of an event, in a line.
    private static func summary(_ body: [UInt8]) -> String {
        guard let event = try? WebhookEvent(body: body) else { return "unreadable" }
        switch event.object {
        case .subscription(let snapshot):
            let times = [("renews", snapshot.renewsAt), ("ends", snapshot.endsAt), ("trial", snapshot.trialEndsAt)]
                .compactMap { name, time in time.map { "\(name) \($0.formatted(.iso8601))" } }
            let pause = snapshot.pause.map { " \($0.mode ?? "-") \($0.resumesAt?.formatted(.iso8601) ?? "")" } ?? ""
            return "\(event.name) \(snapshot.subscriptionID) \(snapshot.status)\(pause) "
                + "variant \(snapshot.variantID ?? "-") anchor \(snapshot.billingAnchor.map(String.init) ?? "-") "
                + "updated \(snapshot.updatedAt.formatted(.iso8601)) \(times.joined(separator: " "))"
        case .invoice(let invoice):
            return
                "\(event.name) \(invoice.subscriptionID) invoice \(invoice.invoiceID) \(invoice.billingReason ?? "-") "
                + "\(invoice.status ?? "-") created \(invoice.createdAt.formatted(.iso8601)) "
                + "updated \(invoice.updatedAt.formatted(.iso8601))"
        case .order(let order): return "\(event.name) order \(order.orderID) \(order.status ?? "-")"
        default: return event.name.rawValue
        }
    }
}

public import Foundation

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

    /// The variants that mean starter, professional and enterprise, and one that means nothing.
    public static let variants = ["101", "102", "103"]
    public static let unmappedVariant = "999"

    public init(seed: UInt64) {
        var author = LifeAuthor(seed: seed)
        author.write()
        self.seed = seed
        user = author.user
        createdAt = author.createdAt
        steps = author.arrivals
        end = author.end
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
}

extension Life: CustomStringConvertible {
    public var description: String {
        let lines = steps.map { at, step in
            let moment = at.formatted(.iso8601)
            return switch step {
            case .consume(let units, _): "\(moment) consume \(units)"
            case .event(let body): "\(moment) \(String(decoding: body, as: UTF8.self))"
            }
        }
        return "seed \(seed), user created \(createdAt.formatted(.iso8601)), seen at \(end.formatted(.iso8601))\n"
            + lines.joined(separator: "\n")
    }
}

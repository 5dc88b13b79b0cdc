/// Why an account's compute units were left as they are.
public enum ComputeUnitsError: Error, Sendable, Hashable {
    /// A number of units below zero.
    case negative(Int)
    /// Fewer units are left than asked for.
    case short(requested: Int, remaining: Int)
    /// More than the column can hold, 2,147,483,647.
    case tooMany
}

extension ComputeUnitsError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .negative(let units): "\(units) is no number of compute units"
        case .short(let requested, let remaining): "\(requested) compute units were asked for, \(remaining) are left"
        case .tooMany: "more compute units than an account can hold"
        }
    }
}

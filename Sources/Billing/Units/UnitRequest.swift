public import Foundation
import Selextract

/// A change of an account's units that no event brings (R15).
public struct UnitRequest: Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        /// A task's cost. `inFull`: refused if it is more than what is left; else what is left is taken and the
        /// shortfall recorded, as at a task's end. A task that was charged before is not charged again.
        case consume(task: UUID, inFull: Bool)
        /// An operator's.
        case adjust(reason: String)
    }

    public var userID: UUID
    public var kind: Kind
    /// Consumed: 0 or more. Adjusted: given (positive) or taken.
    public var units: Int

    public init(userID: UUID, kind: Kind, units: Int) {
        self.userID = userID
        self.kind = kind
        self.units = units
    }

    /// The task that is the key of it.
    public var taskID: UUID? {
        if case .consume(let task, _) = kind { task } else { nil }
    }
}

/// Why units are not given or taken. Nothing was changed.
public enum UnitRefusal: Error, Sendable, Hashable {
    case insufficient(requested: Int, remaining: Int)
    /// Less than zero for a task, zero for an adjustment, or more than an account can hold.
    case invalid(units: Int)
}

extension UnitRefusal: CustomStringConvertible {
    public var description: String {
        switch self {
        case .insufficient(let requested, let remaining):
            "\(requested) compute units are more than the \(remaining) that remain"
        case .invalid(let units): "\(units) is no number of compute units for this"
        }
    }
}

extension AccountState {
    /// What a request charges to the bucket that is current, and what it lacks.
    func charge(for request: UnitRequest, at now: Date) throws(UnitRefusal) -> (charge: Charge, shortfall: Int) {
        var charge = Charge(
            line: current.line, begin: current.begin, consumed: 0, adjusted: 0, firstAt: now.wholeSeconds)
        guard (-User.unitsMaximum...User.unitsMaximum).contains(request.units) else {
            throw .invalid(units: request.units)
        }
        switch request.kind {
        case .consume(_, let inFull):
            guard request.units >= 0 else { throw .invalid(units: request.units) }
            charge.consumed = min(request.units, current.shown)
            guard charge.consumed == request.units || !inFull else {
                throw .insufficient(requested: request.units, remaining: current.shown)
            }
        case .adjust:
            guard request.units != 0 else { throw .invalid(units: 0) }
            guard request.units > 0 || -request.units <= current.shown else {
                throw .insufficient(requested: -request.units, remaining: current.shown)
            }
            charge.adjusted = request.units
        }
        return (charge, request.units - charge.consumed - charge.adjusted)
    }

    /// The charge for a request, the state after it, and the ledger's entry for it.
    ///
    /// What a task takes is what its entry says, for usage is read from there (R18). Should the charge change what the month
    /// gives, as it does beside a refund, a correction has to follow.
    public func grant(
        _ request: UnitRequest, at now: Date, after last: LedgerEntry, state: (Charge) -> AccountState
    ) throws(UnitRefusal) -> (charge: Charge, state: AccountState, entry: LedgerEntry) {
        let (charge, shortfall) = try charge(for: request, at: now)
        let state = state(charge)
        var entry = LedgerEntry(
            userID: request.userID, kind: .consume, units: -charge.consumed,
            balance: last.balance - charge.consumed, line: charge.line, begin: charge.begin, taskID: request.taskID,
            shortfall: shortfall)
        if case .adjust(let reason) = request.kind {
            (entry.kind, entry.reason) = (.adjust, reason)
            (entry.units, entry.balance) = (state.unitsRemaining - last.balance, state.unitsRemaining)
        }
        return (charge, state, entry)
    }
}

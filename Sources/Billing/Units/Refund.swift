import Foundation
import LemonSqueezy

/// What a full refund does to units (R18).
public enum RefundUnits: String, Sendable, Hashable, CaseIterable {
    /// Nothing.
    case keep
    /// Takes what was not used by then of the month that was current, and what was paid ahead.
    case take
}

/// A full refund of what a subscription was last paid with.
struct Refund: Sendable, Hashable {
    var at: Date
    /// nil: the order's.
    var invoiceID: String?
}

extension SubscriptionHistory {
    /// Full refunds, of invoices for changes of plan too, each with the earliest moment that is told.
    private var fullRefunds: [(refund: Refund, createdAt: Date, isForChange: Bool)] {
        let told = invoices.map(\.invoice).filter(\.isRefundedInFull)
        let ofInvoices = Dictionary(grouping: told, by: \.invoiceID).map { id, told in
            let at = told.map { $0.refundedAt ?? $0.updatedAt }.min() ?? createdAt
            let made = told.map(\.createdAt).min() ?? createdAt
            return (Refund(at: at, invoiceID: id), made, told.allSatisfy(\.isForChange))
        }
        let toldOfOrders = orders.filter(\.isRefundedInFull)
        let ofOrders = Dictionary(grouping: toldOfOrders, by: \.orderID).values.compactMap { told in
            told.compactMap { $0.refundedAt ?? $0.updatedAt }.min().map { at in
                (Refund(at: at), told.compactMap(\.createdAt).min() ?? createdAt, false)
            }
        }
        return ofInvoices + ofOrders
    }

    /// Those that take units, in order. One of an older payment takes nothing: what is current was paid later.
    var refundsThatTake: [Refund] {
        fullRefunds.filter { refund, createdAt, isForChange in
            !isForChange
                && !payments.contains { payment in
                    payment.invoiceID != refund.invoiceID && payment.createdAt > createdAt
                        && payment.updatedAt <= refund.at
                        // The order's own invoice is made a moment after it.
                        && (refund.invoiceID != nil || payment.billingReason != "initial")
                }
        }
        .map(\.refund).sorted { ($0.at, $0.invoiceID ?? "") < ($1.at, $1.invoiceID ?? "") }
    }

    /// Refunds of invoices for a change of plan, which undo it (R13).
    var refundsOfChanges: [Refund] { fullRefunds.filter(\.isForChange).map(\.refund) }
}

extension BillingEvent {
    /// Whether it tells of a full refund, so that it matters when units were used.
    public var isFullRefund: Bool {
        switch fact {
        case .invoice(let invoice): invoice.isRefundedInFull
        case .order(let order): order.isRefundedInFull
        case .snapshot, .none: false
        }
    }
}

extension Invoice {
    var isRefundedInFull: Bool { refunded || status == "refunded" }
}

extension Order {
    var isRefundedInFull: Bool { refunded || status == "refunded" }
}

import LemonSqueezy

// What is read from the provider's API (R21).

extension InboxEvent {
    /// An object of the provider's API as a stored event: its exact bytes, in the envelope of a delivery so that it is read
    /// as one. When it was fetched is when it is received.
    ///
    /// - Parameters:
    ///   - type: the object's, for example `subscriptions`.
    ///   - bytes: the object as it stands in the API's answer.
    /// - Returns: nil if the rules read nothing of such objects.
    public init?(observed type: String, bytes: [UInt8]) {
        let name: EventName
        switch type {
        case "subscriptions": name = .subscriptionObserved
        case "subscription-invoices": name = .subscriptionInvoiceObserved
        case "orders": name = .orderObserved
        default: return nil
        }
        let body = Array("{\"meta\":{\"event_name\":\"\(name.rawValue)\"},\"data\":".utf8) + bytes + Array("}".utf8)
        self.init(Delivery(body: body, source: .api))
    }

    /// Whether an observation adds nothing to what is stored of its object, whatever became of that: then it is not stored
    /// again.
    ///
    /// - Parameter known: events of the same subscription, or order.
    func repeats(_ known: [StoredEvent]) -> Bool {
        if let snapshot {
            // Only the newest: a content that comes back after another is news. Its links differ each time, and do not
            // count.
            let newest = known.compactMap(\.event.ownSnapshot).max { $0.order < $1.order }
            return newest?.order.digest == snapshot.order.digest
        }
        if let invoice {
            return known.contains { stored in
                guard case .invoice(let other) = stored.event.fact, other.isAlike(invoice) else { return false }
                return !invoice.isPaid || stored.event.name.tellsOfPayment
            }
        }
        if let order {
            return known.contains { stored in
                if case .order(let other) = stored.event.fact { other.isAlike(order) } else { false }
            }
        }
        return false
    }
}

extension [InboxEvent] {
    /// Those observations that add something to what is stored of their objects, in order.
    public func news(beside stored: [StoredEvent]) -> [InboxEvent] {
        var subscriptions: [String: [StoredEvent]] = [:]
        var orders: [String: [StoredEvent]] = [:]
        for known in stored {
            if case .order(let order) = known.event.fact {
                orders[order.orderID, default: []].append(known)
            } else if let id = known.event.subscriptionID {
                subscriptions[id, default: []].append(known)
            }
        }
        return filter { event in
            let known =
                if let order = event.order {
                    orders[order.orderID]
                } else {
                    event.subscriptionID.flatMap { subscriptions[$0] }
                }
            return !event.repeats(known ?? [])
        }
    }
}

extension BillingEvent {
    /// The provider's own word.
    fileprivate var ownSnapshot: Snapshot? {
        if case .snapshot(let snapshot) = fact, snapshot.adoption == nil { snapshot } else { nil }
    }
}

extension Invoice {
    /// The same in all that the rules read. An erased e-mail (R20) is no difference: it must not come back by this.
    fileprivate func isAlike(_ other: Invoice) -> Bool {
        var (own, other) = (self, other)
        (own.email, other.email) = (nil, nil)
        return own == other
    }
}

extension Order {
    fileprivate func isAlike(_ other: Order) -> Bool {
        var (own, other) = (self, other)
        (own.email, other.email) = (nil, nil)
        return own == other
    }
}

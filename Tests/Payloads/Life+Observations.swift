public import Foundation
import LemonSqueezy

extension Life {
    /// What the provider's API would have shown at a moment, as it is stored: of each object the state that its deliveries
    /// tell by then, whether they arrived or not, with links of that moment, and without custom data.
    public func observations(at moment: Date) -> [[UInt8]] {
        var newest: [String: (order: Place, document: JSONValue)] = [:]
        for (index, step) in steps.enumerated() {
            guard case .event(let body) = step.step, let event = try? WebhookEvent(body: body),
                event.name != .subscriptionAdopted, let document = try? JSONValue(parsing: body),
                let place = Place(event, index), place.updatedAt <= moment
            else { continue }
            let key = "\(event.dataType) \(event.dataID ?? "")"
            if newest[key].map({ $0.order < place }) ?? true { newest[key] = (place, document) }
        }
        return newest.sorted { $0.key > $1.key }.compactMap { Self.observation($0.value.document, at: moment) }
    }

    /// The same with looks at the API in between: all objects, or some of them.
    public func observing(_ generator: inout some RandomNumberGenerator) -> Life {
        guard let first = steps.first?.at else { return self }
        var life = self
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
            let span = max(1, Int(end.timeIntervalSince(first)))
            let moment = first.addingTimeInterval(Double(Int.random(in: 0...span, using: &generator)))
            let looks = observations(at: moment).filter { _ in Int.random(in: 0..<4, using: &generator) > 0 }
            let place = life.steps.firstIndex { $0.at > moment } ?? life.steps.count
            life.steps.insert(contentsOf: looks.map { (moment, .event($0)) }, at: place)
        }
        return life
    }

    /// Which of two events of an object tells its later state.
    private struct Place: Comparable {
        var updatedAt: Date
        var snapshot: SnapshotOrder?
        /// An invoice is pending before it is paid, and paid before it is given back.
        var progress: Int
        var index: Int

        init?(_ event: WebhookEvent, _ index: Int) {
            self.index = index
            switch event.object {
            case .subscription(let told): (updatedAt, snapshot, progress) = (told.updatedAt, told.order, 0)
            case .invoice(let told):
                let steps = ["pending", "paid", "partial_refund", "refunded"]
                (updatedAt, progress) = (told.updatedAt, told.status.flatMap(steps.firstIndex(of:)) ?? 0)
            case .order(let told): (updatedAt, progress) = (told.updatedAt ?? .distantPast, told.refunded ? 1 : 0)
            case .other, .undecodable: return nil
            }
        }

        static func < (left: Place, right: Place) -> Bool {
            if let one = left.snapshot, let other = right.snapshot, one != other { return one < other }
            return (left.updatedAt, left.progress, left.index) < (right.updatedAt, right.progress, right.index)
        }
    }

    private static func observation(_ document: JSONValue, at moment: Date) -> [UInt8]? {
        guard case .string(let type)? = document["data"]?["type"], let id = document["data"]?["id"],
            case .object(var attributes)? = document["data"]?["attributes"]
        else { return nil }
        let names = [
            "subscriptions": "subscription_observed", "subscription-invoices": "subscription_invoice_observed",
            "orders": "order_observed",
        ]
        guard let name = names[type] else { return nil }
        if let links = attributes.firstIndex(where: { $0.key == "urls" }) {
            let expires = Int(moment.timeIntervalSince1970) + 6 * 3600
            attributes[links].value = .object([
                .init("customer_portal", .string("https://example.com/billing?expires=\(expires)&signature=00"))
            ])
        }
        return JSONValue.object([
            .init("meta", .object([.init("event_name", .string(name))])),
            .init(
                "data",
                .object([.init("type", .string(type)), .init("id", id), .init("attributes", .object(attributes))])),
        ]).wireBytes()
    }
}

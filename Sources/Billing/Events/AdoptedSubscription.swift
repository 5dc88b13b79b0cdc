public import Foundation
import LemonSqueezy

/// A row of `user_subscriptions` that another program made for a subscription of the provider's, as it is taken over
/// (R21).
public struct AdoptedSubscription: Sendable, Hashable {
    /// The provider's.
    public var subscriptionID: String
    public var userID: UUID
    public var planID: String
    /// As the row spells it.
    public var status: String
    /// UTC, as are all times here.
    public var periodStart: Date
    public var periodEnd: Date
    public var cancelsAtPeriodEnd: Bool
    /// What the account has left; nil: that is another subscription's.
    public var unitsLeft: Int?
    /// By the database's clock.
    public var observedAt: Date

    public init(
        subscriptionID: String, userID: UUID, planID: String, status: String, periodStart: Date, periodEnd: Date,
        cancelsAtPeriodEnd: Bool, unitsLeft: Int?, observedAt: Date
    ) {
        self.subscriptionID = subscriptionID
        self.userID = userID
        self.planID = planID
        self.status = status
        self.periodStart = periodStart
        self.periodEnd = periodEnd
        self.cancelsAtPeriodEnd = cancelsAtPeriodEnd
        self.unitsLeft = unitsLeft
        self.observedAt = observedAt
    }

    /// The stored event that it becomes: in the envelope of a delivery, so that it is read as one, and without a
    /// signature.
    public var event: InboxEvent { InboxEvent(Delivery(body: body, source: .adopted)) }

    private var body: [UInt8] {
        // No account may be carried into the future, and no date may be one that cannot be kept.
        let observed = observedAt.wholeSeconds
        let start = min(max(periodStart, Date(timeIntervalSince1970: 0)), observed).wholeSeconds
        let latest = min(start.adding(months: 1199), Timestamp.end.addingTimeInterval(-1))
        let end = max(start, min(periodEnd, latest)).wholeSeconds
        var status = status
        if status == SubscriptionStatus.active.rawValue && cancelsAtPeriodEnd {
            status = SubscriptionStatus.cancelled.rawValue
        }
        let ends: [JSONValue.Member] =
            switch SubscriptionStatus(rawValue: status) {
            case .cancelled, .expired: [.init("ends_at", .moment(end))]
            case .onTrial: [.init("trial_ends_at", .moment(end)), .init("renews_at", .moment(end))]
            default: [.init("renews_at", .moment(end))]
            }
        let attributes: [JSONValue.Member] =
            [.init("status", .string(status))] + ends + [
                .init("created_at", .moment(start)), .init("updated_at", .moment(start)),
                .init(
                    "adopted",
                    .object([
                        .init("plan_id", .string(planID)),
                        .init("compute_units_remaining", unitsLeft.map { .number(String($0)) } ?? .null),
                        .init("observed_at", .moment(observed)),
                    ])),
            ]
        return JSONValue.object([
            .init(
                "meta",
                .object([
                    .init("event_name", .string(EventName.subscriptionAdopted.rawValue)),
                    .init(
                        "custom_data", .object([.init("user_id", .string(userID.uuidString.lowercased()))])),
                ])),
            .init(
                "data",
                .object([
                    .init("type", .string("subscriptions")), .init("id", .string(subscriptionID)),
                    .init("attributes", .object(attributes)),
                ])),
        ]).wireBytes()
    }
}

extension JSONValue {
    fileprivate static func moment(_ date: Date) -> JSONValue { Timestamp.text(from: date).map(string) ?? .null }
}

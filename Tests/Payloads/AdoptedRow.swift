public import Foundation
import LemonSqueezy

/// A row of another program, as it is stored once it was adopted.
public enum AdoptedRow {
    /// - Parameters:
    ///   - units: what its account had left.
    ///   - observed: when the row was read.
    public static func body(
        id: String, user: UUID, status: String, plan: String, from start: Date, to end: Date, units: Int?,
        observed: Date
    ) -> [UInt8] {
        func moment(_ date: Date) -> JSONValue { Timestamp.text(from: date).map(JSONValue.string) ?? .null }
        let ends = ["cancelled": ["ends_at"], "expired": ["ends_at"], "on_trial": ["trial_ends_at", "renews_at"]]
        let adopted = JSONValue.object([
            .init("plan_id", .string(plan)),
            .init("compute_units_remaining", units.map { .number(String($0)) } ?? .null),
            .init("observed_at", moment(observed)),
        ])
        let attributes: [JSONValue.Member] =
            [.init("status", .string(status)), .init("created_at", moment(start)), .init("updated_at", moment(start))]
            + (ends[status] ?? ["renews_at"]).map { .init($0, moment(end)) } + [.init("adopted", adopted)]
        return JSONValue.object([
            .init(
                "meta",
                .object([
                    .init("event_name", .string("subscription_adopted")),
                    .init("custom_data", .object([.init("user_id", .string(user.uuidString))])),
                ])),
            .init(
                "data",
                .object([
                    .init("type", .string("subscriptions")), .init("id", .string(id)),
                    .init("attributes", .object(attributes)),
                ])),
        ]).wireBytes()
    }
}

extension Life {
    /// The same, but another program had its first subscription before: some row of it was adopted first.
    public func adopting(_ generator: inout some RandomNumberGenerator) -> Life {
        let ids = steps.compactMap { _, step -> (String, Date)? in
            guard case .event(let body) = step, let event = try? WebhookEvent(body: body),
                case .subscription(let snapshot) = event.object
            else { return nil }
            return (snapshot.subscriptionID, snapshot.createdAt)
        }
        guard let (id, created) = ids.first, let first = steps.first?.at else { return self }
        func pick<Value>(_ values: [Value]) -> Value { values[Int.random(in: 0..<values.count, using: &generator)] }
        let observed = max(createdAt, min(first, created))
        let start = observed.addingTimeInterval(-Double(Int.random(in: 0...(40 * 86_400), using: &generator)))
        let days = pick([7, 30, 31, 31, 31, 365])
        var life = self
        life.steps.insert(
            (
                observed,
                .event(
                    AdoptedRow.body(
                        id: id, user: user,
                        status: pick(["active", "active", "past_due", "cancelled", "on_trial", "paused", "expired"]),
                        plan: pick(["starter", "professional", "enterprise"]), from: start,
                        to: start.addingTimeInterval(Double(days) * 86_400),
                        units: pick([nil, 0, 300, 1000, 30_000]), observed: observed))
            ), at: 0)
        return life
    }
}

import LemonSqueezy
import Testing

/// What the files of a scenario are, one letter each in order (order, subscription, invoice, `-` anything else), and
/// what its canonically last snapshot says.
struct ExpectedScenario: CustomTestStringConvertible {
    let name: String
    let kinds: String
    let status: SubscriptionStatus
    let variantID: String

    var testDescription: String { name }

    init(_ name: String, _ kinds: String, _ status: SubscriptionStatus, _ variantID: String) {
        self.name = name
        self.kinds = kinds
        self.status = status
        self.variantID = variantID
    }

    static let all: [ExpectedScenario] = [
        .init("cancel", "OSISSSS", .cancelled, "101"),
        .init("cancel-and-resume", "OSISSSSSS", .active, "101"),
        .init("cancel-then-expired", "OSISSSSSS", .expired, "101"),
        .init("failed-renewal-recovered", "OSISISIIS", .active, "101"),
        .init("failed-renewal-unpaid-recovered", "OSISISISIIS", .active, "101"),
        .init("first-purchase", "OSIS", .active, "101"),
        .init("late-snapshot", "OSISSSS", .active, "101"),
        .init("mistakes-billing-date-change", "OSISSIS", .active, "101"),
        .init("mistakes-cancelled-keeps-access", "OSISSSS", .cancelled, "101"),
        .init("mistakes-claim-missing-on-invoices", "OSISIS", .active, "101"),
        .init("mistakes-fields-change-type", "OSIS", .active, "101"),
        .init("mistakes-forged-plan", "OSIS", .active, "101"),
        .init("mistakes-paused-void-no-access", "OSISSS", .paused, "101"),
        .init("mistakes-payment-before-created", "ISSO", .active, "101"),
        .init("mistakes-re-encoded-body", "OSIS", .active, "101"),
        .init("mistakes-renewal-found-by-subscription", "OSISI", .active, "101"),
        .init("mistakes-renews-at-is-the-purchase", "OSISS", .active, "101"),
        .init("mistakes-resent-renewal", "OSISISI", .active, "101"),
        .init("mistakes-same-second-updates", "OSISSSSS", .active, "101"),
        .init("mistakes-success-and-recovered", "OSISISIIS", .active, "101"),
        .init("mistakes-unknown-event", "OSISS-", .active, "101"),
        .init("mistakes-unknown-variant-is-no-limit", "OSISIS", .active, "999"),
        .init("mistakes-updated-invoice-no-refill", "OSISSISI", .active, "101"),
        .init("mistakes-updates-share-created-at", "OSISSISSSS", .cancelled, "102"),
        .init("mistakes-upper-case-user-id", "OSIS", .active, "101"),
        .init("past-due-cancelled", "OSISISSSS", .cancelled, "101"),
        .init("pause-free", "OSISSS", .paused, "101"),
        .init("pause-void-unpause", "OSISSSSS", .active, "101"),
        .init("plan-change-and-back", "OSISSISI", .active, "101"),
        .init("plan-change-debt", "OSISSS", .active, "101"),
        .init("plan-change-upgrade", "OSISSSI", .active, "102"),
        .init("refund", "OSISIO", .active, "101"),
        .init("refund-partial", "OSISIO", .active, "101"),
        .init("renewal", "OSISIIS", .active, "101"),
        .init("renewal-lost-invoice", "OSISSI", .active, "101"),
        .init("trial", "OSSIS", .active, "101"),
        .init("trial-zero-invoice", "OSISIS", .active, "101"),
        .init("two-subscriptions", "OSISOSISSSSISSS", .expired, "102"),
        .init("unknown-account", "OSIS", .active, "101"),
        .init("unknown-variant", "OSIS", .active, "999"),
        .init("unknown-variant-after-starter", "OSISSSSSSS", .expired, "999"),
        .init("yearly", "OSIS", .active, "111"),
    ]
}

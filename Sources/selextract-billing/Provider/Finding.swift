/// Something that is wrong with the set-up.
struct Finding: Sendable, Hashable {
    var code: Code
    /// What is wrong, for people.
    var sentence: String
    /// The command, or the act, that mends it.
    var remedy: String

    init(_ code: Code, _ sentence: String, remedy: String) {
        self.code = code
        self.sentence = sentence
        self.remedy = remedy
    }
}

extension Finding {
    /// Stable: scripts rely on them.
    enum Code: String, Sendable, CaseIterable {
        case settingWrong = "setting_wrong"
        case secretMissing = "secret_missing"
        case databaseUnusable = "database_unusable"
        case schemaOutdated = "schema_outdated"
        case schemaDiffers = "schema_differs"
        case clockDiffersFromDatabase = "clock_differs_from_database"
        case clockDiffersFromAPI = "clock_differs_from_api"
        case settingNotInForce = "setting_not_in_force"
        case unitsGivenTwice = "units_given_twice"
        case variantUnmapped = "variant_unmapped"
        case apiKeyRefused = "api_key_refused"
        case apiKeyExpires = "api_key_expires"
        case apiUntrusted = "api_untrusted"
        case apiUnavailable = "api_unavailable"
        case modeDiffers = "mode_differs"
        case storeUnknown = "store_unknown"
        case storeNotChosen = "store_not_chosen"
        case publicURLMissing = "public_url_missing"
        case webhookMissing = "webhook_missing"
        case webhookTwice = "webhook_twice"
        case webhookEventsMissing = "webhook_events_missing"
        case deliveriesLost = "deliveries_lost"
        case planWithoutVariant = "plan_without_variant"
        case variantUnknown = "variant_unknown"
        case variantUnpublished = "variant_unpublished"
        case variantNotRecurring = "variant_not_recurring"
        case variantShorterThanMonth = "variant_shorter_than_month"
        case priceDiffers = "price_differs"
    }
}

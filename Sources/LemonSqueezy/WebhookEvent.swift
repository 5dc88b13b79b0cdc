/// One delivery's body, decoded: what it is about, and as much of it as the rules read.
///
/// Ids are strings, whatever JSON type they came in. What is optional here is nil when it is missing, unreadable, or
/// holds what a database cannot keep (NUL, or more than its column).
public struct WebhookEvent: Hashable, Sendable {
    public let name: EventName
    /// Differs between events of one second. Whether a retry keeps it is not documented, so nothing relies on it alone.
    public let webhookID: String?
    /// `meta.test_mode`, else that of the object.
    public let testMode: Bool?
    public let storeID: String?
    /// `meta.custom_data.user_id`; a UUID comes out trimmed and in lower case. The buyer can set it: it is a claim
    /// (R5).
    public let customUserID: String?
    /// `data.type`, for example `subscriptions`: the kind of object, whatever the event's name.
    public let dataType: String
    public let dataID: String?
    public let customerID: String?
    /// `data.id` of a subscription, `subscription_id` of an invoice.
    public let subscriptionID: String?
    public let email: String?
    public let object: Object

    /// What the event tells, by its `data.type`.
    public enum Object: Hashable, Sendable {
        case subscription(Snapshot)
        case invoice(Invoice)
        case order(Order)
        /// Another type of object: stored and ignored (R2).
        case other
        /// One of the three, but the rules need an attribute that is missing or impossible (R3). The reason names the
        /// attribute, never its value.
        case undecodable(reason: String)
    }

    /// Decodes the raw body of an authentic delivery.
    ///
    /// - Throws: `EnvelopeError` if it is no event at all; an object that cannot be read is no error but
    ///   ``Object/undecodable(reason:)``.
    public init(body: [UInt8]) throws(EnvelopeError) {
        // Half of a body is links to related objects.
        guard let document = try? JSONValue(parsing: body, without: "relationships") else { throw .notJSON }
        try self.init(document)
    }

    /// Decodes a body that is parsed already.
    public init(_ document: JSONValue) throws(EnvelopeError) {
        let meta = document["meta"]
        guard let name = meta?["event_name"]?.text(atMost: 100) else { throw .noEventName }
        guard let data = document["data"], let type = data["type"]?.text(atMost: 100) else { throw .noData }
        let attributes = data["attributes"]

        self.name = EventName(rawValue: name)
        webhookID = meta?["webhook_id"]?.identifier
        testMode = meta?["test_mode"]?.bool ?? attributes?["test_mode"]?.bool
        storeID = attributes?["store_id"]?.identifier
        customUserID = (meta?["custom_data"]?["user_id"]?.identifier).map(Self.normalized)
        dataType = type
        dataID = data["id"]?.identifier
        customerID = attributes?["customer_id"]?.identifier
        email = attributes?["user_email"]?.text(atMost: 255)
        subscriptionID =
            switch type {
            case "subscriptions": dataID
            case "subscription-invoices": attributes?["subscription_id"]?.identifier
            default: nil
            }
        object = Object(type: type, data: data, name: self.name)
    }

    /// A UUID trimmed and in lower case, as the accounts have it; anything else as it is.
    private static func normalized(_ userID: String) -> String {
        // What is written as it should be needs no look at its characters.
        if isUUID(userID.utf8) { return userID }
        let trimmed = userID.trimmingPrefix(while: \.isWhitespace).reversed()
            .trimmingPrefix(while: \.isWhitespace).reversed()
        let uuid = String(trimmed).lowercased()
        return isUUID(uuid.utf8) ? uuid : userID
    }

    /// Whether it is one, in lower case.
    private static func isUUID(_ text: String.UTF8View) -> Bool {
        guard text.count == 36 else { return false }
        var position = 0
        for byte in text {
            let isExpected =
                switch position {
                case 8, 13, 18, 23: byte == UInt8(ascii: "-")
                default:
                    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                        || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
                }
            guard isExpected else { return false }
            position += 1
        }
        return true
    }
}

extension WebhookEvent.Object {
    fileprivate init(type: String, data: JSONValue, name: EventName) {
        do throws(Undecodable) {
            switch type {
            case "subscriptions":
                self = .subscription(try Snapshot(id: data["id"], attributes: data.attributes(), name: name))
            case "subscription-invoices":
                self = .invoice(try Invoice(id: data["id"], attributes: data.attributes()))
            case "orders":
                self = .order(try Order(id: data["id"], attributes: data.attributes()))
            default:
                self = .other
            }
        } catch {
            self = .undecodable(reason: error.reason)
        }
    }
}

extension JSONValue {
    fileprivate func attributes() throws(Undecodable) -> Attributes {
        guard let attributes = self["attributes"], case .object = attributes else {
            throw Undecodable(path: "data.attributes", value: self["attributes"])
        }
        return Attributes(value: attributes)
    }
}

/// Why a signed body is not a usable event: it is stored as `rejected` and answered 400 (R2).
public enum EnvelopeError: String, Error, Hashable, Sendable, CaseIterable {
    /// Not one JSON document (RFC 8259) of valid UTF-8, or nested too deeply.
    case notJSON = "not_json"
    /// `meta.event_name` is missing or not a usable string.
    case noEventName = "no_event_name"
    /// `data` is missing, not an object, or does not say its type.
    case noData = "no_data"
}

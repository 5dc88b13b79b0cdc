public import LemonSqueezy

/// An object of the API as it came.
public struct APIObject: Sendable, Hashable {
    public var type: String
    public var id: String
    public var attributes: JSONValue
    /// Its own bytes within the answer, unchanged.
    public var bytes: [UInt8]
}

/// A page of a list. While pages are read, what is new comes in at the front: objects may repeat, and none is passed over.
public struct APIPage: Sendable {
    public var objects: [APIObject]
    /// From 1.
    public var number: Int
    /// As the answer says it; the number itself if it does not.
    public var last: Int
    /// Of all pages.
    public var total: Int?
}

extension APIObject {
    /// The objects of an answer's `data`, those without a type or an id left out.
    static func all(in body: [UInt8], _ document: JSONValue) -> [APIObject] {
        let values: [JSONValue] =
            switch document["data"] {
            case .array(let elements)?: elements
            case let value?: [value]
            case nil: []
            }
        let places = ObjectBytes.ranges(in: body)
        guard places.count == values.count else { return [] }
        return zip(values, places).compactMap { value, place in
            guard let type = value["type"]?.text(atMost: 100), let id = value["id"]?.identifier else { return nil }
            return APIObject(
                type: type, id: id, attributes: value["attributes"] ?? .object([]), bytes: Array(body[place]))
        }
    }
}

import HTTPTypes

extension HTTPField.Name {
    static let requestID = name("X-Request-ID")
    static let signature = name("X-Signature")

    private static func name(_ text: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(text) else { preconditionFailure("“\(text)” is no name of a header") }
        return name
    }
}

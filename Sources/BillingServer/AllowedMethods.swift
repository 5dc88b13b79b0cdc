import HTTPTypes

/// The methods that each address answers to.
struct AllowedMethods: Sendable {
    private let routes: [(pattern: [Substring], methods: [HTTPRequest.Method])]

    init(_ routes: [(key: String, value: [HTTPRequest.Method])]) {
        self.routes = routes.map { ($0.key.split(separator: "/"), $0.value) }
    }

    /// None: there is no such address.
    func at(_ path: String) -> [HTTPRequest.Method] {
        let components = path.split(separator: "/")
        let route = routes.first { route in
            route.pattern.count == components.count
                && zip(route.pattern, components).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
        }
        return route?.methods ?? []
    }
}

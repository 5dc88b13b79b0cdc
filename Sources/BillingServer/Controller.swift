import HTTPTypes
import Hummingbird

/// A group of addresses, and what they answer.
protocol Controller: Sendable {
    /// The methods of each address. As the router has it, `{name}` stands for any one component.
    static var methods: KeyValuePairs<String, [HTTPRequest.Method]> { get }

    func addRoutes(to router: Router<IdentifiedContext>)
}

extension Router where Context == IdentifiedContext {
    /// A router of these controllers alone.
    convenience init(_ controllers: [any Controller], metrics: Metrics) {
        self.init(context: IdentifiedContext.self, options: .autoGenerateHeadEndpoints)
        add(
            middleware: ErrorResponses(
                allowedMethods: AllowedMethods(controllers.flatMap { Array(type(of: $0).methods) }),
                metrics: metrics))
        for controller in controllers { controller.addRoutes(to: self) }
    }
}

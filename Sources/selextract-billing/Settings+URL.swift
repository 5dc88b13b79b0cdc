import ServiceSettings

extension Settings {
    /// Where a program on this machine reaches the public port.
    ///
    /// - Parameter port: the real one, if the setting says "any".
    func publicURL(port: Int? = nil) -> String {
        let host =
            switch self.host {
            case "0.0.0.0": "127.0.0.1"
            case "::": "[::1]"
            case let host where host.contains(":"): "[\(host)]"
            default: self.host
            }
        return "http://\(host):\(port ?? self.port)"
    }
}

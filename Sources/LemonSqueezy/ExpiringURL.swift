/// A signed URL that ends at a moment: its query has `expires=<Unix seconds>`.
struct ExpiringURL {
    private let beforeDigits: Substring
    private let afterDigits: Substring
    /// When it ends, in Unix seconds.
    let expires: Int

    /// Nil if the URL does not say when it ends.
    init?(_ url: String) {
        guard let query = url.firstIndex(of: "?") else { return nil }
        var start = url.index(after: query)
        while true {
            let end = url[start...].firstIndex { $0 == "&" || $0 == "#" } ?? url.endIndex
            let item = url[start..<end]
            if item.hasPrefix("expires=") {
                let digits = item.dropFirst("expires=".count)
                guard digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let expires = Int(digits) else {
                    return nil
                }
                self.expires = expires
                beforeDigits = url[..<digits.startIndex]
                afterDigits = url[end...]
                return
            }
            guard end < url.endIndex, url[end] == "&" else { return nil }
            start = url.index(after: end)
        }
    }

    /// The same URL ending at another moment. Its signature is no longer valid, which does no harm: the URLs of
    /// replayed payloads are not opened.
    func ending(at expires: Int) -> String { "\(beforeDigits)\(expires)\(afterDigits)" }
}

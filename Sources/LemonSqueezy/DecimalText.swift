/// The text of a JSON number, made comparable without losing a digit to a machine type.
enum DecimalText {
    /// One spelling for all texts of the same number: `1`, `1.0`, `10e-1` and `0.1E+1` are `1`.
    ///
    /// A number of more than 18 digits, or one that is no integer, is its digits without zeros at either end and the
    /// power of ten they are multiplied by: `19.90` is `199e-1`.
    static func canonical(_ text: String) -> String {
        let isShortInteger = text.utf8.count <= 18 && text.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
        if isShortInteger { return text }

        let parts = text.lowercased().split(separator: "e", maxSplits: 1)
        let isNegative = parts[0].hasPrefix("-")
        let mantissa = parts[0].drop { $0 == "-" }.split(separator: ".", maxSplits: 1)
        let fraction = mantissa.count > 1 ? mantissa[1] : ""
        // An exponent beyond 64 bits is no number anybody means; its text stays as it is.
        guard let written = parts.count > 1 ? Int(parts[1]) : 0,
            let exponent = Optional(written.subtractingReportingOverflow(fraction.utf8.count)), !exponent.overflow
        else { return text.lowercased() }

        let digits = (mantissa[0] + fraction).drop { $0 == "0" }
        guard let last = digits.lastIndex(where: { $0 != "0" }) else { return "0" }
        let significant = digits[...last]
        let (power, overflow) = exponent.partialValue.addingReportingOverflow(digits.count - significant.count)
        guard !overflow else { return text.lowercased() }
        let sign = isNegative ? "-" : ""
        if power >= 0, power <= 18, significant.utf8.count + power <= 18 {
            return sign + significant + String(repeating: "0", count: power)
        }
        return "\(sign)\(significant)e\(power)"
    }
}

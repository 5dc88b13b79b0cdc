extension String {
    /// The text with everything escaped that controls how it is shown: control characters, ends of lines, and what
    /// turns the direction of writing. Input from outside must not be able to control an operator's terminal, to begin
    /// a line of the log, or to make a name look like another.
    package var printable: String {
        replacing { $0.controlsText ? $0.escaped(asASCII: true) : nil }
    }

    /// A text of JSON, written so that it can be printed: its value is the same. Control characters below U+0020 are
    /// escaped by every encoder, and outside of strings they are what separates its lines.
    package var printableJSON: String {
        replacing { scalar in
            guard scalar.value >= 0x7F, scalar.controlsText else { return nil }
            return String(scalar).utf16.map { "\\u" + ("000" + String($0, radix: 16)).suffix(4) }.joined()
        }
    }

    private func replacing(_ escape: (Unicode.Scalar) -> String?) -> String {
        // Nearly all texts are plain ASCII, which the bytes tell without a look into Unicode's tables.
        if utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) { return self }
        return unicodeScalars.reduce(into: "") { text, scalar in
            if let escaped = escape(scalar) {
                text += escaped
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
    }
}

extension Unicode.Scalar {
    fileprivate var controlsText: Bool {
        switch properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        default: properties.isBidiControl
        }
    }
}

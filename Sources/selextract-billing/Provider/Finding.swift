/// Something that is wrong with the set-up.
struct Finding: Sendable, Hashable {
    /// Stable: scripts rely on it.
    var code: String
    /// What is wrong, for people.
    var sentence: String
    /// The command, or the act, that mends it.
    var remedy: String

    init(_ code: String, _ sentence: String, remedy: String) {
        self.code = code
        self.sentence = sentence
        self.remedy = remedy
    }
}

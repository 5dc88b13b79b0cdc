extension String {
    /// Key words as another person would have typed them; literals as they are.
    var uppercasedWords: String {
        ["create table", "not null", "default", "check", "references", "primary key", "unique"].reduce(self) {
            $0.replacing($1, with: $1.uppercased())
        }
    }
}

extension String {
    /// Key words as another person would have typed them; literals as they are.
    var uppercasedWords: String {
        let words =
            #/\b(create table|not null|default|check|references|primary key|unique|on conflict|collate|deferrable)\b/#
        return replacing(words) { $0.output.0.uppercased() }
    }
}

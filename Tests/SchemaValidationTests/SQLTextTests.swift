import Testing

@testable import SchemaValidation

@Suite struct SQLTextTests {
    @Test(
        arguments: [
            ("CHECK  (\"progress\" >= 0)", "check (progress >= 0)"),
            ("lower( Email ) -- why\n = 'It''s  A' /* not\nthis */ ,x", "lower(email) = 'It''s  A', x"),
            ("(status)::text = ANY (ARRAY['a'::varchar])", "(status)::text = any (array['a'::varchar])"),
            ("\"order\".\"Mixed Case\"", "order.\"Mixed Case\""), ("a<>-1", "a <>- 1"), ("'open", "'open"),
            ("set search_path = \"\"", "set search_path = \"\""),
        ])
    func `two spellings of the same SQL are one text`(sql: String, text: String) {
        #expect(SQLText(sql).description == text)
        #expect(SQLText(text).description == text)
    }

    @Test func `servers of other versions may qualify, cast and parenthesize otherwise`() {
        let old = " SELECT u.id FROM users u WHERE ((u.status)::text = 'a'::text);"
        let new = "SELECT id FROM users u WHERE status::text = 'a';"
        #expect(SQLText(old) != SQLText(new))
        #expect(SQLText(old).loosened == SQLText(new).loosened)
        #expect(SQLText(old).loosened != SQLText(new.replacing("'a'", with: "'b'")).loosened)
    }
}

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

    @Test(
        arguments: [
            // As it is written first, and once it was restored.
            (
                "kind::text = any (array['a'::character varying::text, 'b'::character varying::text])",
                "kind::text = any (array['a'::character varying, 'b'::character varying]::text[])"
            ),
            (
                "a in array['x'::character varying::text] and array['y'::character varying::text, b]",
                "a in array['x'::character varying]::text[] and array['y'::character varying::text, b]"
            ),
            ("array['a'::character varying, 'b'::text]", "array['a'::character varying, 'b'::text]"),
            ("array['a'::character varying::text", "array['a'::character varying::text"), ("array[", "array["),
            ("array[]", "array[]"),
        ])
    func `arrays of words are cast as a whole, and no other ones`(sql: String, text: String) {
        #expect(SQLText(sql).castingWholeArrays.description == SQLText(text).description)
    }

    @Test func `servers of other versions may qualify, cast and parenthesize otherwise`() {
        let old = " SELECT u.id FROM users u WHERE ((u.status)::text = 'a'::text);"
        let new = "SELECT id FROM users u WHERE status::text = 'a';"
        #expect(SQLText(old) != SQLText(new))
        #expect(SQLText(old).loosened == SQLText(new).loosened)
        #expect(SQLText(old).loosened != SQLText(new.replacing("'a'", with: "'b'")).loosened)
    }
}

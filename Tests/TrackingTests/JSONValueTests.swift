// JSON in and out.
// SPDX-License-Identifier: Apache-2.0
import Testing
import Tracking

@Suite struct JSONValueTests {
  private func parse(_ text: String) throws -> JSONValue { try JSONValue(parsing: Array(text.utf8)) }

  @Test func `canonical text has sorted keys, no spaces, and numbers as they were written`() throws {
    let text =
      " {\"b\" : [1.0, -0, 1e-05 ,12345678901234567890, NaN], \"a\": {\"z\":null,\"é\":\"\\u00e9\\n\\ud83d\\ude00\"},\"B\":true }\n"
    #expect(
      try parse(text).canonicalText
        == "{\"B\":true,\"a\":{\"z\":null,\"é\":\"é\\n😀\"},\"b\":[1.0,-0,1e-05,12345678901234567890,NaN]}")
  }

  @Test(arguments: ["0", "-0", "10", "1.5", "-1.50e+07", "1E5", "0.0"])
  func `numbers keep their text`(_ text: String) throws {
    #expect(try parse(text) == .number(text))
  }

  @Test(arguments: ["00", "-", ".5", "5.", "+1", "1e", "1e+", "0x1", "1_000", "--1", "1.2.3", "Inf"])
  func `what only looks like a number is refused`(_ text: String) {
    #expect(throws: JSONProblem(message: "`\(text)` is not a JSON value", offset: 0)) { try parse(text) }
  }

  @Test func `pretty text has two spaces a level`() throws {
    #expect(
      try parse("{\"a\":[1,{}],\"b\":[]}").prettyText == """
        {
          "a": [
            1,
            {}
          ],
          "b": []
        }
        """)
  }

  @Test(arguments: [
    ("", "the document ends too early", 0), ("{\"a\":1", "`,` or `}` is missing", 6), ("[1 2]", "`,` or `]` is missing", 3),
    ("{\"a\":1,\"a\":2}", "key `a` stands twice", 12), ("1 1", "something follows the end of the document", 2),
    ("01", "`01` is not a JSON value", 0), ("{a:1}", "a key in quotes is missing", 1), ("\"a", "a string has no end", 2),
    ("\"\\ud800\"", "half of a surrogate pair", 7), ("\"\\x\"", "an escape that JSON does not have", 3),
    ("[1,]", "a value is missing", 3), ("\"\\u+123\"", "`\\u` needs four hexadecimal digits", 3),
    ("tru", "`tru` is not a JSON value", 0), ("\"\n\"", "a control character stands in a string", 2),
  ])
  func `what is not JSON is refused with a reason and a place`(_ text: String, _ message: String, _ offset: Int) {
    #expect(throws: JSONProblem(message: message, offset: offset)) { try parse(text) }
  }

  @Test func `depth is bounded and broken UTF-8 refused`() throws {
    _ = try parse(String(repeating: "[", count: 200) + String(repeating: "]", count: 200))
    #expect(throws: JSONProblem.self) { try parse(String(repeating: "[", count: 100_000)) }
    #expect(throws: JSONProblem(message: "not UTF-8", offset: 0)) { try JSONValue(parsing: [0x22, 0xFF, 0x22]) }
  }
}

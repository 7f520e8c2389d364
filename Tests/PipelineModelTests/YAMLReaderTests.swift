// YAML as a tree with places, and the documents that it refuses.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import PipelineModel
import Testing

private func tree(_ text: String) throws -> YAMLNode {
  let (tree, mistakes) = YAMLReader.read(text, file: "f.yaml")
  #expect(mistakes.diagnostics == [])
  return try #require(tree)
}

/// `line:column message` of every mistake.
private func mistakes(_ text: String) -> [String] {
  YAMLReader.read(text, file: "f.yaml").mistakes.diagnostics.map {
    "\($0.location?.line ?? 0):\($0.location?.column ?? 0) \($0.message)"
  }
}

private func mark(_ line: Int, _ column: Int) -> YAMLMark { YAMLMark(line: line, column: column) }

@Test func `every kind of value knows where it begins`() throws {
  let root = try tree(
    """
    # a comment
    plain: text
    é "quoted": "double"
    'single': 'it''s'
    list:
    - 1
    -   two
    flow: [a, {b: c}]
    block: |
      line
    folded: >-
      one
      two
    nothing:
    nested:
      deep:
        - - x
    """)
  let pairs = try #require(root.pairs)
  #expect(
    pairs.map(\.key.text)
      == ["plain", "é \"quoted\"", "single", "list", "flow", "block", "folded", "nothing", "nested"])
  #expect(pairs.map(\.key.mark.line) == [2, 3, 4, 5, 8, 9, 11, 14, 15])
  #expect(pairs.map(\.key.mark.column) == [1, 1, 1, 1, 1, 1, 1, 1, 1])
  #expect(root["plain"]?.mark == mark(2, 8))
  #expect(root["é \"quoted\""]?.mark == mark(3, 13))
  #expect(root["single"]?.text == "it's")
  #expect(root["list"]?.items?.map(\.mark) == [mark(6, 3), mark(7, 5)])
  #expect(root["flow"]?.mark == mark(8, 7))
  #expect(root["flow"]?.items?.last?["b"]?.mark == mark(8, 15))
  #expect(root["block"]?.mark == mark(9, 8))
  #expect(root["block"]?.text == "line\n")
  #expect(root["folded"]?.text == "one two")
  #expect(root["nothing"]?.value == .null)
  #expect(root["nested"]?["deep"]?.items?.first?.items?.first?.mark == mark(17, 9))
  #expect(root.location(in: "f.yaml").description == "f.yaml:2:1")
}

@Test func `a node says of what kind it is`() throws {
  let root = try tree("[[], {}, null, true, 1, 1.5, a, '1']")
  #expect(
    root.items?.map(\.kindName)
      == ["a list", "a mapping", "nothing", "true or false", "a number", "a number", "text", "text"])
}

@Test func `nothing but comments is no tree and no mistake`() {
  for text in ["", "# only\n", "\n\n"] {
    let (tree, mistakes) = YAMLReader.read(text, file: "f.yaml")
    #expect(tree == nil && mistakes.diagnostics == [])
  }
}

@Test func `every duplicate key is a mistake that names the first`() {
  let text = "a: 1\nb: 2\na: 3\nc: {x: 1, x: 2}\n\"b\": 4\n"
  #expect(mistakes(text) == ["3:1 key `a` stands twice", "4:11 key `x` stands twice", "5:1 key `b` stands twice"])
  let causes = YAMLReader.read(text, file: "f.yaml").mistakes.diagnostics.map(\.causes)
  #expect(causes == [["the first is on line 1"], ["the first is on line 4"], ["the first is on line 2"]])
}

@Test func `a duplicate key is found in a long mapping too`() {
  let keys = (1...40).map { "k\($0): x\n" }.joined()
  #expect(
    mistakes(keys + "k3: y\nk16: y\nk17: y\nk40: y\nk41: y\n") == [
      "41:1 key `k3` stands twice", "42:1 key `k16` stands twice", "43:1 key `k17` stands twice", "44:1 key `k40` stands twice",
    ])
}

@Test(arguments: [
  ("[a]: 1\n", "1:1 a key has to be text"), ("? {a: b}\n: 1\n", "1:3 a key has to be text"),
  ("a: 1\n---\nb: 2\n", "2:1 a second document begins here"), ("a: *none\n", "1:4 no anchor is named `none`"),
  ("a: &x [*x]\n", "1:8 no anchor is named `x`"),
  ("a:\n\t- 1\n", "2:1 this is not YAML: found character that cannot start any token"),
  ("a: [1, 2\n", "2:1 this is not YAML: did not find expected ',' or ']'"),
  ("a: \"x\n", "2:1 this is not YAML: found unexpected end of stream"),
  ("a: b: c\n", "1:5 this is not YAML: mapping values are not allowed in this context"),
  ("<<<<<<< HEAD\na: 1\n=======\n", "2:2 this is not YAML: mapping values are not allowed in this context"),
  ("a: 1\nbé: \u{7}\n", "2:5 this is not YAML: control characters are not allowed"),
  ("a: !python/object:os.system x\n", "1:4 tag `!python/object:os.system` is not read"),
  ("a: !!set {b}\n", "1:4 tag `tag:yaml.org,2002:set` is not read"),
])
func `what is not one plain document is refused with its place`(_ text: String, _ message: String) {
  #expect(mistakes(text) == [message])
}

@Test func `an anchor stands for its value at the place of the alias`() throws {
  let root = try tree("base: &b {lr: 0.1}\nuse: *b\nlist: [&x 1, *x]\n")
  #expect(root["use"]?["lr"]?.value == .double(0.1))
  #expect(root["use"]?.mark == mark(2, 6))
  #expect(root["list"]?.value == .list([.integer(1), .integer(1)]))
}

@Test func `a merge key takes in what the mapping does not say itself`() throws {
  let root = try tree(
    """
    x: &x {p: 1}
    z: &z {p: 5, r: 3}
    one: {<<: *x, q: 2}
    two:
      q: 2
      <<: [*x, *z]
      r: 9
    inline: {<<: {b: 1}}
    """)
  #expect(root["one"]?.value.json == #"{"p": 1, "q": 2}"#)
  #expect(root["two"]?.value.json == #"{"p": 1, "r": 9, "q": 2}"#)
  #expect(root["inline"]?.value.json == #"{"b": 1}"#)
  #expect(mistakes("a: {<<: 5}\n") == ["1:9 `<<` takes in a mapping or a list of mappings, not a number"])
  #expect(try tree("'<<': {a: 1}\n")["<<"]?["a"]?.value == .integer(1))
}

@Test func `aliases that would grow without bound are refused`() {
  var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
  for level in 1...9 {
    let previous = [String](repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
    text += "a\(level): &a\(level) [\(previous)]\n"
  }
  let found = mistakes(text)
  #expect(found.count == 1 && found[0].hasSuffix("aliases expand to too many values"))
}

@Test func `values nest 199 deep and no deeper`() throws {
  func nested(_ depth: Int) -> String { String(repeating: "[", count: depth) + "x" + String(repeating: "]", count: depth) }
  _ = try tree(nested(199))
  #expect(mistakes(nested(200)) == ["1:201 values nest deeper than 200"])
  #expect(mistakes(nested(100_000)) == ["1:201 values nest deeper than 200"])
  #expect(mistakes(String(repeating: "- ", count: 300) + "x") == ["1:401 values nest deeper than 200"])
}

@Test(
  arguments: [
    ("", .null), ("~", .null), ("null", .null), ("Null", .null), ("NULL", .null), ("nUll", .text("nUll")),
    ("true", .bool(true)), ("True", .bool(true)), ("TRUE", .bool(true)), ("false", .bool(false)),
    ("yes", .text("yes")), ("no", .text("no")), ("on", .text("on")), ("off", .text("off")), ("y", .text("y")),
    ("tRue", .text("tRue")),
    ("0", .integer(0)), ("+1", .integer(1)), ("-0", .integer(0)), ("-12", .integer(-12)), ("012", .integer(12)),
    ("0o17", .integer(15)), ("0x1F", .integer(31)), ("0xff", .integer(255)), ("0o8", .text("0o8")), ("0x", .text("0x")),
    ("0x-5", .text("0x-5")), ("0o+7", .text("0o+7")), ("-0x1", .integer(-1)), ("0b11", .integer(3)),
    ("1_000", .integer(1000)), ("1__0", .integer(10)), ("1_0.5_0", .double(10.5)), ("1_e3", .double(1000)), ("_1", .text("_1")),
    ("0x_F", .integer(15)), ("1e_3", .text("1e_3")), ("0O17", .text("0O17")), ("0b2", .text("0b2")),
    ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
    ("9223372036854775808", .text("9223372036854775808")), ("0xFFFFFFFFFFFFFFFF", .text("0xFFFFFFFFFFFFFFFF")),
    ("1.5", .double(1.5)), ("1.", .double(1)), (".5", .double(0.5)), ("-.5", .double(-0.5)), ("1e3", .double(1000)),
    ("1E-2", .double(0.01)), ("1.e3", .double(1000)), ("+1.5e+3", .double(1500)),
    ("123456789012345678901234.0", .double(1.2345678901234568e23)),
    (".inf", .double(.infinity)), ("+.INF", .double(.infinity)), ("-.Inf", .double(-.infinity)), ("inf", .text("inf")),
    ("infinity", .text("infinity")), ("nan", .text("nan")), (".nan", .double(.nan)), ("NaN", .text("NaN")),
    (".", .text(".")), ("-", .text("-")), ("+", .text("+")), ("e3", .text("e3")), (".e3", .text(".e3")), ("1e", .text("1e")),
    ("1.2.3", .text("1.2.3")), ("2020-01-01", .text("2020-01-01")), ("1-2", .text("1-2")), ("12:30", .text("12:30")),
    ("١", .text("١")), ("0x1.8p1", .text("0x1.8p1")), ("1 ", .text("1 ")),
  ] as [(String, ParameterValue)])
func `a plain scalar is read by the core schema of YAML 1_2`(_ text: String, _ value: ParameterValue) {
  let read = ParameterValue(plain: text)
  #expect(read == value)
  #expect(kind(read) == kind(value))
}

private func kind(_ value: ParameterValue) -> String {
  switch value {
  case .null: "null"
  case .bool: "bool"
  case .integer: "integer"
  case .double: "double"
  case .text: "text"
  case .list: "list"
  case .mapping: "mapping"
  }
}

@Test func `minus zero keeps its sign`() {
  guard case .double(let zero) = ParameterValue(plain: "-0.0") else {
    Issue.record("not a double")
    return
  }
  #expect(zero == 0 && zero.sign == .minus)
}

@Test func `quotes and the tag for text make text of anything`() throws {
  #expect(
    try tree("[\"1\", 'true', !!str 5, ! ~, \"\", !!int 5, !!float 1.5]").value
      == .list([.text("1"), .text("true"), .text("5"), .text("~"), .text(""), .integer(5), .double(1.5)]))
}

@Test(arguments: [
  (#"{"a": "\ud83d\ude00"}"#, "😀"), (#"{"a": "x\uD834\uDD1Ey"}"#, "x𝄞y"),
  (#"{"a": "\\ud83d\\ude00\ud83d\ude00"}"#, "\\ud83d\\ude00😀"),
  (#"{"a": "\u00e9\/\b\f\n\r\t\"\\"}"#, "é/\u{8}\u{C}\n\r\t\"\\"),
])
func `the escapes of JSON are read`(_ json: String, _ text: String) throws {
  #expect(try tree(json)["a"]?.value == .text(text))
}

@Test func `a NUL written as an escape is kept`() throws {
  #expect(try tree(#"{"a":"x\u0000y"}"#)["a"]?.text?.utf8.elementsEqual([120, 0, 121]) == true)
}

@Test func `a lone half of a pair is refused`() {
  #expect(mistakes(#"{"a": "\ud83d"}"#).count == 1)
  #expect(mistakes(#"{"a": "\ud83dx\ude00"}"#).count == 1)
}

@Test func `JSON with tabs for indentation is read`() throws {
  #expect(try tree("{\n\t\"a\": [\n\t\t1,\n\t\t2\n\t]\n}\n")["a"]?.value == .list([.integer(1), .integer(2)]))
}

// Parameter files: four formats to one value, as DVC reads them.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import PipelineModel
import TestSupport
import Testing

private func value(_ text: String, _ name: String) throws -> ParameterValue {
  try ParameterFile.read(text, #require(WorkspacePath(name)))
}

private func json(_ text: String, _ name: String) throws -> String { try value(text, name).json }

private func mistake(_ text: String, _ name: String) throws -> String {
  let path = try #require(WorkspacePath(name))
  do {
    return "reads as " + (try ParameterFile.read(text, path)).json
  } catch {
    return lines(error)
  }
}

@Suite struct `A parameter file` {
  @Test func `is YAML unless its name ends otherwise`() throws {
    #expect(try json("a: on", "p.yaml") == #"{"a": "on"}"#)
    #expect(try json("a: on", "p.conf") == #"{"a": "on"}"#)
    #expect(try json("a = 1", "p.TOML") == #"{"a": 1}"#)
    #expect(try json("a = 1", "p.py") == #"{"a": 1}"#)
    #expect(try json(#"{"a": 1}"#, "p.json") == #"{"a": 1}"#)
  }

  @Test(arguments: ["", "[]", "0", "false", "''", "null", "# nothing"])
  func `that says nothing is an empty mapping`(_ text: String) throws {
    #expect(try json(text, "p.yaml") == "{}")
  }

  @Test func `of JSON has the numbers that Python adds, and nothing of YAML`() throws {
    #expect(try value(#"{"a": Infinity, "b": -Infinity, "c": 1e5}"#, "p.json")[at: "b"] == .double(-.infinity))
    #expect(try value(#"{"a": NaN}"#, "p.json")[at: "a"] == .double(.nan))
    #expect(try mistake(#"{"a": yes}"#, "p.json") == "p.json:1:7: error: this is not JSON: `yes` stands without quotes\n")
    #expect(try mistake(#"{a: 1}"#, "p.json") == "p.json:1:2: error: this is not JSON: `a` stands without quotes\n")
    #expect(try mistake(#"{"a": 01}"#, "p.json") == "p.json:1:7: error: this is not JSON: `01` stands without quotes\n")
    #expect(try mistake("", "p.json") == "p.json: error: `p.json` is empty, and JSON holds a value\n")
  }

  @Test func `tells where its keys and dates are`() throws {
    let path = try #require(WorkspacePath("p.yaml"))
    let file = try ParameterFile("a:\n  b: 2020-01-02\nc: ['2020-01-02', 2020-01-02T10:00:00Z]\n", at: path)
    #expect(file.keys.map { "\($0.key) \($0.line ?? 0):\($0.column ?? 0)" } == ["a 1:1", "a.b 2:3", "c 3:1"])
    #expect(file.foreign.map { "\($0.kind) \($0.place.key) \($0.place.line ?? 0)" } == ["a date a.b 2", "a date c.1 3"])
    let toml = try ParameterFile("x = 1\n[t]\nd = 2020-01-02 10:00:00\n", at: #require(WorkspacePath("p.toml")))
    #expect(toml.keys.map { "\($0.key) \($0.line ?? 0):\($0.column ?? 0)" } == ["x 1:1", "t 2:2", "t.d 3:1"])
    #expect(toml.foreign.map(\.place.key) == ["t.d"])
    let python = try ParameterFile("class T:\n  A = (1, 2)\nB = {1}\n", at: #require(WorkspacePath("p.py")))
    #expect(python.keys.map { "\($0.key) \($0.line ?? 0):\($0.column ?? 0)" } == ["T 1:7", "T.A 2:3", "B 3:1"])
    #expect(python.foreign.map { "\($0.kind) \($0.place.key)" } == ["a tuple T.A", "a set B"])
  }

  @Test func `is looked into by steps, or by keys that hold dots`() throws {
    let file = try ParameterFile("data.url: x\na: {b: [1, {c: 2}]}\n", at: #require(WorkspacePath("p.yaml")))
    #expect(file.value(at: "a.b.1.c", isExact: true) == .integer(2))
    #expect(file.value(at: "a.b.2", isExact: true) == nil)
    #expect(file.value(at: "a.b.c", isExact: true) == nil)
    #expect(file.value(at: "data.url", isExact: true) == nil)
    #expect(file.value(at: "data.url", isExact: false) == .text("x"))
  }
}

@Suite struct `TOML` {
  @Test func `has tables, dotted keys, lists and tables in them`() throws {
    let text = """
      # comment
      a.b = 1
      a.c = { x = 1, y.z = "q" } # more
      "d e" = [1, [2, 3], { f = true },
        4, # last
      ]
      [t]
      u = 'x'
      [t.v.w]
      k = 1
      [t.v]
      m = 2
      [[rows]]
      n = 1
      [rows.more]
      o = 2
      [[rows]]
      """
    #expect(
      try json(text, "p.toml")
        == #"{"a": {"b": 1, "c": {"x": 1, "y": {"z": "q"}}}, "d e": [1, [2, 3], {"f": true}, 4], "t": {"u": "x", "v": {"w": {"k": 1}, "m": 2}}, "rows": [{"n": 1, "more": {"o": 2}}, {}]}"#
    )
  }

  @Test(
    arguments: [
      ("0x1F", .integer(31)), ("0o17", .integer(15)), ("0b11", .integer(3)), ("1_000", .integer(1000)), ("+5", .integer(5)),
      ("-0", .integer(0)), ("1.5", .double(1.5)), ("1e3", .double(1000)), ("6.02_2e-2_3", .double(6.022e-23)),
      ("inf", .double(.infinity)),
      ("-nan", .double(.nan)), ("true", .bool(true)), ("12345678901234567890", .text("12345678901234567890")),
      (#""\u00e9\n\t\U0001F600\\""#, .text("é\n\t😀\\")), (#"'\n'"#, .text("\\n")), ("\"\"\"\nx \\\n  y\"\"\"", .text("x y")),
      ("'''\nx\n'y''''", .text("x\n'y'")), ("\"\"\"a\"\"\"\"\"", .text("a\"\"")), ("2020-01-02", .text("2020-01-02")),
      ("07:32:00.5", .text("07:32:00.5")),
      ("1979-05-27T07:32:00-08:00", .text("1979-05-27T07:32:00-08:00")), ("[]", .list([])), ("{}", .mapping([])),
    ] as [(String, ParameterValue)])
  func `has values`(_ text: String, _ expected: ParameterValue) throws {
    #expect(try value("a = \(text)", "p.toml") == .mapping([("a", expected)]))
  }

  @Test(arguments: [
    ("a = 1\na = 2", "2:1: error: this is not TOML: key `a` stands twice"),
    ("[a]\n[a]", "2:1: error: this is not TOML: `a` stands twice"),
    ("a.b = 1\n[a]\nc = 2", "2:1: error: this is not TOML: `a` stands twice"),
    ("[a.b]\n[a]\nb.c = 1", "3:1: error: this is not TOML: `b` stands twice"),
    ("a = {b = 1}\n[a.c]", "2:1: error: this is not TOML: `a` has a value already and is no table"),
    ("a = []\n[[a]]", "2:1: error: this is not TOML: `a` stands twice"),
    ("a = 01", "1:5: error: this is not TOML: `01` is no value"),
    ("a = 1.", "1:5: error: this is not TOML: `1.` is no value"),
    ("a = 1__0", "1:5: error: this is not TOML: `1__0` is no value"),
    ("= 1", "1:1: error: this is not TOML: a key is missing"), ("a", "1:2: error: this is not TOML: `=` is missing"),
    ("a = ", "1:5: error: this is not TOML: a value is missing"),
    ("a = 1 b = 2", "1:7: error: this is not TOML: the line goes on behind its value"),
    ("[a\nb = 1", "1:3: error: this is not TOML: `]` is missing"),
    ("a = \"x\ny\"", "1:5: error: this is not TOML: text in quotes ends on its line"),
    ("a = [1, 2", "1:5: error: this is not TOML: the list has no end"),
    ("a = \"\\q\"", "1:6: error: this is not TOML: `\\q` is no escape"),
    ("a = '''x", "1:5: error: this is not TOML: the text has no closing quotes"),
  ])
  func `that breaks a rule is refused with its place`(_ text: String, _ message: String) throws {
    #expect(try mistake(text, "p.toml") == "p.toml:\(message)\n")
  }

  @Test func `nests 200 deep and no deeper`() throws {
    let deep = "a = " + String(repeating: "[", count: 1000) + String(repeating: "]", count: 1000)
    #expect(try mistake(deep, "p.toml").contains("values nest deeper than 200"))
    let keys = [String](repeating: "a", count: 1000).joined(separator: ".")
    #expect(try mistake("\(keys) = 1", "p.toml").contains("tables nest deeper than 200"))
  }
}

@Suite struct `Python` {
  @Test func `gives its constants, those of classes, and those of self in __init__`() throws {
    let text = """
      '''doc'''
      import os
      lr = 0.1  # comment
      name: str = 'a' "b"
      other = lr
      class Train(Base, metaclass=M):
          EPOCHS: int = 70
          layers = {'conv': [32, 64], 2: (1.5, None), **rest} if 0 else 1
          sizes = {
              'conv': [32, 64],  # sizes
              2: (1.5, None),
          }
          def __init__(self, a=1, *b) -> None:
              self.opt = 'adam'
              local = 1
              if a:
                  self.hidden = 1
          def run(self):
              self.never = 1
          class Inner: x = -1; y = +2.5
      if True:
          conditional = 1
      a = b = 2
      c, d = 1, 2
      self.k = 3
      (e) = 4
      """
    #expect(
      try json(text, "p.py")
        == #"{"lr": 0.1, "name": "ab", "Train": {"EPOCHS": 70, "sizes": {"conv": [32, 64], "2": [1.5, null]}, "opt": "adam", "Inner": {"x": -1, "y": 2.5}}, "k": 3, "e": 4}"#
    )
  }

  @Test(
    arguments: [
      ("0x1F", .integer(31)), ("0o17", .integer(15)), ("1_000", .integer(1000)), (".5", .double(0.5)), ("5.", .double(5)),
      ("1e-7", .double(1e-7)), ("-3", .integer(-3)), ("-(5)", .integer(-5)), ("(6)", .integer(6)), ("1,", .list([.integer(1)])),
      ("()", .list([])), ("{1}", .list([.integer(1)])), ("set()", .list([])), ("None", .null), ("True", .bool(true)),
      (#"r'\n'"#, .text("\\n")), (#"'\x41\u00e9\101\q'"#, .text("AéA\\q")), (#"'\N{BULLET}'"#, .text("•")),
      ("'''a\nb'''", .text("a\nb")),
      ("('a'\n 'b')", .text("ab")), ("\\\n 7", .integer(7)), ("b'x' b'y'", .text("xy")),
      ("{'k': 1, 'k': 2}", .mapping([("k", .integer(2))])),
    ] as [(String, ParameterValue)])
  func `literals are read`(_ text: String, _ expected: ParameterValue) throws {
    #expect(try value("a = \(text)\n", "p.py") == .mapping([("a", expected)]))
  }

  @Test(arguments: [
    "f'x'", "1 + 2", "not True", "b", "x()", "'x'.upper()", "[x]", "{**c}", "[*c]", "--9", "~1", "-True", "-'x'", "lambda: 1",
    "1j",
    "[i for i in x]", "1 if x else 2", "(b := 3)", "10 ** 3",
  ])
  func `expressions are passed over`(_ text: String) throws {
    #expect(try json("a = \(text)\nb = 1\n", "p.py") == #"{"b": 1}"#)
  }

  @Test(arguments: [
    ("a = [1, 2\n", "1:5: error: this is not Python: the bracket is not closed"),
    ("a = 'x\n", "1:5: error: this is not Python: the text has no closing quote"),
    ("a = )\n", "1:6: error: this is not Python: a bracket is closed that was not opened"),
    ("a = 1\n  b = 2\n", "2:3: error: this is not Python: the line is indented without a reason"),
    ("if x:\n    a = 1\n  b = 2\n", "3:3: error: this is not Python: the line fits no block"),
    ("class A:\nx = 1\n", "1:1: error: this is not Python: a block is missing"),
    ("a = 0777\n", "1:9: error: this is not Python: a whole number begins with no 0"),
  ])
  func `that cannot be read is refused with its place`(_ text: String, _ message: String) throws {
    #expect(try mistake(text, "p.py") == "p.py:\(message)\n")
  }
}

@Test func `random text in any format ends in a value or a mistake`() throws {
  let seed = UInt64.random(in: 0...UInt64.max)
  var generator = SeededGenerator(seed: seed)
  let parts = [
    "a", "b.c", " = ", "=", "[", "]", "{", "}", "'", "\"", "'''", "\"\"\"", "\n", "  ", "\t", ":", ",", "1", "0x", "1.5e", "-",
    "#", "\\", "\\u12",
    "class A:", "def __init__(self):", "self.x", "é", "\r\n", "2020-01-01", "true", "<<", "*a", "&a ", "(", ")", ";", "\0",
  ]
  for _ in 0..<1000 {
    let text = (0..<Int.random(in: 0...30, using: &generator)).map { _ in parts.randomElement(using: &generator) ?? "" }.joined()
    for name in ["p.py", "p.toml", "p.json", "p.yaml"] {
      let found = try mistake(text, name)
      #expect(!found.isEmpty, "seed \(seed)")
    }
  }
}

@Suite struct `Equality as in Python` {
  @Test(
    arguments: [
      (.integer(1), .double(1), true), (.integer(1), .bool(true), true), (.double(0), .bool(false), true),
      (.integer(1), .text("1"), false),
      (.null, .bool(false), false), (.double(.nan), .double(.nan), false),
      (.integer(9_007_199_254_740_993), .double(9_007_199_254_740_992), false),
      (.list([.integer(1)]), .list([.double(1)]), true), (.list([.integer(1)]), .list([]), false),
      (.mapping([("a", .integer(1)), ("b", .null)]), .mapping([("b", .null), ("a", .bool(true))]), true),
      (.mapping([("a", .null)]), .mapping([("b", .null)]), false), (.text("é"), .text("e\u{301}"), false),
    ] as [(ParameterValue, ParameterValue, Bool)])
  func `counts numbers and flags by value`(_ a: ParameterValue, _ b: ParameterValue, _ expected: Bool) {
    #expect(a.isEqualInPython(to: b) == expected)
    #expect(b.isEqualInPython(to: a) == expected)
  }

  @Test(arguments: [
    (1.0, "1.0"), (1e16, "1e+16"), (1e15, "1000000000000000.0"), (1e-5, "1e-05"), (0.0001, "0.0001"), (-0.0, "-0.0"),
    (1.5e300, "1.5e+300"),
    (123456789.123, "123456789.123"), (9007199254740993.0, "9007199254740992.0"), (-1e-7, "-1e-07"), (5e-324, "5e-324"),
    (100.0, "100.0"),
  ])
  func `numbers are written as Python writes them`(_ number: Double, _ text: String) {
    #expect(number.pythonRepr == text)
  }
}

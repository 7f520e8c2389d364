// Values of parameters: equality, canonical bytes, paths and text.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import PipelineModel
import TestSupport
import Testing

private func bytes(_ value: ParameterValue) -> [UInt8] {
  var writer = ByteWriter()
  value.encode(into: &writer)
  return writer.bytes
}

@Test(
  arguments: [
    (.integer(1), .double(1), true), (.double(0), .double(-0.0), true), (.double(.nan), .double(-.nan), true),
    (.integer(0), .bool(false), false), (.integer(1), .text("1"), false), (.null, .text(""), false), (.null, .bool(false), false),
    (.integer(9_007_199_254_740_993), .double(9_007_199_254_740_992), false),
    (.integer(.max), .double(9.223372036854775807e18), false),
    (.integer(.min), .double(-9.223372036854775808e18), true), (.double(.infinity), .double(-.infinity), false),
    (.text("\u{E9}"), .text("e\u{301}"), false), (.list([]), .mapping([]), false),
    (.list([.integer(1)]), .list([.double(1)]), true),
    (.list([.null, .integer(1)]), .list([.integer(1), .null]), false), (.list([.null]), .list([.null, .null]), false),
    (.mapping([("a", .null), ("b", .integer(1))]), .mapping([("b", .double(1)), ("a", .null)]), true),
    (.mapping([("a", .null)]), .mapping([("b", .null)]), false), (.mapping([("a", .null)]), .mapping([]), false),
    (.mapping([("\u{E9}", .null)]), .mapping([("e\u{301}", .null)]), false),
  ] as [(ParameterValue, ParameterValue, Bool)])
func `values are equal exactly when their canonical bytes are`(_ a: ParameterValue, _ b: ParameterValue, _ expected: Bool) {
  #expect((a == b) == expected)
  #expect((b == a) == expected)
  #expect((bytes(a) == bytes(b)) == expected)
}

@Test func `canonical bytes are these`() {
  #expect(bytes(.null) == [0])
  #expect(bytes(.bool(false)) == [1])
  #expect(bytes(.bool(true)) == [2])
  #expect(bytes(.integer(258)) == [3, 2, 1, 0, 0, 0, 0, 0, 0])
  #expect(bytes(.double(0.5)) == [4, 0, 0, 0, 0, 0, 0, 0xE0, 0x3F])
  #expect(bytes(.text("a")) == [5, 1, 0, 0, 0, 0, 0, 0, 0, 97])
  #expect(bytes(.list([.null])) == [6, 1, 0, 0, 0, 0, 0, 0, 0, 0])
  #expect(bytes(.mapping([("a", .null)])) == [7, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 97, 0])
}

/// A value out of few, so that equal ones meet often.
private func random(_ depth: Int, _ generator: inout SeededGenerator) -> ParameterValue {
  switch Int.random(in: 0..<(depth > 0 ? 9 : 7), using: &generator) {
  case 0: .null
  case 1: .bool(.random(using: &generator))
  case 2, 3: .integer(.random(in: -1...1, using: &generator))
  case 4, 5: .double([-1, -0.0, 0, 0.5, 1, .nan, .infinity].randomElement(using: &generator) ?? 0)
  case 6: .text(["", "a", "1", "\u{E9}", "e\u{301}"].randomElement(using: &generator) ?? "")
  case 7: .list((0..<Int.random(in: 0...2, using: &generator)).map { _ in random(depth - 1, &generator) })
  default:
    .mapping(
      ["a", "b", "c"].shuffled(using: &generator).prefix(.random(in: 0...2, using: &generator)).map {
        ($0, random(depth - 1, &generator))
      })
  }
}

@Test(arguments: [UInt64(1), .random(in: 0 ... .max)])
func `random values are equal exactly when their canonical bytes are`(_ seed: UInt64) {
  var generator = SeededGenerator(seed: seed)
  let values = (0..<300).map { _ in random(2, &generator) }
  var equal = 0
  for a in values {
    let encoded = bytes(a)
    for b in values {
      let areEqual = a == b
      if areEqual { equal += 1 }
      if areEqual != (encoded == bytes(b)) { Issue.record("seed \(seed): \(a.json) and \(b.json)") }
    }
  }
  #expect(equal > 300, "seed \(seed)")
}

@Suite struct `A dotted path` {
  static let value = ParameterValue.mapping([
    ("train", .mapping([("lr", .double(0.1)), ("layers", .list([.integer(8), .mapping([("units", .integer(4))])]))])),
    ("a.b", .mapping([("c", .integer(1))])), ("a", .mapping([("b", .mapping([("d", .integer(2))])), ("b.c", .integer(9))])),
    ("", .integer(7)), ("x", .null),
  ])

  @Test(
    arguments: [
      ("train.lr", .double(0.1)), ("train.layers.0", .integer(8)), ("train.layers.1.units", .integer(4)), ("a.b.c", .integer(1)),
      ("a.b.d", .integer(2)), ("", .integer(7)), ("x", .null),
    ] as [(String, ParameterValue)])
  func `walks mappings, lists and keys that hold dots`(_ path: String, _ expected: ParameterValue) {
    #expect(Self.value[at: path] == expected)
  }

  @Test(arguments: [
    "train.rate", "train.layers.2", "train.layers.-1", "train.layers.+1", "train.layers.x", "train.lr.0", "train.", ".train",
    "x.y", "a.b",
  ])
  func `that leads nowhere gives nothing`(_ path: String) {
    #expect(Self.value[at: path] == (path == "a.b" ? .mapping([("c", .integer(1))]) : nil))
  }

  @Test func `leads to each leaf, lists and empty mappings being leaves`() {
    let value = ParameterValue.mapping([
      ("a", .mapping([("b", .integer(1)), ("c", .mapping([]))])), ("l", .list([.mapping([("x", .null)])])), ("z", .null),
    ])
    #expect(value.leaves.map(\.path) == ["a.b", "a.c", "l", "z"])
    #expect(ParameterValue.integer(1).leaves.isEmpty)
  }
}

@Test func `JSON is one line in the order of the file, and numbers it cannot hold are null`() {
  let value = ParameterValue.mapping([
    ("b", .list([.integer(-1), .double(1), .double(0.1), .double(1e-7), .double(1e16), .double(.nan), .double(.infinity)])),
    ("a\n\"\\", .text("é\u{1}\u{7F}\u{85}\u{2028}😀")), ("n", .null), ("t", .bool(true)), ("e", .list([])), ("m", .mapping([])),
  ])
  let expected =
    #"{"b": [-1, 1.0, 0.1, 1e-07, 1e+16, null, null], "a\n\"\\": "é\u0001\u007f\u0085\u2028😀", "n": null, "t": true, "e": [], "m": {}}"#
  #expect(value.json == expected)
}

@Test func `a person reads text without quotes`() {
  #expect(ParameterValue.text("a b").display == "a b")
  #expect(ParameterValue.double(.infinity).display == "inf")
  #expect(ParameterValue.list([.text("a")]).display == #"["a"]"#)
}

@Test func `what is not JSON is no value`() {
  #expect(ParameterValue(json: "{") == nil)
  #expect(ParameterValue(json: "") == nil)
  #expect(ParameterValue(json: "[1, 2]") == .list([.integer(1), .integer(2)]))
}

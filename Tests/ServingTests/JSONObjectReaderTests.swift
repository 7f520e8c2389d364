// What the reader of request bodies takes and refuses.
// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import Serving

@Suite struct JSONObjectReaderTests {
  private func fields(_ text: String) throws(JSONFault) -> [String: JSONScalar] {
    try JSONObjectReader.fields(of: Array(text.utf8))
  }

  private func fault(_ bytes: [UInt8]) -> JSONFault? {
    do {
      _ = try JSONObjectReader.fields(of: bytes)
      return nil
    } catch { return error }
  }

  @Test func `an object of scalars becomes its fields`() throws {
    let read = try fields(#" {"a": "x", "b":-12.5e1 ,"c":true,"d":false,"e":null,"f":0} "#)
    #expect(
      read == ["a": .text("x"), "b": .number(-125), "c": .boolean(true), "d": .boolean(false), "e": .null, "f": .number(0)])
    #expect(try fields("{}") == [:])
  }

  @Test func `escapes become what they stand for`() throws {
    let read = try fields(#"{"k\"\\\/\b\f\n\r\t":"\u00e9\u20AC\ud83d\ude00z"}"#)
    #expect(read == ["k\"\\/\u{8}\u{C}\n\r\t": .text("é€😀z")])
  }

  @Test(arguments: [
    ("0", 0), ("-0", 0), ("12.4", 12.4), ("0.1", 0.1), ("0.30000000000000004", 0.30000000000000004),
    ("9007199254740993", 9007199254740992), ("123456789.12345678", 123456789.12345678), ("1e-400", 0), ("2.5E+3", 2500),
    ("4.9e-324", 4.9e-324), ("1.7976931348623157e308", 1.7976931348623157e308), ("3.14159265358979", 3.14159265358979),
    ("0.000000000000001", 1e-15), ("1234567890123456789012345678901234567890", 1.2345678901234568e39),
  ])
  func `a number is the nearest double`(literal: String, expected: Double) throws {
    #expect(try fields("{\"n\":\(literal)}") == ["n": .number(expected)])
  }

  @Test(arguments: [
    "", " ", "{", "}", "[]", "null", "12", "\"text\"", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "{\"a\":1 \"b\":2}",
    "{\"a\":1}x", "{\"a\":1}{", "{a:1}", "{'a':1}", "{\"a\":NaN}", "{\"a\":Infinity}", "{\"a\":-Infinity}", "{\"a\":01}",
    "{\"a\":+1}", "{\"a\":.5}", "{\"a\":5.}", "{\"a\":1e}", "{\"a\":-}", "{\"a\":0x10}", "{\"a\":tru}", "{\"a\":True}",
    "{\"a\":\"x}", "{\"a\":\"\\x\"}", "{\"a\":\"\\u12\"}", "{\"a\":\"\\ud800\"}", "{\"a\":\"\\udc00\"}",
    "{\"a\":\"\\ud800\\u0041\"}", "{\"a\":\"\n\"}", "{\"a\":\"\\", "{\"a\":\"\\u", "{\"a\":1/*c*/}",
  ])
  func `text that is no JSON object is refused`(text: String) { #expect(fault(Array(text.utf8)) != nil) }

  @Test func `a fault in a value names its field and says whether the text was JSON`() {
    #expect(fault(Array(#"{"a":1,"b":{"c":1}}"#.utf8))?.field == "b")
    #expect(fault(Array(#"{"a":1,"b":[1]}"#.utf8))?.isWellFormed == true)
    let huge = fault(Array(#"{"a":1e999}"#.utf8))
    #expect(huge?.field == "a")
    #expect(huge?.message == "the number is out of range")
    let twice = fault(Array(#"{"a":1,"a":2}"#.utf8))
    #expect(twice?.field == "a")
    #expect(twice?.message == "the field stands in the object twice")
    #expect(fault(Array(#"{"a":1,"\u0061":2}"#.utf8))?.field == "a")
    #expect(fault(Array(#"{"a":nope}"#.utf8))?.isWellFormed == false)
    #expect(fault(Array(#"{"a":nope}"#.utf8))?.byte == 5)
  }

  @Test func `bytes that are not UTF-8 are refused`() {
    for bad: [UInt8] in [[0xFF], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80]] {
      #expect(fault(Array("{\"a\":\"".utf8) + bad + Array("\"}".utf8))?.message == "a text is not UTF-8")
    }
    #expect(fault([0xEF, 0xBB, 0xBF] + Array("{}".utf8)) != nil, "a byte order mark is no JSON")
  }

  @Test func `a hundred thousand brackets are refused at the first`() {
    let deep = Array("{\"a\":".utf8) + [UInt8](repeating: UInt8(ascii: "["), count: 100_000)
    #expect(fault(deep)?.byte == 5)
    #expect(fault([UInt8](repeating: UInt8(ascii: "{"), count: 100_000))?.byte == 1)
  }

  @Test func `random bytes and damaged objects never trap`() {
    var generator = SeededGenerator(seed: 20_260_630)
    let good = Array(#"{"id":"a\u00e9b","x":-12.5e-3,"t":true,"n":null}"#.utf8)
    var refused = 0
    for round in 0..<20_000 {
      var bytes = good
      if round % 2 == 0 {
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
          bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
        }
      } else {
        bytes = Array(bytes.prefix(Int.random(in: 0..<bytes.count, using: &generator)))
      }
      if fault(bytes) != nil { refused += 1 }
    }
    #expect(refused > 10_000, "every truncation is refused, and most damage")
  }
}

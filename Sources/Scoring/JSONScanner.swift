// A forward-only reader of JSON bytes: large number arrays without a tree of values in between.
// SPDX-License-Identifier: Apache-2.0

/// What is wrong with a JSON text, and where.
struct JSONSyntaxError: Error, Equatable {
  var message: String
  /// Byte offset from 0.
  var offset: Int
}

/// Walks over JSON bytes once; the caller says what it expects next.
///
/// Every read is bounds-checked, nesting is bounded while skipping, and no number of elements is trusted before
/// they were read, so hostile text ends in a `JSONSyntaxError`.
struct JSONScanner {
  private let bytes: UnsafeBufferPointer<UInt8>
  private(set) var offset = 0

  static let maximumDepth = 64

  init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  // MARK: Structure

  /// Calls `member` for each key of the object that begins here; `member` must read or skip the value.
  mutating func object(_ member: (inout JSONScanner, String) throws -> Void) throws {
    try expect("{")
    if try accept("}") { return }
    repeat {
      let key = try string()
      try expect(":")
      try member(&self, key)
    } while try accept(",")
    try expect("}")
  }

  /// Calls `element` for each element of the array that begins here; `element` must read or skip it.
  mutating func array(_ element: (inout JSONScanner) throws -> Void) throws {
    try expect("[")
    if try accept("]") { return }
    repeat { try element(&self) } while try accept(",")
    try expect("]")
  }

  mutating func integers() throws -> [Int32] {
    var values: [Int32] = []
    try array { values.append(try $0.integer()) }
    return values
  }

  mutating func floats() throws -> [Float] {
    var values: [Float] = []
    try array { values.append(try $0.float()) }
    return values
  }

  /// Passes over one value of any kind.
  mutating func skip() throws {
    var depth = 0
    repeat {
      skipSpace()
      guard offset < bytes.count else { throw fail("the text ends early") }
      switch bytes[offset] {
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
        guard depth <= Self.maximumDepth else { throw fail("values are nested more than \(Self.maximumDepth) deep") }
        offset += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        guard depth > 0 else { throw fail("a value is missing") }
        depth -= 1
        offset += 1
      case UInt8(ascii: "\""): try skipString()
      case UInt8(ascii: ","), UInt8(ascii: ":"):
        guard depth > 0 else { throw fail("a value is missing") }
        offset += 1
      default: try skipWord()
      }
    } while depth > 0
  }

  /// Fails unless nothing but space follows.
  mutating func end() throws {
    skipSpace()
    if offset != bytes.count { throw fail("something follows the end of the document") }
  }

  // MARK: Scalars

  mutating func string() throws -> String {
    skipSpace()
    let start = offset
    try skipString()
    let raw = UnsafeBufferPointer(rebasing: bytes[start + 1..<offset - 1])
    guard let text = String(validating: raw, as: UTF8.self) else { throw fail("a string is not UTF-8", at: start) }
    guard raw.contains(UInt8(ascii: "\\")) else { return text }
    return try unescape(text, at: start)
  }

  mutating func integer() throws -> Int32 {
    let word = try number()
    guard let value = Int32(word) else { throw fail("a whole number was expected, not `\(word.prefix(40))`") }
    return value
  }

  /// 0 or 1; `true` and `false` are also read.
  mutating func flag() throws -> Bool {
    let word = try number()
    switch word {
    case "0", "false": return false
    case "1", "true": return true
    default: throw fail("0 or 1 was expected, not `\(word.prefix(40))`")
    }
  }

  mutating func flags() throws -> [Bool] {
    var values: [Bool] = []
    try array { values.append(try $0.flag()) }
    return values
  }

  /// The nearest single to the decimal that is written; not-finite ones are refused.
  mutating func float() throws -> Float {
    skipSpace()
    let start = offset
    try skipWord()
    let word = UnsafeBufferPointer(rebasing: bytes[start..<offset])
    if let value = FloatText.exact(word) { return value }
    let text = String(decoding: word, as: UTF8.self)
    guard let value = Float(text), value.isFinite else {
      throw fail("a finite number was expected, not `\(text.prefix(40))`", at: start)
    }
    return value
  }

  // MARK: Bytes

  private mutating func number() throws -> String {
    skipSpace()
    let start = offset
    try skipWord()
    return String(decoding: bytes[start..<offset], as: UTF8.self)
  }

  private mutating func skipSpace() {
    while offset < bytes.count {
      switch bytes[offset] {
      case 0x20, 0x0A, 0x0D, 0x09: offset += 1
      default: return
      }
    }
  }

  private mutating func accept(_ character: Unicode.Scalar) throws -> Bool {
    skipSpace()
    guard offset < bytes.count else { throw fail("the text ends early") }
    guard bytes[offset] == UInt8(ascii: character) else { return false }
    offset += 1
    return true
  }

  private mutating func expect(_ character: Unicode.Scalar) throws {
    guard try accept(character) else { throw fail("`\(character)` was expected") }
  }

  private mutating func skipString() throws {
    guard offset < bytes.count, bytes[offset] == UInt8(ascii: "\"") else { throw fail("a string was expected") }
    offset += 1
    while offset < bytes.count {
      switch bytes[offset] {
      case UInt8(ascii: "\""):
        offset += 1
        return
      case UInt8(ascii: "\\"): offset += 2
      default: offset += 1
      }
    }
    offset = bytes.count
    throw fail("the text ends within a string")
  }

  private mutating func skipWord() throws {
    let start = offset
    while offset < bytes.count, Self.isWord(bytes[offset]) { offset += 1 }
    if offset == start { throw fail("a value was expected") }
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."):
      true
    default: false
    }
  }

  private func unescape(_ text: String, at start: Int) throws -> String {
    var out = ""
    var rest = text.makeIterator()
    while let character = rest.next() {
      guard character == "\\" else {
        out.append(character)
        continue
      }
      guard let escaped = rest.next(), let plain = Self.escapes[escaped] else {
        throw fail("a string has an escape that model files do not use", at: start)
      }
      out.append(plain)
    }
    return out
  }

  private static let escapes: [Character: Character] = [
    "\"": "\"", "\\": "\\", "/": "/", "n": "\n", "t": "\t", "r": "\r", "b": "\u{8}", "f": "\u{C}",
  ]

  func fail(_ message: String, at place: Int? = nil) -> JSONSyntaxError {
    JSONSyntaxError(message: message, offset: place ?? offset)
  }
}

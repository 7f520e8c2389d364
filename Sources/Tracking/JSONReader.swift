// Bytes → JSON value, strictly.
// SPDX-License-Identifier: Apache-2.0

/// Why bytes are not JSON, and where.
package struct JSONProblem: Error, Equatable, Sendable {
  package var message: String
  /// Bytes before the mistake.
  package var offset: Int

  package init(message: String, offset: Int) {
    self.message = message
    self.offset = offset
  }
}

extension JSONValue {
  /// Reads one document. A key that stands twice, bytes after the end, broken UTF-8 and more than 200 levels are mistakes.
  package init(parsing bytes: some Collection<UInt8>) throws(JSONProblem) {
    guard let text = String(validating: bytes, as: UTF8.self) else { throw JSONProblem(message: "not UTF-8", offset: 0) }
    var reader = JSONReader(bytes: Array(text.utf8))
    self = try reader.document()
  }
}

/// Bytes that a word or number cannot hold: space, and what structures a document.
private let wordEnds = Array(" \t\r\n,]}:[{\"".utf8)

private struct JSONReader {
  let bytes: [UInt8]
  var position = 0
  var depth = 0

  mutating func document() throws(JSONProblem) -> JSONValue {
    let value = try value()
    skipSpace()
    guard position == bytes.count else { throw problem("something follows the end of the document") }
    return value
  }

  private mutating func value() throws(JSONProblem) -> JSONValue {
    skipSpace()
    guard position < bytes.count else { throw problem("the document ends too early") }
    switch bytes[position] {
    case UInt8(ascii: "{"): return try nested { reader throws(JSONProblem) in try reader.object() }
    case UInt8(ascii: "["): return try nested { reader throws(JSONProblem) in try reader.array() }
    case UInt8(ascii: "\""): return .string(try string())
    default: return try word()
    }
  }

  private mutating func nested(
    _ read: (inout JSONReader) throws(JSONProblem) -> JSONValue
  ) throws(JSONProblem) -> JSONValue {
    depth += 1
    guard depth <= 200 else { throw problem("more than 200 levels") }
    defer { depth -= 1 }
    position += 1
    return try read(&self)
  }

  private mutating func object() throws(JSONProblem) -> JSONValue {
    var members: [String: JSONValue] = [:]
    if take("}") { return .object(members) }
    repeat {
      skipSpace()
      guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { throw problem("a key in quotes is missing") }
      let key = try string()
      guard take(":") else { throw problem("`:` is missing") }
      guard members.updateValue(try value(), forKey: key) == nil else { throw problem("key `\(key)` stands twice") }
    } while take(",")
    guard take("}") else { throw problem("`,` or `}` is missing") }
    return .object(members)
  }

  private mutating func array() throws(JSONProblem) -> JSONValue {
    var items: [JSONValue] = []
    if take("]") { return .array(items) }
    repeat { items.append(try value()) } while take(",")
    guard take("]") else { throw problem("`,` or `]` is missing") }
    return .array(items)
  }

  private mutating func string() throws(JSONProblem) -> String {
    position += 1
    var out: [UInt8] = []
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      if byte == UInt8(ascii: "\"") { return String(decoding: out, as: UTF8.self) }
      if byte < 0x20 { throw problem("a control character stands in a string") }
      if byte == UInt8(ascii: "\\") { try escape(into: &out) } else { out.append(byte) }
    }
    throw problem("a string has no end")
  }

  private mutating func escape(into out: inout [UInt8]) throws(JSONProblem) {
    guard position < bytes.count else { throw problem("a string has no end") }
    let plain: [UInt8: UInt8] = [34: 34, 92: 92, 47: 47, 98: 8, 102: 12, 110: 10, 114: 13, 116: 9]
    let byte = bytes[position]
    position += 1
    if let character = plain[byte] { return out.append(character) }
    guard byte == UInt8(ascii: "u") else { throw problem("an escape that JSON does not have") }
    var code = try codeUnit()
    if (0xD800..<0xDC00).contains(code) {
      guard bytes[position...].starts(with: Array("\\u".utf8)) else { throw problem("half of a surrogate pair") }
      position += 2
      let low = try codeUnit()
      guard (0xDC00..<0xE000).contains(low) else { throw problem("half of a surrogate pair") }
      code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
    }
    guard let scalar = Unicode.Scalar(code) else { throw problem("half of a surrogate pair") }
    out += Array(String(Character(scalar)).utf8)
  }

  private mutating func codeUnit() throws(JSONProblem) -> UInt32 {
    guard position + 4 <= bytes.count else { throw problem("a string has no end") }
    let digits = bytes[position..<position + 4]
    guard digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
      let code = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw problem("`\\u` needs four hexadecimal digits") }
    position += 4
    return code
  }

  private mutating func word() throws(JSONProblem) -> JSONValue {
    let start = position
    while position < bytes.count, !wordEnds.contains(bytes[position]) { position += 1 }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    switch text {
    case "null": return .null
    case "true": return .bool(true)
    case "false": return .bool(false)
    case "NaN", "Infinity", "-Infinity": return .number(text)
    default:
      guard isNumber(bytes[start..<position]) else {
        position = start
        throw problem(text.isEmpty ? "a value is missing" : "`\(text.prefix(20))` is not a JSON value")
      }
      return .number(text)
    }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func skipSpace() {
    while position < bytes.count, bytes[position] <= 0x20, wordEnds.contains(bytes[position]) { position += 1 }
  }

  private func problem(_ message: String) -> JSONProblem { JSONProblem(message: message, offset: position) }
}

/// Whether bytes are a number as RFC 8259 writes it: `-`, digits without a leading zero, fraction, exponent.
private func isNumber(_ bytes: ArraySlice<UInt8>) -> Bool {
  var rest = bytes
  func isDigit(_ byte: UInt8?) -> Bool { byte.map { (48...57).contains($0) } ?? false }
  func dropDigits() -> Bool {
    let count = rest.prefix(while: isDigit).count
    rest = rest.dropFirst(count)
    return count > 0
  }
  if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
  let startsWithZero = rest.first == UInt8(ascii: "0")
  if startsWithZero { rest = rest.dropFirst() } else if !dropDigits() { return false }
  if rest.first == UInt8(ascii: ".") {
    rest = rest.dropFirst()
    guard dropDigits() else { return false }
  }
  if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
    rest = rest.dropFirst()
    if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
    guard dropDigits() else { return false }
  }
  return rest.isEmpty
}

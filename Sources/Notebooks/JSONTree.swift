// JSON as a value that writes back what was read: numbers keep their digits.
// SPDX-License-Identifier: Apache-2.0

/// A JSON value. Numbers are the text that stood in the file.
package indirect enum JSONTree: Sendable, Equatable {
  case null
  case boolean(Bool)
  case number(String)
  case text(String)
  case list([JSONTree])
  case object([String: JSONTree])

  package var asText: String? { if case .text(let text) = self { text } else { nil } }
  package var asObject: [String: JSONTree]? { if case .object(let object) = self { object } else { nil } }
  package var asList: [JSONTree]? { if case .list(let list) = self { list } else { nil } }

  /// Reads a whole document.
  ///
  /// - Throws: `JSONMistake`.
  package init(parsing bytes: [UInt8]) throws(JSONMistake) {
    var reading = JSONReading(bytes)
    self = try reading.value(depth: 0)
    reading.skipSpace()
    if reading.position < bytes.count { throw reading.mistake("something follows the value") }
  }

  /// Reads the value at the beginning of a text.
  ///
  /// - Returns: the value and the bytes that follow it; `nil` when the text does not begin with one.
  static func prefix(of bytes: [UInt8]) -> (value: JSONTree, rest: ArraySlice<UInt8>)? {
    var reading = JSONReading(bytes)
    guard let value = try? reading.value(depth: 0) else { return nil }
    return (value, bytes[reading.position...])
  }

  /// One line: sorted keys, no spaces.
  package var line: String {
    var out: [UInt8] = []
    write(to: &out, indent: nil)
    return String(decoding: out, as: UTF8.self)
  }

  /// As Jupyter lays its files out: sorted keys, one space an indent.
  var document: [UInt8] {
    var out: [UInt8] = []
    write(to: &out, indent: 0)
    out.append(0x0A)
    return out
  }

  // MARK: Writing

  /// - Parameter indent: the level of a laid out value, `nil` for one line.
  private func write(to out: inout [UInt8], indent: Int?) {
    switch self {
    case .null: out += "null".utf8
    case .boolean(let value): out += (value ? "true" : "false").utf8
    case .number(let text): out += text.utf8
    case .text(let text): Self.write(text, to: &out)
    case .list(let values):
      Self.write(values, "[", "]", to: &out, indent) { value, out, inner in value.write(to: &out, indent: inner) }
    case .object(let object):
      let entries = object.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      Self.write(entries, "{", "}", to: &out, indent) { entry, out, inner in
        Self.write(entry.key, to: &out)
        out += (inner == nil ? ":" : ": ").utf8
        entry.value.write(to: &out, indent: inner)
      }
    }
  }

  private static func write<Element>(
    _ elements: [Element], _ opening: String, _ closing: String, to out: inout [UInt8], _ indent: Int?,
    _ writeOne: (Element, inout [UInt8], Int?) -> Void
  ) {
    out += opening.utf8
    for (index, element) in elements.enumerated() {
      if index > 0 { out.append(0x2C) }
      if let indent { out += [0x0A] + [UInt8](repeating: 0x20, count: indent + 1) }
      writeOne(element, &out, indent.map { $0 + 1 })
    }
    if let indent, !elements.isEmpty { out += [0x0A] + [UInt8](repeating: 0x20, count: indent) }
    out += closing.utf8
  }

  private static func write(_ text: String, to out: inout [UInt8]) {
    let digits = Array("0123456789abcdef".utf8)
    out.append(0x22)
    for byte in text.utf8 {
      switch byte {
      case 0x22: out += [0x5C, 0x22]
      case 0x5C: out += [0x5C, 0x5C]
      case 0x0A: out += [0x5C, 0x6E]
      case 0x09: out += [0x5C, 0x74]
      case 0x0D: out += [0x5C, 0x72]
      case 0x08: out += [0x5C, 0x62]
      case 0x0C: out += [0x5C, 0x66]
      case 0..<0x20: out += [0x5C, 0x75, 0x30, 0x30, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      default: out.append(byte)
      }
    }
    out.append(0x22)
  }
}

/// Why bytes are no JSON, and where.
package struct JSONMistake: Error, Equatable {
  package var message: String
  /// Line and column in bytes, both from 1.
  package var line: Int
  package var column: Int
}

/// RFC 8259, and half surrogate pairs as U+FFFD.
private struct JSONReading {
  let bytes: [UInt8]
  var position = 0
  private static let deepest = 512

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  func mistake(_ message: String) -> JSONMistake {
    let before = bytes.prefix(position)
    let lineStart = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
    return JSONMistake(
      message: message, line: before.count { $0 == 0x0A } + 1, column: min(position, bytes.count) - lineStart + 1)
  }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
  }

  mutating func value(depth: Int) throws(JSONMistake) -> JSONTree {
    skipSpace()
    guard depth < Self.deepest else { throw mistake("values are nested too deeply") }
    switch next {
    case 0x22: return .text(try string())
    case 0x7B: return try object(depth)
    case 0x5B: return try list(depth)
    case 0x74: return try word("true", .boolean(true))
    case 0x66: return try word("false", .boolean(false))
    case 0x6E: return try word("null", .null)
    case 0x2D: return .number(try number())
    case let digit? where (0x30...0x39).contains(digit): return .number(try number())
    case nil: throw mistake("the file ends too early")
    default: throw mistake("a value is expected here")
    }
  }

  private mutating func word(_ text: String, _ value: JSONTree) throws(JSONMistake) -> JSONTree {
    guard bytes[position...].starts(with: text.utf8) else { throw mistake("a value is expected here") }
    position += text.utf8.count
    return value
  }

  private mutating func number() throws(JSONMistake) -> String {
    let start = position
    while let byte = next, (0x30...0x39).contains(byte) || [0x2B, 0x2D, 0x2E, 0x45, 0x65].contains(byte) { position += 1 }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    guard Double(text) != nil, bytes[position - 1] != 0x2E else {
      position = start
      throw mistake("`\(text)` is no number")
    }
    return text
  }

  private mutating func list(_ depth: Int) throws(JSONMistake) -> JSONTree {
    var values: [JSONTree] = []
    position += 1
    skipSpace()
    if next == 0x5D {
      position += 1
      return .list([])
    }
    while true {
      values.append(try value(depth: depth + 1))
      if try isLast(0x5D) { return .list(values) }
    }
  }

  private mutating func object(_ depth: Int) throws(JSONMistake) -> JSONTree {
    var entries: [String: JSONTree] = [:]
    position += 1
    skipSpace()
    if next == 0x7D {
      position += 1
      return .object([:])
    }
    while true {
      skipSpace()
      guard next == 0x22 else { throw mistake("a key in quotes is expected here") }
      let key = try string()
      skipSpace()
      guard next == 0x3A else { throw mistake("a `:` is expected here") }
      position += 1
      entries[key] = try value(depth: depth + 1)
      if try isLast(0x7D) { return .object(entries) }
    }
  }

  /// Past a comma, or past the end of a list or object.
  private mutating func isLast(_ closing: UInt8) throws(JSONMistake) -> Bool {
    skipSpace()
    guard let byte = next, byte == 0x2C || byte == closing else {
      throw mistake("a `,` or `\(Character(UnicodeScalar(closing)))` is expected here")
    }
    position += 1
    return byte == closing
  }

  private mutating func string() throws(JSONMistake) -> String {
    position += 1
    var text: [UInt8] = []
    while true {
      let start = position
      while let byte = next, byte != 0x22, byte != 0x5C, byte >= 0x20 { position += 1 }
      text += bytes[start..<position]
      switch next {
      case 0x22:
        position += 1
        return String(decoding: text, as: UTF8.self)
      case 0x5C: try escape(into: &text)
      case nil: throw mistake("a text is never closed")
      default: throw mistake("a text holds a control character")
      }
    }
  }

  private mutating func escape(into text: inout [UInt8]) throws(JSONMistake) {
    let plain: [UInt8: UInt8] = [
      0x22: 0x22, 0x5C: 0x5C, 0x2F: 0x2F, 0x6E: 0x0A, 0x74: 0x09, 0x72: 0x0D, 0x62: 0x08, 0x66: 0x0C,
    ]
    position += 1
    guard let kind = next else { throw mistake("a text is never closed") }
    if let byte = plain[kind] {
      text.append(byte)
      position += 1
      return
    }
    guard kind == 0x75 else { throw mistake("an escape that JSON does not know") }
    position += 1
    var code = try hexadecimal()
    if (0xD800..<0xDC00).contains(code), next == 0x5C, position + 1 < bytes.count, bytes[position + 1] == 0x75 {
      let before = position
      position += 2
      let low = try hexadecimal()
      if (0xDC00..<0xE000).contains(low) {
        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
      } else {
        position = before
      }
    }
    text += String(UnicodeScalar(code) ?? "\u{FFFD}").utf8
  }

  private mutating func hexadecimal() throws(JSONMistake) -> UInt32 {
    guard position + 4 <= bytes.count,
      let code = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
    else { throw mistake("`\\u` takes four digits") }
    position += 4
    return code
  }
}

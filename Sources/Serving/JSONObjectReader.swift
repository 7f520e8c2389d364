// Reads one flat JSON object, strictly, from bytes that a stranger sent.
// SPDX-License-Identifier: Apache-2.0

/// The value of one field of a request, as JSON has it.
package enum JSONScalar: Sendable, Equatable {
  case text(String)
  /// Finite; a literal that a double cannot hold is refused by the reader.
  case number(Double)
  case boolean(Bool)
  case null
}

/// Why bytes are not one flat JSON object.
package struct JSONFault: Error, Sendable, Equatable {
  /// What is wrong, in words.
  package var message: String
  /// Offset of the byte where it was noticed, from 0.
  package var byte: Int
  /// The field that it concerns; `nil` while no field's name has been read.
  package var field: String?
  /// Whether the text is JSON all the same, only not of the shape that is asked for.
  package var isWellFormed: Bool
}

/// A strict reader of RFC 8259 objects whose values are scalars.
///
/// It holds no stack: an object or list inside the object ends the reading, so that nesting costs nothing. Names that
/// occur twice, text that is not UTF-8, half surrogate pairs, and numbers beyond the range of a double are faults.
package struct JSONObjectReader {
  private let bytes: [UInt8]
  private var position = 0
  private var field: String?

  private init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The fields of the object that `bytes` spell.
  package static func fields(of bytes: [UInt8]) throws(JSONFault) -> [String: JSONScalar] {
    var reader = JSONObjectReader(bytes)
    return try reader.object()
  }

  private mutating func object() throws(JSONFault) -> [String: JSONScalar] {
    skipSpace()
    guard let first = peek() else { throw fault("the body is empty") }
    guard first == UInt8(ascii: "{") else { throw fault("the body must be a JSON object") }
    position += 1
    var fields: [String: JSONScalar] = [:]
    skipSpace()
    if peek() == UInt8(ascii: "}") {
      position += 1
    } else {
      repeat { try member(into: &fields) } while try continues()
    }
    field = nil
    skipSpace()
    guard position == bytes.count else { throw fault("there is text after the JSON object") }
    return fields
  }

  private mutating func member(into fields: inout [String: JSONScalar]) throws(JSONFault) {
    skipSpace()
    field = nil
    guard peek() == UInt8(ascii: "\"") else { throw fault("expected the name of a field in double quotes") }
    let name = try text()
    field = name
    skipSpace()
    guard peek() == UInt8(ascii: ":") else { throw fault("expected `:` after the name of a field") }
    position += 1
    skipSpace()
    let value = try scalar()
    guard fields.updateValue(value, forKey: name) == nil else {
      throw fault("the field stands in the object twice", isWellFormed: true)
    }
  }

  /// Steps over the comma or the brace after a member; true after a comma.
  private mutating func continues() throws(JSONFault) -> Bool {
    skipSpace()
    switch peek() {
    case UInt8(ascii: ","):
      position += 1
      return true
    case UInt8(ascii: "}"):
      position += 1
      return false
    case nil: throw fault("the JSON object does not end")
    default: throw fault("expected `,` or `}` after the value")
    }
  }

  private mutating func scalar() throws(JSONFault) -> JSONScalar {
    guard let first = peek() else { throw fault("the JSON object does not end") }
    switch first {
    case UInt8(ascii: "\""): return .text(try text())
    case UInt8(ascii: "t"): return try word("true", .boolean(true))
    case UInt8(ascii: "f"): return try word("false", .boolean(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "{"): throw fault("must be a single value, not an object", isWellFormed: true)
    case UInt8(ascii: "["): throw fault("must be a single value, not a list", isWellFormed: true)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
    default: throw fault("expected a JSON value (`NaN` and `Infinity` are none)")
    }
  }

  private mutating func word(_ word: StaticString, _ value: JSONScalar) throws(JSONFault) -> JSONScalar {
    let count = word.utf8CodeUnitCount
    let matches = bytes.dropFirst(position).prefix(count).elementsEqual(
      UnsafeBufferPointer(start: word.utf8Start, count: count))
    guard matches else { throw fault("expected a JSON value") }
    position += count
    return value
  }

  private mutating func skipSpace() {
    while let byte = peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
  }

  private func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

  private func fault(_ message: String, isWellFormed: Bool = false) -> JSONFault {
    JSONFault(message: message, byte: position, field: field, isWellFormed: isWellFormed)
  }
}

// MARK: - Numbers

extension JSONObjectReader {
  /// Powers of ten that a double holds exactly.
  private static let exactPowers: [Double] = [
    1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21,
    1e22,
  ]

  /// The double nearest to the literal at the current position.
  private mutating func number() throws(JSONFault) -> Double {
    let start = position
    let isNegative = peek() == UInt8(ascii: "-")
    if isNegative { position += 1 }
    let whole = position
    skipDigits()
    guard position > whole, position == whole + 1 || bytes[whole] != UInt8(ascii: "0") else {
      throw fault("a number has no leading zeros, and at least one digit")
    }
    var fractionDigits = 0
    if peek() == UInt8(ascii: ".") {
      position += 1
      let fraction = position
      skipDigits()
      fractionDigits = position - fraction
      guard fractionDigits > 0 else { throw fault("a number has digits after its point") }
    }
    let hasExponent = peek() == UInt8(ascii: "e") || peek() == UInt8(ascii: "E")
    if hasExponent { try exponent() }
    if !hasExponent, let exact = exact(whole..<position, fractionDigits) { return isNegative ? -exact : exact }
    guard let value = Double(String(decoding: bytes[start..<position], as: UTF8.self)), value.isFinite else {
      throw fault("the number is out of range", isWellFormed: true)
    }
    return value
  }

  private mutating func exponent() throws(JSONFault) {
    position += 1
    if peek() == UInt8(ascii: "+") || peek() == UInt8(ascii: "-") { position += 1 }
    let digits = position
    skipDigits()
    guard position > digits else { throw fault("a number has digits after its `e`") }
  }

  private mutating func skipDigits() {
    while let byte = peek(), byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position += 1 }
  }

  /// The value where digits and power of ten are exact doubles, so that one division rounds correctly; else `nil`.
  ///
  /// Source: Clinger, "How to read floating point numbers accurately", 1990.
  private func exact(_ range: Range<Int>, _ fractionDigits: Int) -> Double? {
    guard range.count <= 16, fractionDigits <= 15 else { return nil }
    var digits: UInt64 = 0
    for byte in bytes[range] where byte != UInt8(ascii: ".") { digits = digits * 10 + UInt64(byte - UInt8(ascii: "0")) }
    guard digits <= 1 << 53 else { return nil }
    return Double(digits) / Self.exactPowers[fractionDigits]
  }
}

// MARK: - Text

extension JSONObjectReader {
  /// The text in double quotes at the current position.
  private mutating func text() throws(JSONFault) -> String {
    position += 1
    let start = position
    while let byte = peek() {
      if byte == UInt8(ascii: "\"") {
        let text = try checked(bytes[start..<position])
        position += 1
        return text
      }
      if byte == UInt8(ascii: "\\") { return try escapedText(from: start) }
      guard byte >= 0x20 else { throw fault("a control character in a text must be escaped") }
      position += 1
    }
    throw fault("a text does not end")
  }

  /// The slower way for a text with a backslash in it.
  private mutating func escapedText(from start: Int) throws(JSONFault) -> String {
    var collected = Array(bytes[start..<position])
    while let byte = peek() {
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return try checked(collected[...])
      case UInt8(ascii: "\\"): try escape(into: &collected)
      case 0..<0x20: throw fault("a control character in a text must be escaped")
      default: collected.append(byte)
      }
    }
    throw fault("a text does not end")
  }

  private mutating func escape(into collected: inout [UInt8]) throws(JSONFault) {
    guard let byte = peek() else { throw fault("a text does not end") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): collected.append(byte)
    case UInt8(ascii: "b"): collected.append(0x08)
    case UInt8(ascii: "f"): collected.append(0x0C)
    case UInt8(ascii: "n"): collected.append(0x0A)
    case UInt8(ascii: "r"): collected.append(0x0D)
    case UInt8(ascii: "t"): collected.append(0x09)
    case UInt8(ascii: "u"): collected.append(contentsOf: String(Character(try escapedScalar())).utf8)
    default: throw fault("a backslash stands before `\"`, `\\`, `/`, `b`, `f`, `n`, `r`, `t` or `u`")
    }
  }

  private mutating func escapedScalar() throws(JSONFault) -> Unicode.Scalar {
    let unit = try hexUnit()
    if let scalar = Unicode.Scalar(unit) { return scalar }
    guard unit < 0xDC00, peek() == UInt8(ascii: "\\") else { throw fault("half a surrogate pair") }
    position += 1
    guard peek() == UInt8(ascii: "u") else { throw fault("half a surrogate pair") }
    position += 1
    let low = try hexUnit()
    guard (0xDC00...0xDFFF).contains(low) else { throw fault("half a surrogate pair") }
    let joined = 0x10000 + (UInt32(unit - 0xD800) << 10) + UInt32(low - 0xDC00)
    guard let scalar = Unicode.Scalar(joined) else { preconditionFailure("a surrogate pair is a scalar") }
    return scalar
  }

  private mutating func hexUnit() throws(JSONFault) -> UInt16 {
    var unit: UInt16 = 0
    for _ in 0..<4 {
      guard let byte = peek(), let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
        throw fault("`\\u` needs four hexadecimal digits")
      }
      unit = unit << 4 | UInt16(digit)
      position += 1
    }
    return unit
  }

  private func checked(_ slice: ArraySlice<UInt8>) throws(JSONFault) -> String {
    guard let text = String(validating: slice, as: UTF8.self) else { throw fault("a text is not UTF-8") }
    return text
  }
}

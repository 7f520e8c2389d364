// Numbers as CSV spells them: the shortest form that reads back to the same double.
// SPDX-License-Identifier: Apache-2.0

/// Doubles to and from their canonical text, without locale.
package enum NumberText {
  /// The canonical spelling of a finite number: `3`, `0.25`, `1e-07`.
  ///
  /// Up to six decimals and nine digits before the point are written plainly. Such a decimal has at most 15 significant digits,
  /// and no two of those are the same double, so it is also the shortest. Other numbers take Swift's own shortest form.
  package static func text(of value: Double) -> String {
    var bytes = [UInt8]()
    append(value, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Appends the canonical spelling; NaN appends nothing (missing), -0 is `0`, infinities are `inf` and `-inf`.
  package static func append(_ value: Double, to bytes: inout [UInt8]) {
    if value.isNaN { return }
    if value.magnitude < 1e9 {
      let scaled = (value * 1e6).rounded()
      if scaled / 1e6 == value {
        appendMicros(Int64(scaled), to: &bytes)
        return
      }
    }
    var text = value.description
    if text.hasSuffix(".0") { text.removeLast(2) }
    bytes.append(contentsOf: text.utf8)
  }

  /// Appends a whole number in decimal.
  package static func append(_ value: Int64, to bytes: inout [UInt8]) {
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    appendDigits(value.magnitude, atLeast: 1, to: &bytes)
  }

  private static func appendMicros(_ micros: Int64, to bytes: inout [UInt8]) {
    if micros < 0 { bytes.append(UInt8(ascii: "-")) }
    let (whole, part) = micros.magnitude.quotientAndRemainder(dividingBy: 1_000_000)
    appendDigits(whole, atLeast: 1, to: &bytes)
    if part == 0 { return }
    bytes.append(UInt8(ascii: "."))
    var digits = 6
    var rest = part
    while rest % 10 == 0 {
      rest /= 10
      digits -= 1
    }
    appendDigits(rest, atLeast: digits, to: &bytes)
  }

  private static func appendDigits(_ value: UInt64, atLeast width: Int, to bytes: inout [UInt8]) {
    let start = bytes.count
    var rest = value
    repeat {
      bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
      rest /= 10
    } while rest > 0
    while bytes.count - start < width { bytes.append(UInt8(ascii: "0")) }
    bytes[start...].reverse()
  }

  /// What the bytes of a field say as a number.
  package struct Parsed: Sendable {
    package var value: Double
    /// Whether writing the number again keeps what a reader of the text could mean: `007`, `+49` and an identifier of 17 digits
    /// do not, so such a column is text unless it is declared a number.
    package var isFaithful: Bool
  }

  /// Reads `[+-]digits[.digits][e[+-]digits]`; `nil` for everything else, hexadecimal, `nan` and `inf` among it.
  ///
  /// Up to 2^53 with at most 22 decimals both parts are exact doubles, so that one division rounds once and right; the rest goes
  /// to the standard library. Source: Clinger, "How to read floating point numbers accurately", 1990.
  package static func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> Parsed? {
    var position = 0
    var isNegative = false
    var isFaithful = true
    if position < bytes.count, bytes[position] == UInt8(ascii: "-") || bytes[position] == UInt8(ascii: "+") {
      isNegative = bytes[position] == UInt8(ascii: "-")
      isFaithful = isNegative
      position += 1
    }
    var mantissa: UInt64 = 0
    var digits = 0
    var decimals = 0
    var seenPoint = false
    var fitsExactly = true
    let first = position
    while position < bytes.count {
      let byte = bytes[position]
      if byte &- UInt8(ascii: "0") < 10 {
        digits += 1
        if seenPoint { decimals += 1 }
        if mantissa < 900_719_925_474_099 {
          mantissa = mantissa * 10 + UInt64(byte &- UInt8(ascii: "0"))
        } else {
          fitsExactly = false
        }
      } else if byte == UInt8(ascii: "."), !seenPoint {
        seenPoint = true
      } else {
        break
      }
      position += 1
    }
    if digits == 0 { return nil }
    if digits - decimals > 1, bytes[first] == UInt8(ascii: "0") { isFaithful = false }
    if !fitsExactly, !seenPoint { isFaithful = false }
    if position == bytes.count, fitsExactly, decimals <= 22 {
      let magnitude = Double(mantissa) / powersOfTen[decimals]
      return Parsed(value: isNegative ? -magnitude : magnitude, isFaithful: isFaithful)
    }
    if position < bytes.count {
      guard isExponent(bytes, from: position) else { return nil }
      isFaithful = isFaithful && bytes.count <= 26
    }
    guard let value = Double(String(decoding: bytes, as: UTF8.self)), value.isFinite else { return nil }
    return Parsed(value: value, isFaithful: isFaithful)
  }

  /// The number that a text says, by the same rules.
  package static func parse(_ text: String) -> Double? {
    var text = text
    return text.withUTF8 { parse($0)?.value }
  }

  private static func isExponent(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Bool {
    var position = start
    guard bytes[position] == UInt8(ascii: "e") || bytes[position] == UInt8(ascii: "E") else { return false }
    position += 1
    if position < bytes.count, bytes[position] == UInt8(ascii: "-") || bytes[position] == UInt8(ascii: "+") { position += 1 }
    guard position < bytes.count else { return false }
    return bytes[position...].allSatisfy { $0 &- UInt8(ascii: "0") < 10 }
  }

  private static let powersOfTen: [Double] = [
    1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
  ]
}

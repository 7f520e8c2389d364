// The nearest single-precision number to a decimal, fast for the decimals that model files hold.
// SPDX-License-Identifier: Apache-2.0

enum FloatText {
  /// The nearest `Float`, or `nil` when this short cut cannot vouch for it (the caller then takes the long way).
  ///
  /// Digits up to 2^53 times or over a power of ten up to 10^22 is a correctly rounded double. Rounding that double to
  /// single is right as well, unless it lies exactly half way between two singles or outside their normal range.
  ///
  /// Source: Clinger, "How to read floating point numbers accurately", 1990, the fast path.
  static func exact(_ word: UnsafeBufferPointer<UInt8>) -> Float? {
    var digits: UInt64 = 0
    var exponent = 0
    var index = 0
    var seen = false
    let isNegative = word.first == UInt8(ascii: "-")
    if isNegative { index = 1 }
    func digit() -> UInt64? {
      guard index < word.count, word[index] >= 0x30, word[index] <= 0x39 else { return nil }
      return UInt64(word[index] - 0x30)
    }
    while let next = digit() {
      guard digits < 900_000_000_000_000 else { return nil }
      (digits, index, seen) = (digits * 10 + next, index + 1, true)
    }
    if index < word.count, word[index] == UInt8(ascii: ".") {
      index += 1
      while let next = digit() {
        guard digits < 900_000_000_000_000 else { return nil }
        (digits, index, seen, exponent) = (digits * 10 + next, index + 1, true, exponent - 1)
      }
    }
    guard seen else { return nil }
    if index < word.count, word[index] | 0x20 == UInt8(ascii: "e") {
      index += 1
      guard let written = smallExponent(word, from: &index) else { return nil }
      exponent += written
    }
    guard index == word.count, abs(exponent) <= 22 else { return nil }
    let power = powersOfTen[abs(exponent)]
    let double = exponent < 0 ? Double(digits) / power : Double(digits) * power
    if double != 0, double < 0x1p-126 || double > 0x1p127 { return nil }
    if double.bitPattern & 0x1FFF_FFFF == 0x1000_0000 { return nil }
    return isNegative ? -Float(double) : Float(double)
  }

  /// A signed whole number of at most three digits.
  private static func smallExponent(_ word: UnsafeBufferPointer<UInt8>, from index: inout Int) -> Int? {
    var sign = 1
    if index < word.count, word[index] == UInt8(ascii: "-") || word[index] == UInt8(ascii: "+") {
      sign = word[index] == UInt8(ascii: "-") ? -1 : 1
      index += 1
    }
    guard word.count - index >= 1, word.count - index <= 3 else { return nil }
    var value = 0
    while index < word.count {
      guard word[index] >= 0x30, word[index] <= 0x39 else { return nil }
      value = value * 10 + Int(word[index] - 0x30)
      index += 1
    }
    return sign * value
  }

  private static let powersOfTen: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
  ]
}

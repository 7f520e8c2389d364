// Values as Python writes and compares them, which is what DVC's files and commands hold.
// SPDX-License-Identifier: Apache-2.0

extension ParameterValue {
  /// The text that `${…}` puts for a scalar: `true`, `None`, `1.5`, `1e-05`; lists and mappings as JSON.
  package var pythonText: String {
    switch self {
    case .null: "None"
    case .bool(let value): value ? "true" : "false"
    case .integer(let value): "\(value)"
    case .double(let value): pythonFloatText(value)
    case .text(let value): value
    case .list, .mapping: json
    }
  }

  /// Python's `==` on loaded values: `1`, `1.0` and `True` are equal, the order of keys does not count, and
  /// not-a-number differs from itself.
  package func isEqualInPython(to other: ParameterValue) -> Bool {
    switch (self, other) {
    case (.null, .null): return true
    case (.text(let x), .text(let y)): return x.utf8.elementsEqual(y.utf8)
    case (.list(let x), .list(let y)):
      return x.count == y.count && zip(x, y).allSatisfy { $0.isEqualInPython(to: $1) }
    case (.mapping(let x), .mapping(let y)):
      guard x.count == y.count else { return false }
      let index = Dictionary(y.map { (Array($0.0.utf8), $0.1) }) { $1 }
      return x.allSatisfy { key, value in index[Array(key.utf8)].map { value.isEqualInPython(to: $0) } ?? false }
    default: break
    }
    switch (number, other.number) {
    case (.integer(let x)?, .integer(let y)?): return x == y
    case (.double(let x)?, .double(let y)?): return x == y
    case (.integer(let x)?, .double(let y)?), (.double(let y)?, .integer(let x)?): return Int64(exactly: y) == x
    default: return false
    }
  }

  /// Flags count as 1 and 0.
  private var number: ParameterValue? {
    switch self {
    case .bool(let value): .integer(value ? 1 : 0)
    case .integer, .double: self
    default: nil
    }
  }
}

/// The shortest text that reads back as the number, in Python's layout: `1.0`, `1e+16`, `1e-05`, `inf`.
package func pythonFloatText(_ value: Double) -> String {
  if value.isNaN { return "nan" }
  if value.isInfinite { return value < 0 ? "-inf" : "inf" }
  let sign = value.sign == .minus ? "-" : ""
  let (digits, exponent) = shortestDigits(value.magnitude)
  if exponent < -4 || exponent >= 16 {
    let fraction = digits.count > 1 ? "." + digits.dropFirst() : ""
    let size = exponent.magnitude < 10 ? "0\(exponent.magnitude)" : "\(exponent.magnitude)"
    return "\(sign)\(digits.prefix(1))\(fraction)e\(exponent < 0 ? "-" : "+")\(size)"
  }
  if exponent < 0 { return "\(sign)0." + String(repeating: "0", count: -exponent - 1) + digits }
  let whole = exponent + 1
  if digits.count <= whole { return sign + digits + String(repeating: "0", count: whole - digits.count) + ".0" }
  return "\(sign)\(digits.prefix(whole)).\(digits.dropFirst(whole))"
}

/// The shortest digits that tell a number from its neighbours, and the power of ten of the first.
private func shortestDigits(_ value: Double) -> (digits: String, exponent: Int) {
  guard value != 0 else { return ("0", 0) }
  let parts = "\(value)".split(separator: "e")
  let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
  let written = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
  let all = String(mantissa[0]) + (mantissa.count > 1 ? String(mantissa[1]) : "")
  let leading = all.prefix { $0 == "0" }.count
  var digits = String(all.dropFirst(leading))
  while digits.hasSuffix("0"), digits.count > 1 { digits.removeLast() }
  return (digits, mantissa[0].count - 1 - leading + written)
}

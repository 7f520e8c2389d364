// Numbers and JSON spelled as Python spells them, since digests are made of that spelling.
// SPDX-License-Identifier: Apache-2.0

extension Double {
  /// As Python's `repr`: the fewest digits that read back as the same number, `1e-05`, `1.5e+20`, `1.0`, `nan`, `-inf`.
  package var pythonRepr: String {
    if isNaN { return "nan" }
    if isInfinite { return self < 0 ? "-inf" : "inf" }
    let sign = self.sign == .minus ? "-" : ""
    if self == 0 { return sign + "0.0" }
    let (digits, exponent) = shortestDigits
    // Python leaves the exponent out from 1e-4 up to, and without, 1e16.
    guard (-4..<16).contains(exponent) else {
      let fraction = digits.count > 1 ? "." + digits.dropFirst() : ""
      let power = String(exponent.magnitude)
      return sign + digits.prefix(1) + fraction + "e" + (exponent < 0 ? "-" : "+") + (power.count < 2 ? "0" : "") + power
    }
    if exponent < 0 { return sign + "0." + String(repeating: "0", count: -exponent - 1) + digits }
    let whole = digits.prefix(exponent + 1)
    let zeros = String(repeating: "0", count: exponent + 1 - whole.count)
    let fraction = digits.dropFirst(exponent + 1)
    return sign + whole + zeros + "." + (fraction.isEmpty ? "0" : fraction)
  }

  /// The significant digits without zeros at either end, and the power of ten of the first one.
  private var shortestDigits: (digits: String, exponent: Int) {
    let parts = "\(magnitude)".split(separator: "e")
    let power = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    let halves = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    let fraction = halves.count > 1 ? String(halves[1]) : ""
    let all = String(halves[0]) + fraction
    let significant = all.drop { $0 == "0" }
    let exponent = halves[0].count - 1 - (all.count - significant.count) + power
    return (String(significant.trimmingZeros), exponent)
  }
}

extension Substring {
  /// Without the zeros at its end.
  fileprivate var trimmingZeros: Substring {
    var rest = self
    while rest.last == "0" { rest.removeLast() }
    return rest
  }
}

extension ParameterValue {
  /// One line as Python's `json.dumps` writes it: `, ` and `: `, what is not ASCII as `\u` with four digits, floats as their `repr`.
  ///
  /// - Parameter sortKeys: whether the keys of every mapping stand in the order of their code points.
  package func pythonJSON(sortKeys: Bool) -> String {
    var out = ""
    writePythonJSON(sortKeys: sortKeys, into: &out)
    return out
  }

  private func writePythonJSON(sortKeys: Bool, into out: inout String) {
    switch self {
    case .null: out += "null"
    case .bool(let value): out += value ? "true" : "false"
    case .integer(let value): out += String(value)
    case .double(let value) where value.isNaN: out += "NaN"
    case .double(let value) where value.isInfinite: out += value < 0 ? "-Infinity" : "Infinity"
    case .double(let value): out += value.pythonRepr
    case .text(let text): out += pythonQuoted(text)
    case .list(let items):
      out += "["
      for (index, item) in items.enumerated() {
        if index > 0 { out += ", " }
        item.writePythonJSON(sortKeys: sortKeys, into: &out)
      }
      out += "]"
    case .mapping(let pairs):
      let ordered = sortKeys ? pairs.sorted { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) } : pairs
      out += "{"
      for (index, pair) in ordered.enumerated() {
        if index > 0 { out += ", " }
        out += pythonQuoted(pair.0)
        out += ": "
        pair.1.writePythonJSON(sortKeys: sortKeys, into: &out)
      }
      out += "}"
    }
  }
}

/// A JSON string in ASCII alone, as Python writes it: what lies beyond 16 bits takes two escapes.
package func pythonQuoted(_ text: String) -> String {
  var out = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": out += "\\\""
    case "\\": out += "\\\\"
    case "\n": out += "\\n"
    case "\r": out += "\\r"
    case "\t": out += "\\t"
    case "\u{8}": out += "\\b"
    case "\u{C}": out += "\\f"
    case " "..."~": out.unicodeScalars.append(scalar)
    default:
      for unit in UTF16.encode(scalar) ?? .init() {
        let digits = String(unit, radix: 16)
        out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }
    }
  }
  return out + "\""
}

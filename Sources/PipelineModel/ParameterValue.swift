// The value of a parameter, whichever file it came from.
// SPDX-License-Identifier: Apache-2.0
package import ContentStore

/// A JSON-like value. Mappings keep their order for printing and ignore it for comparison.
package enum ParameterValue: Sendable {
  case null
  case bool(Bool)
  case integer(Int64)
  case double(Double)
  case text(String)
  case list([ParameterValue])
  case mapping([(String, ParameterValue)])
}

extension ParameterValue: Equatable {
  /// Numbers compare by value, so `1` and `1.0` are the same parameter. Texts compare byte by byte, as a program that
  /// reads them does, not by what Unicode calls equal.
  package static func == (a: ParameterValue, b: ParameterValue) -> Bool {
    switch (a, b) {
    case (.null, .null): true
    case (.bool(let x), .bool(let y)): x == y
    case (.integer(let x), .integer(let y)): x == y
    case (.double(let x), .double(let y)): x == y || (x.isNaN && y.isNaN)
    case (.integer(let x), .double(let y)), (.double(let y), .integer(let x)): Double(exactly: x) == y
    case (.text(let x), .text(let y)): x.utf8.elementsEqual(y.utf8)
    case (.list(let x), .list(let y)): x == y
    case (.mapping(let x), .mapping(let y)):
      x.count == y.count && x.allSatisfy { pair in y.contains { $0.0.utf8.elementsEqual(pair.0.utf8) && $0.1 == pair.1 } }
    default: false
    }
  }
}

extension ParameterValue {
  /// Reads a plain scalar by the core schema of YAML 1.2, with `1_000`, `0b11` and `-0x1F` as numbers, as DVC reads them.
  ///
  /// A whole number beyond 64 bits stays text, digit by digit: as a `double`, a change of its last digits would be lost.
  package init(plain text: String) {
    // Most scalars are words: only these first bytes begin anything else.
    guard let first = text.utf8.first else {
      self = .null
      return
    }
    guard (48...57).contains(first) || "~nNtTfF.+-".utf8.contains(first) else {
      self = .text(text)
      return
    }
    switch text {
    case "~", "null", "Null", "NULL": self = .null
    case "true", "True", "TRUE": self = .bool(true)
    case "false", "False", "FALSE": self = .bool(false)
    case ".nan", ".NaN", ".NAN": self = .double(.nan)
    case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": self = .double(.infinity)
    case "-.inf", "-.Inf", "-.INF": self = .double(-.infinity)
    default: self = Self.number(text) ?? .text(text)
    }
  }

  private static func number(_ text: String) -> ParameterValue? {
    var bytes = text.utf8[...]
    let isNegative = bytes.first == UInt8(ascii: "-")
    if isNegative || bytes.first == UInt8(ascii: "+") { bytes.removeFirst() }
    guard let first = bytes.first, (48...57).contains(first) || first == UInt8(ascii: ".") else { return nil }
    if first == 48, let letter = bytes.dropFirst().first, let radix = [120: 16, 111: 8, 98: 2][Int(letter)] {
      return based(Substring(bytes.dropFirst(2)), radix: radix, isNegative: isNegative)
    }
    guard bytes.contains(UInt8(ascii: "_")) else { return decimal(text) }
    // `1_000` and `1_0.5_0` are numbers; none begins or has its exponent with `_`.
    let parts = text.split(whereSeparator: { $0 == "e" || $0 == "E" })
    guard parts.count <= 2, parts.dropFirst().allSatisfy({ !$0.contains("_") }), !text.hasPrefix("._") else { return nil }
    return decimal(text.filter { $0 != "_" })
  }

  private static func decimal(_ text: String) -> ParameterValue? {
    if let value = Int64(text) { return .integer(value) }
    guard text.utf8.contains(where: { (48...57).contains($0) }),
      text.utf8.allSatisfy({ (48...57).contains($0) || "+-.eE".utf8.contains($0) }),
      text.utf8.contains(where: { ".eE".utf8.contains($0) })
    else { return nil }
    let padded = text.hasSuffix(".") ? text + "0" : text
    return Double(padded).map { .double($0) }
  }

  private static func based(_ digits: Substring, radix: Int, isNegative: Bool) -> ParameterValue? {
    let plain = digits.filter { $0 != "_" }
    // `Int64` would take a sign.
    guard let first = plain.utf8.first, first != UInt8(ascii: "+"), first != UInt8(ascii: "-") else { return nil }
    return Int64((isNegative ? "-" : "") + plain, radix: radix).map { .integer($0) }
  }

  /// The value under a dotted path: `a.b.0` walks mappings and lists.
  package subscript(at path: String) -> ParameterValue? {
    found(path.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map(Substring.init)[...])
  }

  private func found(_ path: ArraySlice<Substring>) -> ParameterValue? {
    guard let first = path.first else { return self }
    switch self {
    case .mapping(let pairs):
      // A key may itself hold dots: the longest one that leads on is taken.
      for count in (1...path.count).reversed() {
        let key = count == 1 ? String(first) : path.prefix(count).joined(separator: ".")
        guard let value = pairs.first(where: { $0.0 == key })?.1 else { continue }
        if let found = value.found(path.dropFirst(count)) { return found }
      }
      return nil
    case .list(let items):
      guard first.utf8.allSatisfy({ (48...57).contains($0) }), let index = Int(first), items.indices.contains(index) else {
        return nil
      }
      return items[index].found(path.dropFirst())
    default: return nil
    }
  }

  /// Dotted paths of all leaves in order; lists are leaves.
  package var leaves: [(path: String, value: ParameterValue)] {
    guard case .mapping(let pairs) = self else { return [] }
    return pairs.flatMap { key, value -> [(path: String, value: ParameterValue)] in
      guard case .mapping(let inner) = value, !inner.isEmpty else { return [(key, value)] }
      return value.leaves.map { ("\(key).\($0.path)", $0.value) }
    }
  }

  /// Canonical bytes for fingerprints: equal values give equal bytes, other values others.
  package func encode(into writer: inout ByteWriter) {
    switch self {
    case .null: writer.byte(0)
    case .bool(let value): writer.byte(value ? 2 : 1)
    case .integer(let value):
      writer.byte(3)
      writer.integer(value)
    case .double(let value):
      if let whole = Int64(exactly: value) {
        writer.byte(3)
        writer.integer(whole)
      } else {
        writer.byte(4)
        writer.integer(Int64(bitPattern: (value.isNaN ? Double.nan : value).bitPattern))
      }
    case .text(let value):
      writer.byte(5)
      writer.text(value)
    case .list(let items):
      writer.byte(6)
      writer.integer(Int64(items.count))
      for item in items { item.encode(into: &writer) }
    case .mapping(let pairs):
      writer.byte(7)
      writer.integer(Int64(pairs.count))
      for (key, value) in pairs.sorted(by: { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) }) {
        writer.text(key)
        value.encode(into: &writer)
      }
    }
  }

  /// JSON in one line, mappings in their order. Not-a-number and infinities become `null`.
  package var json: String {
    switch self {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .integer(let value): "\(value)"
    case .double(let value): value.isFinite ? "\(value)" : "null"
    case .text(let value): jsonQuoted(value)
    case .list(let items): "[" + items.map(\.json).joined(separator: ", ") + "]"
    case .mapping(let pairs): "{" + pairs.map { "\(jsonQuoted($0.0)): \($0.1.json)" }.joined(separator: ", ") + "}"
    }
  }

  /// As a person reads it: text without quotes, all else as JSON.
  package var display: String {
    if case .text(let value) = self { return value }
    if case .double(let value) = self, !value.isFinite { return "\(value)" }
    return json
  }
}

/// A JSON string literal.
package func jsonQuoted(_ text: String) -> String {
  var out = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": out += "\\\""
    case "\\": out += "\\\\"
    case "\n": out += "\\n"
    case "\r": out += "\\r"
    case "\t": out += "\\t"
    // JSON asks for the first range only; YAML cannot hold the others as they are, or reads them as line ends.
    case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}", "\u{FEFF}", "\u{FFFE}", "\u{FFFF}":
      let digits = String(scalar.value, radix: 16)
      out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: out.unicodeScalars.append(scalar)
    }
  }
  return out + "\""
}

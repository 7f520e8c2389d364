// The tokens of a Python expression to a value, if it is a literal and nothing else.
// SPDX-License-Identifier: Apache-2.0

struct PythonLiteral {
  var value: ParameterValue
  /// Dotted keys of the mappings in it.
  var keys: [String] = []
  /// A type in it that is none of ours.
  var foreign: String?
}

/// Reads the tokens of an expression, if it is a literal and nothing else.
struct PythonLiteralReader {
  private var tokens: ArraySlice<PythonToken>

  init(_ tokens: ArraySlice<PythonToken>) { self.tokens = tokens }

  mutating func whole() -> PythonLiteral? {
    guard let first = value() else { return nil }
    if tokens.isEmpty { return first }
    // A tuple needs no parentheses.
    guard next(is: ",") else { return nil }
    var items = [first]
    while !tokens.isEmpty {
      guard let item = value() else { return nil }
      items.append(item)
      guard tokens.isEmpty || next(is: ",") else { return nil }
    }
    return Self.list(items, "a tuple")
  }

  private mutating func next(is character: Unicode.Scalar) -> Bool {
    guard tokens.first?.isMark(character) == true else { return false }
    tokens.removeFirst()
    return true
  }

  private static func list(_ items: [PythonLiteral], _ foreign: String?) -> PythonLiteral {
    PythonLiteral(value: .list(items.map(\.value)), foreign: foreign ?? items.lazy.compactMap(\.foreign).first)
  }

  private mutating func value() -> PythonLiteral? {
    guard let token = tokens.popFirst() else { return nil }
    switch token {
    case .number(let text): return Self.number(text).map { PythonLiteral(value: $0) }
    case .text(let text): return joined(text)
    case .bytes(let text):
      var text = text
      while case .bytes(let more)? = tokens.first {
        text += more
        tokens.removeFirst()
      }
      return PythonLiteral(value: .text(text))
    case .otherText: return nil
    case .name(let name): return constant(name)
    case .mark(UInt8(ascii: "-")), .mark(UInt8(ascii: "+")): return signed(token.isMark("-"))
    case .mark(UInt8(ascii: "(")): return parenthesis()
    case .mark(UInt8(ascii: "[")): return items(until: "]").map { Self.list($0, nil) }
    case .mark(UInt8(ascii: "{")): return braces()
    case .mark: return nil
    }
  }

  /// Texts side by side are one.
  private mutating func joined(_ first: String) -> PythonLiteral? {
    var text = first
    while let token = tokens.first {
      if case .text(let more) = token {
        text += more
        tokens.removeFirst()
      } else {
        break
      }
    }
    return PythonLiteral(value: .text(text))
  }

  private mutating func constant(_ name: String) -> PythonLiteral? {
    switch name {
    case "None": return PythonLiteral(value: .null)
    case "True": return PythonLiteral(value: .bool(true))
    case "False": return PythonLiteral(value: .bool(false))
    case "set":
      guard next(is: "("), next(is: ")") else { return nil }
      return PythonLiteral(value: .list([]), foreign: "a set")
    default: return nil
    }
  }

  /// A sign belongs to one number, in parentheses or not.
  private mutating func signed(_ isNegative: Bool) -> PythonLiteral? {
    var depth = 0
    while next(is: "(") { depth += 1 }
    guard case .number(let text)? = tokens.popFirst() else { return nil }
    for _ in 0..<depth where !next(is: ")") { return nil }
    guard let value = Self.number(text) else { return nil }
    guard isNegative else { return PythonLiteral(value: value) }
    switch value {
    case .integer(let number): return PythonLiteral(value: .integer(-number))
    case .double(let number): return PythonLiteral(value: .double(-number))
    case .text(let digits): return PythonLiteral(value: Int64("-" + digits).map { .integer($0) } ?? .text("-" + digits))
    default: return nil
    }
  }

  /// A value in parentheses, or a tuple.
  private mutating func parenthesis() -> PythonLiteral? {
    if next(is: ")") { return Self.list([], "a tuple") }
    guard let first = value() else { return nil }
    if next(is: ")") { return first }
    guard next(is: ","), let more = items(until: ")") else { return nil }
    return Self.list([first] + more, "a tuple")
  }

  private mutating func items(until closer: Unicode.Scalar) -> [PythonLiteral]? {
    var items: [PythonLiteral] = []
    while !next(is: closer) {
      guard let item = value() else { return nil }
      items.append(item)
      if !next(is: ","), tokens.first?.isMark(closer) != true { return nil }
    }
    return items
  }

  /// A dictionary or a set.
  private mutating func braces() -> PythonLiteral? {
    if next(is: "}") { return PythonLiteral(value: .mapping([])) }
    guard let first = value() else { return nil }
    guard next(is: ":") else {
      guard tokens.first?.isMark("}") == true || next(is: ","), let more = items(until: "}") else { return nil }
      return Self.list([first] + more, "a set")
    }
    var names = PythonNames()
    var result = PythonLiteral(value: .null)
    var key = first
    while true {
      guard let item = value() else { return nil }
      let name = key.value.pythonText
      names.set(name, item.value)
      result.keys.append(name)
      result.keys += item.keys.map { "\(name).\($0)" }
      result.foreign = result.foreign ?? item.foreign
      if next(is: "}") { break }
      guard next(is: ",") else { return nil }
      if next(is: "}") { break }
      guard let another = value(), next(is: ":") else { return nil }
      key = another
    }
    result.value = .mapping(names.pairs)
    return result
  }

  private static func number(_ text: String) -> ParameterValue? {
    let plain = text.filter { $0 != "_" }
    let lower = plain.lowercased()
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where lower.hasPrefix(prefix) {
      let digits = lower.dropFirst(2)
      guard digits.allSatisfy(\.isHexDigit) else { return nil }
      return Int64(digits, radix: radix).map { .integer($0) }
    }
    if lower.utf8.allSatisfy({ (48...57).contains($0) }) { return Int64(lower).map { .integer($0) } ?? .text(lower) }
    guard lower.utf8.allSatisfy({ (48...57).contains($0) || ".e+-".utf8.contains($0) }) else { return nil }
    let padded = (lower.hasPrefix(".") ? "0" : "") + lower.replacing(".e", with: ".0e") + (lower.hasSuffix(".") ? "0" : "")
    return Double(padded).map { .double($0) }
  }
}

/// Values by name, in the order in which the names first came; the last value of a name counts.
struct PythonNames {
  private(set) var pairs: [(String, ParameterValue)] = []
  private var index: [String: Int] = [:]

  mutating func set(_ name: String, _ value: ParameterValue) {
    if let place = index[name] {
      pairs[place].1 = value
    } else {
      index[name] = pairs.count
      pairs.append((name, value))
    }
  }
}

// Values as block YAML, folded and quoted byte for byte as DVC's writer does it.
// SPDX-License-Identifier: Apache-2.0

/// Writes what ruamel.yaml's round-trip writer makes of a value that did not come from a YAML text.
///
/// The dash of a list stands at its key's indent, lines are folded beyond 80 columns (code points) at single spaces, and a
/// text is quoted when YAML 1.2 would read it as something else.
package enum RoundTripYAML {
  /// A whole document.
  package static func text(_ value: ParameterValue) -> String {
    var writer = RoundTripWriter()
    writer.document(value)
    return writer.out
  }

  /// The lines of a mapping whose keys begin at column `indent`, counted from 0.
  package static func lines(_ pairs: [(String, ParameterValue)], indent: Int) -> String {
    var writer = RoundTripWriter()
    writer.mapping(pairs, indent: indent)
    writer.endLine()
    return writer.out
  }
}

/// The text so far, with the column that the next character goes to.
struct RoundTripWriter {
  private static let bestWidth = 80
  /// A key this long or longer, with its tag `!!str`, gets a `?` of its own.
  private static let longestKey = 128 - 5

  private(set) var out = ""
  private var column = 0

  mutating func document(_ value: ParameterValue) {
    switch value {
    case .mapping(let pairs) where !pairs.isEmpty: mapping(pairs, indent: 0)
    case .list(let items) where !items.isEmpty: sequence(items, indent: 0)
    case .null: put("null")
    default: self.value(value, indent: 0, continuation: 0)
    }
    endLine()
    if case .list = value { return }
    if case .mapping = value { return }
    if !out.hasPrefix("'"), !out.hasPrefix("\"") { out += "...\n" }
  }

  // MARK: collections

  mutating func mapping(_ pairs: [(String, ParameterValue)], indent: Int) {
    for (key, value) in pairs {
      startLine(indent)
      if isSimple(key) {
        if !putWord(key) { scalar(ScalarForm(text: key, isKey: true), continuation: indent + 2, mayFold: false) }
        put(":")
        self.value(value, indent: indent, continuation: indent + 2)
      } else {
        put("? ")
        scalar(ScalarForm(text: key, isKey: false), continuation: indent + 2, mayFold: true)
        startLine(indent)
        put(":")
        compactValue(value, indent: indent)
      }
    }
  }

  private func isSimple(_ key: String) -> Bool {
    var count = 0
    for scalar in key.unicodeScalars {
      count += 1
      if count >= Self.longestKey || scalar.isLineBreak { return false }
    }
    return true
  }

  private mutating func sequence(_ items: [ParameterValue], indent: Int) {
    for item in items {
      startLine(indent)
      put("-")
      // Nothing is written as nothing, after the space that any value would have.
      if case .null = item { put(" ") } else { compactValue(item, indent: indent) }
    }
  }

  /// What follows `-`, or the `:` of a long key: a collection begins on the same line.
  private mutating func compactValue(_ value: ParameterValue, indent: Int) {
    switch value {
    case .mapping(let pairs) where !pairs.isEmpty:
      put(" ")
      mapping(pairs, indent: indent + 2)
    case .list(let items) where !items.isEmpty:
      put(" ")
      sequence(items, indent: indent + 2)
    default: self.value(value, indent: indent, continuation: indent + 2)
    }
  }

  private mutating func value(_ value: ParameterValue, indent: Int, continuation: Int) {
    switch value {
    case .null: return
    case .list(let items) where !items.isEmpty:
      endLine()
      sequence(items, indent: indent)
    case .mapping(let pairs) where !pairs.isEmpty:
      endLine()
      mapping(pairs, indent: indent + 2)
    case .list: word("[]")
    case .mapping: word("{}")
    case .text(let text):
      space()
      if !putWord(text) { scalar(ScalarForm(text: text, isKey: false), continuation: continuation, mayFold: true) }
    case .bool(let flag): plain(Array((flag ? "true" : "false").unicodeScalars), continuation: continuation)
    case .integer(let number): plain(Array(String(number).unicodeScalars), continuation: continuation)
    case .double(let number): plain(Array(Self.text(number).unicodeScalars), continuation: continuation)
    }
  }

  private static func text(_ number: Double) -> String {
    if number.isNaN { return ".nan" }
    if number.isInfinite { return number < 0 ? "-.inf" : ".inf" }
    return number.pythonRepr
  }

  private mutating func word(_ text: String) {
    space()
    put(text)
  }

  private mutating func plain(_ text: [Unicode.Scalar], continuation: Int) {
    space()
    plainWords(text, continuation: continuation, mayFold: true)
  }

  // MARK: scalars

  private mutating func scalar(_ form: ScalarForm, continuation: Int, mayFold: Bool) {
    switch form.style {
    case .plain: plainWords(form.scalars, continuation: continuation, mayFold: mayFold)
    case .single: singleQuoted(form.scalars, continuation: continuation, mayFold: mayFold)
    case .double: doubleQuoted(form.scalars, continuation: continuation, mayFold: mayFold)
    }
  }

  /// A word that would pass the width goes to the next line; the space before it has been written by then and stays.
  private mutating func plainWords(_ text: [Unicode.Scalar], continuation: Int, mayFold: Bool) {
    var index = 0
    while index < text.count {
      let start = index
      if text[index] == " " {
        while index < text.count, text[index] == " " { index += 1 }
        if index - start == 1, column >= Self.bestWidth, mayFold { breakLine(continuation) } else { put(text[start..<index]) }
      } else {
        while index < text.count, text[index] != " " { index += 1 }
        if column + index - start > Self.bestWidth, column > continuation { breakLine(continuation) }
        put(text[start..<index])
      }
    }
  }

  /// Folded at the first single space beyond the width. Neither a quote nor a line feed is ever among the text.
  private mutating func singleQuoted(_ text: [Unicode.Scalar], continuation: Int, mayFold: Bool) {
    put("'")
    var index = 0
    while index < text.count {
      let start = index
      if text[index] == " " {
        while index < text.count, text[index] == " " { index += 1 }
        if index - start == 1, column > Self.bestWidth, mayFold, start != 0, index != text.count {
          breakLine(continuation)
        } else {
          put(text[start..<index])
        }
      } else if text[index].isLineBreak {
        while index < text.count, text[index].isLineBreak { index += 1 }
        put(text[start..<index])
        column = 0
        startLine(continuation)
      } else {
        while index < text.count, text[index] != " ", !text[index].isLineBreak { index += 1 }
        put(text[start..<index])
      }
    }
    put("'")
  }

  /// `start..<end` waits to be written; after an escape `start` is one beyond `end`.
  private mutating func doubleQuoted(_ text: [Unicode.Scalar], continuation: Int, mayFold: Bool) {
    put("\"")
    var start = 0
    for end in 0...text.count {
      let next = end < text.count ? text[end] : nil
      if next == nil || next?.isEscaped == true {
        if start < end {
          put(text[start..<end])
          start = end
        }
        if let next {
          put(next.yamlEscape)
          start = end + 1
        }
      }
      guard mayFold, 0 < end, end < text.count - 1, next == " " || start >= end, column + end - start > Self.bestWidth else {
        continue
      }
      let isEscaped = Self.needsBackslash(text, start: start, end: end)
      if start < end {
        put(text[start..<end])
        start = end
      }
      if isEscaped { put("\\") }
      breakLine(continuation)
      if text[start] == " " {
        if isEscaped { put("\\") } else { start += 1 }
      }
    }
    put("\"")
  }

  /// Whether a fold at `end` needs the line's end escaped: it does not before a word without quotes that one space ends.
  private static func needsBackslash(_ text: [Unicode.Scalar], start: Int, end: Int) -> Bool {
    guard start != end, let space = text[end...].firstIndex(of: " ") else { return true }
    let stop = text[end..<space].firstIndex(of: "\n") ?? space
    guard stop + 1 < text.count else { return true }
    if text[stop] == "\n", text[stop + 1] != " " { return true }
    if text[end..<stop].contains(where: { $0 == "\"" || $0 == "'" }) { return true }
    if text[stop + 1] == " " || text[stop + 1] == "\n" { return true }
    return text[end - 1] == " " && text[end] == " "
  }

  // MARK: characters

  /// Writes a text that is plain for certain and fits the line, as nearly all do.
  private mutating func putWord(_ text: String) -> Bool {
    guard column + text.utf8.count <= Self.bestWidth, Self.isWord(text) else { return false }
    out += text
    column += text.utf8.count
    return true
  }

  /// Letters, digits, `_`, `-`, `/`, `.`, `>` and single spaces in between, that no reader takes for a number or a word
  /// like `true`.
  private static func isWord(_ text: String) -> Bool {
    var previous = UInt8(ascii: " ")
    for byte in text.utf8 {
      switch byte {
      case 97...122, 65...90, 48...57, UInt8(ascii: "_"), UInt8(ascii: "/"): break
      // Not at the beginning, where they mean something.
      case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: ">"): if text.utf8.first == byte { return false }
      case UInt8(ascii: " "): if previous == byte { return false }
      default: return false
      }
      previous = byte
    }
    return previous != UInt8(ascii: " ") && PlainScalar.isText(text)
  }

  private mutating func put(_ text: String) {
    out += text
    column += text.unicodeScalars.count
  }

  private mutating func put(_ scalars: ArraySlice<Unicode.Scalar>) {
    out.unicodeScalars.append(contentsOf: scalars)
    column += scalars.count
  }

  private mutating func space() {
    if column > 0 { put(" ") }
  }

  private mutating func breakLine(_ indent: Int) {
    out += "\n"
    column = 0
    startLine(indent)
  }

  /// Goes to column `indent`, on the next line when this one is beyond it.
  private mutating func startLine(_ indent: Int) {
    if column > indent {
      out += "\n"
      column = 0
    }
    if column < indent { put(String(repeating: " ", count: indent - column)) }
  }

  mutating func endLine() {
    if column > 0 {
      out += "\n"
      column = 0
    }
  }
}

/// A text with the style it is written in.
struct ScalarForm {
  enum Style { case plain, single, double }

  let scalars: [Unicode.Scalar]
  let style: Style

  init(text: String, isKey: Bool) {
    scalars = Array(text.unicodeScalars)
    style = Self.style(of: scalars, text: text, isKey: isKey)
  }

  private static func style(of scalars: [Unicode.Scalar], text: String, isKey: Bool) -> Style {
    let features = Features(scalars)
    if features.mayBePlain, PlainScalar.isText(text) { return .plain }
    if scalars.contains("'") || scalars.contains("\n") { return .double }
    return features.maySingle && !(isKey && features.hasBreaks) ? .single : .double
  }

  /// What of a text decides its style.
  private struct Features {
    var hasBreaks = false
    var maySingle = true
    var mayBePlain = true

    init(_ text: [Unicode.Scalar]) {
      guard let first = text.first, let last = text.last else {
        mayBePlain = false
        return
      }
      mayBePlain = !Self.isIndicator(first, next: text.dropFirst().first) && !Self.beginsMark(text)
      if first == " " || last == " " { mayBePlain = false }
      var previous: Unicode.Scalar?
      for (index, scalar) in text.enumerated() {
        let next = index + 1 < text.count ? text[index + 1] : nil
        if scalar == ":", index > 0, next?.isYAMLSpace ?? true { mayBePlain = false }
        if scalar == "#", previous?.isYAMLSpace == true { mayBePlain = false }
        if scalar.isLineBreak {
          hasBreaks = true
          if previous == " " { maySingle = false }
        } else if scalar == " ", previous?.isLineBreak == true {
          maySingle = false
        }
        if !scalar.isPrintableInYAML { maySingle = false }
        previous = scalar
      }
      if hasBreaks || !maySingle { mayBePlain = false }
    }

    private static func isIndicator(_ first: Unicode.Scalar, next: Unicode.Scalar?) -> Bool {
      switch first {
      case "#", ",", "[", "]", "{", "}", "&", "*", "!", "|", ">", "'", "\"", "%", "@", "`": true
      case "?", ":", "-": next?.isYAMLSpace ?? true
      default: false
      }
    }

    private static func beginsMark(_ text: [Unicode.Scalar]) -> Bool {
      text.starts(with: ["-", "-", "-"]) || text.starts(with: [".", ".", "."])
    }
  }
}

/// What YAML 1.2, as DVC's reader has it, takes a plain scalar for.
enum PlainScalar {
  /// Whether it is text: neither null, a boolean, a number, a date, `<<` nor `=`.
  static func isText(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    guard let first = bytes.first else { return false }
    switch first {
    case UInt8(ascii: "~"), UInt8(ascii: "="): return bytes.count > 1
    case UInt8(ascii: "<"): return text != "<<"
    case UInt8(ascii: "n"), UInt8(ascii: "N"): return !["null", "Null", "NULL"].contains(text)
    case UInt8(ascii: "t"), UInt8(ascii: "T"): return !["true", "True", "TRUE"].contains(text)
    case UInt8(ascii: "f"), UInt8(ascii: "F"): return !["false", "False", "FALSE"].contains(text)
    case 48...57, UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
      return !isWhole(bytes[...]) && !isFraction(bytes[...]) && !isDate(bytes[...])
    default: return true
    }
  }

  /// The value of a plain scalar as DVC's reader has it: `1_000` and `0b11` are numbers, `.5e3` is text.
  ///
  /// A whole number beyond 64 bits stays text, and so does a date, which DVC refuses.
  static func value(_ text: String) -> ParameterValue {
    if isText(text) { return .text(text) }
    let bytes = Array(text.utf8)
    guard isWhole(bytes[...]) || isFraction(bytes[...]) else {
      return text == "=" || text == "<<" || isDate(bytes[...]) ? .text(text) : ParameterValue(plain: text)
    }
    let digits = text.replacing(/_/, with: "")
    let isNegative = digits.hasPrefix("-")
    let magnitude = isNegative || digits.hasPrefix("+") ? digits.dropFirst() : digits[...]
    if isWhole(bytes[...]) {
      let radix = ["0b": 2, "0o": 8, "0x": 16][magnitude.prefix(2)] ?? 10
      let significant = radix == 10 ? magnitude : magnitude.dropFirst(2)
      return Int64((isNegative ? "-" : "") + significant, radix: radix).map { .integer($0) } ?? .text(text)
    }
    let number = magnitude.hasPrefix(".") && magnitude.dropFirst().first?.isNumber == true ? "0" + magnitude : String(magnitude)
    let value = ParameterValue(plain: (isNegative ? "-" : "") + number.replacing(/\.(?=[eE]|$)/, with: ".0"))
    return value
  }

  private static func unsigned(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    bytes.first == UInt8(ascii: "-") || bytes.first == UInt8(ascii: "+") ? bytes.dropFirst() : bytes
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
  private static func isDigitOrLine(_ byte: UInt8) -> Bool { isDigit(byte) || byte == UInt8(ascii: "_") }

  /// `-?` digits with `_` among them, or `0b`, `0o`, `0x` and theirs.
  static func isWhole(_ bytes: ArraySlice<UInt8>) -> Bool {
    let digits = unsigned(bytes)
    guard let first = digits.first else { return false }
    guard isDigitOrLine(first) else { return false }
    if digits.allSatisfy(isDigitOrLine) { return true }
    let rest = digits.dropFirst(2)
    guard first == 48, !rest.isEmpty else { return false }
    switch digits[digits.startIndex + 1] {
    case UInt8(ascii: "b"): return rest.allSatisfy { $0 == 48 || $0 == 49 || $0 == UInt8(ascii: "_") }
    case UInt8(ascii: "o"): return rest.allSatisfy { (48...55).contains($0) || $0 == UInt8(ascii: "_") }
    case UInt8(ascii: "x"):
      return rest.allSatisfy { isDigitOrLine($0) || (97...102).contains($0) || (65...70).contains($0) }
    default: return false
    }
  }

  static func isFraction(_ bytes: ArraySlice<UInt8>) -> Bool {
    if [".nan", ".NaN", ".NAN"].contains(where: { bytes.elementsEqual($0.utf8) }) { return true }
    let number = unsigned(bytes)
    if [".inf", ".Inf", ".INF"].contains(where: { number.elementsEqual($0.utf8) }) { return true }
    guard let first = number.first else { return false }
    let whole = number.prefix(while: isDigitOrLine)
    var rest = number.dropFirst(whole.count)
    guard whole.isEmpty || isDigit(first) else { return false }
    let hasPoint = rest.first == UInt8(ascii: ".")
    if hasPoint {
      let fraction = rest.dropFirst().prefix(while: isDigitOrLine)
      if whole.isEmpty, fraction.isEmpty { return false }
      rest = rest.dropFirst(1 + fraction.count)
    }
    if rest.isEmpty { return hasPoint }
    guard rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E"), hasPoint || !whole.isEmpty else { return false }
    let power = rest.dropFirst()
    let digits = unsigned(power)
    // Without digits before the point, the exponent has to have a sign.
    if whole.isEmpty, digits.count == power.count { return false }
    return !digits.isEmpty && digits.allSatisfy(isDigit)
  }

  /// `2020-01-01`, or with a time.
  static func isDate(_ bytes: ArraySlice<UInt8>) -> Bool {
    var rest = DateScan(bytes)
    guard rest.digits(4...4), rest.take("-") else { return false }
    let month = rest.digitCount(2)
    guard month > 0, rest.take("-") else { return false }
    let day = rest.digitCount(2)
    guard day > 0 else { return false }
    if rest.isAtEnd { return month == 2 && day == 2 }
    guard rest.take("T") || rest.take("t") || rest.spaces() > 0 else { return false }
    guard rest.digits(1...2), rest.take(":"), rest.digits(2...2), rest.take(":"), rest.digits(2...2) else { return false }
    if rest.take(".") { _ = rest.digitCount(Int.max) }
    _ = rest.spaces()
    if rest.isAtEnd || rest.take("Z") { return rest.isAtEnd }
    guard rest.take("+") || rest.take("-"), rest.digits(1...2) else { return false }
    if rest.take(":"), !rest.digits(2...2) { return false }
    return rest.isAtEnd
  }

  private struct DateScan {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
      guard let first = rest.first, UInt32(first) == character.value else { return false }
      rest.removeFirst()
      return true
    }

    mutating func digitCount(_ most: Int) -> Int {
      let digits = rest.prefix(while: isDigit).prefix(most)
      rest = rest.dropFirst(digits.count)
      return digits.count
    }

    mutating func digits(_ counts: ClosedRange<Int>) -> Bool { counts.contains(digitCount(counts.upperBound)) }

    mutating func spaces() -> Int {
      let spaces = rest.prefix { $0 == 32 || $0 == 9 }
      rest = rest.dropFirst(spaces.count)
      return spaces.count
    }
  }
}

extension Unicode.Scalar {
  var isLineBreak: Bool { self == "\n" || self == "\u{85}" || self == "\u{2028}" || self == "\u{2029}" }

  fileprivate var isYAMLSpace: Bool { self == " " || self == "\t" || self == "\r" || self == "\0" || isLineBreak }

  /// Whether it may stand unescaped outside double quotes.
  fileprivate var isPrintableInYAML: Bool {
    switch value {
    case 0x0A, 0x20...0x7E, 0x85: true
    case 0xFEFF: false
    case 0xA0...0xD7FF, 0xE000...0xFFFD, 0x10000...0x10FFFF: true
    default: false
    }
  }

  /// Whether it is escaped within double quotes.
  fileprivate var isEscaped: Bool {
    switch value {
    case 0x22, 0x5C, 0x85, 0x2028, 0x2029, 0xFEFF: true
    default: !isPrintableInYAML || value == 0x0A
    }
  }

  fileprivate var yamlEscape: String {
    switch value {
    case 0: return "\\0"
    case 7: return "\\a"
    case 8: return "\\b"
    case 9: return "\\t"
    case 0x0A: return "\\n"
    case 0x0B: return "\\v"
    case 0x0C: return "\\f"
    case 0x0D: return "\\r"
    case 0x1B: return "\\e"
    case 0x22: return "\\\""
    case 0x5C: return "\\\\"
    case 0x85: return "\\N"
    case 0x2028: return "\\L"
    case 0x2029: return "\\P"
    default:
      let digits = String(value, radix: 16, uppercase: true)
      let (letter, width) = value <= 0xFF ? ("x", 2) : value <= 0xFFFF ? ("u", 4) : ("U", 8)
      return "\\" + letter + String(repeating: "0", count: width - digits.count) + digits
    }
  }
}

extension YAMLNode {
  /// The value as DVC's reader has it, which takes more for numbers than the core schema does: `1_000`, `0b11`.
  package var dvcValue: ParameterValue {
    switch content {
    case .sequence(let items): .list(items.map(\.dvcValue))
    case .mapping(let pairs): .mapping(pairs.map { ($0.key.text, $0.value.dvcValue) })
    case .scalar(let text, isPlain: false): .text(text)
    case .scalar(let text, isPlain: true): PlainScalar.value(text)
    }
  }
}

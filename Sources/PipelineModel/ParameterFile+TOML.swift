// TOML 1.0 to a value, with the place of every key; no rule is bent, so what another reader refuses is refused here.
// SPDX-License-Identifier: Apache-2.0
internal import ContentStore
internal import Diagnostics

extension ParameterFile {
  static func toml(_ text: String, _ path: WorkspacePath) throws(DiagnosticList) -> Content {
    var reader = TOMLReader(text)
    do {
      try reader.document()
    } catch {
      let (line, column) = lineAndColumn(of: error.offset, in: reader.bytes)
      throw DiagnosticList([
        Diagnostic(
          .input, "this is not TOML: \(error.message)", at: SourceLocation(file: path.text, line: line, column: column))
      ])
    }
    var lines = LineIndex(reader.bytes)
    func key(_ found: (path: String, offset: Int)) -> Key {
      let place = lines.place(of: found.offset)
      return Key(key: found.path, line: place.line, column: place.column)
    }
    return Content(
      value: reader.root.value, keys: reader.keys.map(key),
      foreign: reader.dates.map { Foreign(place: key(($0.path, $0.offset)), kind: "a date or a time") })
  }
}

/// Offsets to lines and columns, for ascending and other offsets alike.
struct LineIndex {
  private let bytes: [UInt8]
  private let starts: [Int]

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    starts = [0] + bytes.indices.filter { bytes[$0] == UInt8(ascii: "\n") }.map { $0 + 1 }
  }

  mutating func place(of offset: Int) -> (line: Int, column: Int) {
    var low = 0
    var high = starts.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if starts[middle] <= offset { low = middle } else { high = middle }
    }
    return (low + 1, bytes[starts[low]..<min(offset, bytes.count)].count { $0 & 0xC0 != 0x80 } + 1)
  }
}

func lineAndColumn(of offset: Int, in bytes: [UInt8]) -> (line: Int, column: Int) {
  var index = LineIndex(bytes)
  return index.place(of: offset)
}

private struct TOMLReader {
  /// A table while it grows.
  final class Table {
    var order: [String] = []
    var entries: [String: Entry] = [:]
    /// By `[name]`, which may stand once.
    var isDeclared = false
    /// By a dotted key, which only its own table may extend.
    var isDotted = false
    /// Written in braces, or a value: nothing can be added.
    var isClosed = false

    var value: ParameterValue { .mapping(order.compactMap { key in entries[key].map { (key, $0.value) } }) }

    func set(_ key: String, _ entry: Entry) {
      if entries.updateValue(entry, forKey: key) == nil { order.append(key) }
    }
  }

  enum Entry {
    case plain(ParameterValue)
    case table(Table)
    /// `[[name]]`
    case tables([Table])

    var value: ParameterValue {
      switch self {
      case .plain(let value): value
      case .table(let table): table.value
      case .tables(let tables): .list(tables.map(\.value))
      }
    }
  }

  struct Mistake: Error {
    var message: String
    var offset: Int
  }

  static let maximumDepth = 200

  let bytes: [UInt8]
  var index = 0
  let root = Table()
  private(set) var keys: [(path: String, offset: Int)] = []
  private(set) var dates: [(path: String, offset: Int)] = []
  private var current: Table
  private var currentPath: [String] = []

  init(_ text: String) {
    bytes = Array(text.utf8)
    current = root
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { index = 3 }
  }

  // MARK: Lines

  mutating func document() throws(Mistake) {
    while true {
      skipBlanks()
      guard let byte = peek else { return }
      switch byte {
      case UInt8(ascii: "\n"): index += 1
      case UInt8(ascii: "\r") where at(1) == UInt8(ascii: "\n"): index += 2
      case UInt8(ascii: "#"): try comment()
      case UInt8(ascii: "["):
        try header()
        try endOfLine()
      default:
        try pair(into: current, below: currentPath, depth: 0)
        try endOfLine()
      }
    }
  }

  private var peek: UInt8? { index < bytes.count ? bytes[index] : nil }
  private func at(_ distance: Int) -> UInt8? { index + distance < bytes.count ? bytes[index + distance] : nil }
  private func fail(_ message: String, at offset: Int? = nil) -> Mistake { Mistake(message: message, offset: offset ?? index) }

  private mutating func skipBlanks() { while let byte = peek, byte == 32 || byte == 9 { index += 1 } }

  private mutating func comment() throws(Mistake) {
    while let byte = peek, byte != UInt8(ascii: "\n") {
      if byte == UInt8(ascii: "\r"), at(1) == UInt8(ascii: "\n") { return }
      guard byte >= 32 && byte != 127 || byte == 9 else { throw fail("a comment holds a control character") }
      index += 1
    }
  }

  private mutating func endOfLine() throws(Mistake) {
    skipBlanks()
    if peek == UInt8(ascii: "#") { try comment() }
    guard let byte = peek else { return }
    if byte == UInt8(ascii: "\n") {
      index += 1
    } else if byte == UInt8(ascii: "\r"), at(1) == UInt8(ascii: "\n") {
      index += 2
    } else {
      throw fail("the line goes on behind its value")
    }
  }

  private mutating func header() throws(Mistake) {
    let start = index
    let isArray = at(1) == UInt8(ascii: "[")
    index += isArray ? 2 : 1
    skipBlanks()
    let names = try dottedKey()
    skipBlanks()
    for _ in 0..<(isArray ? 2 : 1) {
      guard peek == UInt8(ascii: "]") else { throw fail("`]` is missing") }
      index += 1
    }
    guard names.count < Self.maximumDepth else { throw fail("tables nest deeper than \(Self.maximumDepth)", at: start) }
    var table = root
    for name in names.dropLast() { table = try inner(name.text, of: table, start) }
    guard let last = names.last else { return }
    keys.append((names.map(\.text).joined(separator: "."), last.offset))
    current = try declare(last.text, in: table, isArray: isArray, start)
    currentPath = names.map(\.text)
  }

  /// The table that a header's name leads through.
  private func inner(_ name: String, of table: Table, _ start: Int) throws(Mistake) -> Table {
    switch table.entries[name] {
    case nil:
      let new = Table()
      table.set(name, .table(new))
      return new
    case .table(let inner) where !inner.isClosed: return inner
    case .tables(let tables):
      guard let last = tables.last else { throw fail("`\(name)` is no table", at: start) }
      return last
    default: throw fail("`\(name)` has a value already and is no table", at: start)
    }
  }

  private func declare(_ name: String, in table: Table, isArray: Bool, _ start: Int) throws(Mistake) -> Table {
    let new = Table()
    new.isDeclared = true
    switch table.entries[name] {
    case nil: table.set(name, isArray ? .tables([new]) : .table(new))
    case .tables(let tables) where isArray: table.set(name, .tables(tables + [new]))
    case .table(let inner) where !isArray && !inner.isDeclared && !inner.isDotted && !inner.isClosed:
      inner.isDeclared = true
      return inner
    default: throw fail("`\(name)` stands twice", at: start)
    }
    return new
  }

  // MARK: Keys

  private mutating func dottedKey() throws(Mistake) -> [(text: String, offset: Int)] {
    var names: [(text: String, offset: Int)] = []
    while true {
      skipBlanks()
      let start = index
      names.append((try simpleKey(), start))
      let end = index
      skipBlanks()
      guard peek == UInt8(ascii: ".") else {
        index = end
        return names
      }
      index += 1
    }
  }

  private mutating func simpleKey() throws(Mistake) -> String {
    switch peek {
    case UInt8(ascii: "\""):
      guard !(at(1) == UInt8(ascii: "\"") && at(2) == UInt8(ascii: "\"")) else { throw fail("a key is one line") }
      return try basic()
    case UInt8(ascii: "'"):
      guard !(at(1) == UInt8(ascii: "'") && at(2) == UInt8(ascii: "'")) else { throw fail("a key is one line") }
      return try literal()
    default:
      let start = index
      while let byte = peek, ManifestReader.isNameByte(byte) { index += 1 }
      guard index > start else { throw fail("a key is missing") }
      return String(decoding: bytes[start..<index], as: UTF8.self)
    }
  }

  private mutating func pair(into table: Table, below path: [String], depth: Int) throws(Mistake) {
    let names = try dottedKey()
    skipBlanks()
    guard peek == UInt8(ascii: "=") else { throw fail("`=` is missing") }
    index += 1
    skipBlanks()
    guard names.count + depth < Self.maximumDepth, let last = names.last else {
      throw fail("tables nest deeper than \(Self.maximumDepth)")
    }
    var inner = table
    var below = path
    for name in names.dropLast() {
      below.append(name.text)
      switch inner.entries[name.text] {
      case nil:
        let new = Table()
        new.isDotted = true
        inner.set(name.text, .table(new))
        keys.append((below.joined(separator: "."), name.offset))
        inner = new
      case .table(let known) where !known.isDeclared && !known.isClosed: inner = known
      default: throw fail("`\(name.text)` stands twice", at: name.offset)
      }
    }
    guard inner.entries[last.text] == nil else { throw fail("key `\(last.text)` stands twice", at: last.offset) }
    below.append(last.text)
    keys.append((below.joined(separator: "."), last.offset))
    inner.set(last.text, try value(below, depth: depth + names.count))
  }

  // MARK: Values

  private mutating func value(_ path: [String], depth: Int) throws(Mistake) -> Entry {
    guard depth < Self.maximumDepth else { throw fail("values nest deeper than \(Self.maximumDepth)") }
    switch peek {
    case UInt8(ascii: "\""):
      return .plain(.text(at(1) == UInt8(ascii: "\"") && at(2) == UInt8(ascii: "\"") ? try longBasic() : try basic()))
    case UInt8(ascii: "'"):
      return .plain(.text(at(1) == UInt8(ascii: "'") && at(2) == UInt8(ascii: "'") ? try longLiteral() : try literal()))
    case UInt8(ascii: "["): return .plain(try array(path, depth: depth))
    case UInt8(ascii: "{"): return .table(try inlineTable(path, depth: depth))
    default: return .plain(try scalar(path))
    }
  }

  private mutating func skipLines() throws(Mistake) {
    while let byte = peek {
      if byte == 32 || byte == 9 || byte == UInt8(ascii: "\n") {
        index += 1
      } else if byte == UInt8(ascii: "\r"), at(1) == UInt8(ascii: "\n") {
        index += 2
      } else if byte == UInt8(ascii: "#") {
        try comment()
      } else {
        return
      }
    }
  }

  private mutating func array(_ path: [String], depth: Int) throws(Mistake) -> ParameterValue {
    let start = index
    index += 1
    var items: [ParameterValue] = []
    while true {
      try skipLines()
      guard let byte = peek else { throw fail("the list has no end", at: start) }
      if byte == UInt8(ascii: "]") {
        index += 1
        return .list(items)
      }
      items.append(try value(path + ["\(items.count)"], depth: depth + 1).value)
      try skipLines()
      if peek == UInt8(ascii: ",") {
        index += 1
      } else if peek != UInt8(ascii: "]") {
        throw fail(peek == nil ? "the list has no end" : "`,` or `]` is missing", at: peek == nil ? start : nil)
      }
    }
  }

  /// Line ends and a last comma are taken as TOML 1.1 and DVC take them.
  private mutating func inlineTable(_ path: [String], depth: Int) throws(Mistake) -> Table {
    let start = index
    index += 1
    let table = Table()
    while true {
      try skipLines()
      guard let byte = peek else { throw fail("the table has no end", at: start) }
      if byte == UInt8(ascii: "}") { break }
      try pair(into: table, below: path, depth: depth + 1)
      try skipLines()
      if peek == UInt8(ascii: ",") {
        index += 1
      } else if peek != UInt8(ascii: "}") {
        throw fail(peek == nil ? "the table has no end" : "`,` or `}` is missing", at: peek == nil ? start : nil)
      }
    }
    index += 1
    close(table)
    return table
  }

  private func close(_ table: Table) {
    table.isClosed = true
    for entry in table.entries.values { if case .table(let inner) = entry { close(inner) } }
  }

  // MARK: Text

  private mutating func literal() throws(Mistake) -> String {
    let start = index
    index += 1
    let first = index
    while let byte = peek, byte != UInt8(ascii: "'") {
      guard byte >= 32 && byte != 127 || byte == 9 else { throw fail("text in quotes ends on its line", at: start) }
      index += 1
    }
    guard peek != nil else { throw fail("the text has no closing quote", at: start) }
    index += 1
    return String(decoding: bytes[first..<(index - 1)], as: UTF8.self)
  }

  private mutating func longLiteral() throws(Mistake) -> String {
    let start = index
    index += 3
    skipFirstLineEnd()
    let first = index
    while peek != nil {
      if let end = closingQuotes(UInt8(ascii: "'")) { return String(decoding: bytes[first..<end], as: UTF8.self) }
      try checkLong(start)
      index += 1
    }
    throw fail("the text has no closing quotes", at: start)
  }

  /// At `"""` or `'''`: moves behind it. Up to two quotes before it belong to the text.
  private mutating func closingQuotes(_ quote: UInt8) -> Int? {
    guard peek == quote, at(1) == quote, at(2) == quote else { return nil }
    var count = 3
    while count < 5, at(count) == quote { count += 1 }
    let end = index + count - 3
    index += count
    return end
  }

  private func checkLong(_ start: Int) throws(Mistake) {
    guard let byte = peek else { return }
    guard byte >= 32 && byte != 127 || byte == 9 || byte == 10 || (byte == 13 && at(1) == 10) else {
      throw fail("the text holds a control character")
    }
  }

  private mutating func skipFirstLineEnd() {
    if peek == UInt8(ascii: "\n") {
      index += 1
    } else if peek == UInt8(ascii: "\r"), at(1) == UInt8(ascii: "\n") {
      index += 2
    }
  }

  private mutating func basic() throws(Mistake) -> String {
    let start = index
    index += 1
    var out: [UInt8] = []
    while let byte = peek {
      switch byte {
      case UInt8(ascii: "\""):
        index += 1
        return String(decoding: out, as: UTF8.self)
      case UInt8(ascii: "\\"): try escape(into: &out)
      case 0..<32 where byte != 9, 127: throw fail("text in quotes ends on its line", at: start)
      default:
        out.append(byte)
        index += 1
      }
    }
    throw fail("the text has no closing quote", at: start)
  }

  private mutating func longBasic() throws(Mistake) -> String {
    let start = index
    index += 3
    skipFirstLineEnd()
    var out: [UInt8] = []
    while let byte = peek {
      let first = index
      if let end = closingQuotes(UInt8(ascii: "\"")) {
        out += bytes[first..<end]
        return String(decoding: out, as: UTF8.self)
      }
      if byte == UInt8(ascii: "\\") {
        if try !skipLineEnd() { try escape(into: &out) }
        continue
      }
      try checkLong(start)
      out.append(byte)
      index += 1
    }
    throw fail("the text has no closing quotes", at: start)
  }

  /// A backslash at the end of a line takes the blanks up to the next text with it.
  private mutating func skipLineEnd() throws(Mistake) -> Bool {
    var end = index + 1
    while end < bytes.count, bytes[end] == 32 || bytes[end] == 9 { end += 1 }
    if end < bytes.count, bytes[end] == 13 { end += 1 }
    guard end < bytes.count, bytes[end] == 10 else { return false }
    while end < bytes.count, [32, 9, 10, 13].contains(bytes[end]) { end += 1 }
    index = end
    return true
  }

  private mutating func escape(into out: inout [UInt8]) throws(Mistake) {
    let start = index
    let plain: [UInt8: UInt8] = [
      UInt8(ascii: "b"): 8, UInt8(ascii: "t"): 9, UInt8(ascii: "n"): 10, UInt8(ascii: "f"): 12, UInt8(ascii: "r"): 13,
      UInt8(ascii: "e"): 27, UInt8(ascii: "\""): 34, UInt8(ascii: "\\"): 92,
    ]
    let digits: [UInt8: Int] = [UInt8(ascii: "x"): 2, UInt8(ascii: "u"): 4, UInt8(ascii: "U"): 8]
    guard let byte = at(1) else { throw fail("the text has no closing quote") }
    if let value = plain[byte] {
      out.append(value)
      index += 2
    } else if let count = digits[byte], index + 2 + count <= bytes.count,
      bytes[(index + 2)..<(index + 2 + count)].allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }),
      let number = UInt32(String(decoding: bytes[(index + 2)..<(index + 2 + count)], as: UTF8.self), radix: 16),
      let scalar = UnicodeScalar(number)
    {
      out += Array(String(Character(scalar)).utf8)
      index += 2 + count
    } else {
      throw fail("`\\\(Character(UnicodeScalar(byte)))` is no escape", at: start)
    }
  }

  // MARK: Numbers, flags, dates

  private mutating func scalar(_ path: [String]) throws(Mistake) -> ParameterValue {
    let start = index
    func isPart(_ byte: UInt8) -> Bool { ManifestReader.isNameByte(byte) || "+.:".utf8.contains(byte) }
    while let byte = peek, isPart(byte) { index += 1 }
    var text = String(decoding: bytes[start..<index], as: UTF8.self)
    // A date and a time may have a blank between them.
    if text.utf8.count == 10, Self.isTime(text), peek == 32, let next = at(1), (48...57).contains(next) {
      let date = index
      index += 1
      while let byte = peek, isPart(byte) { index += 1 }
      text = String(decoding: bytes[start..<index], as: UTF8.self)
      if !Self.isTime(text) {
        index = date
        text = String(decoding: bytes[start..<index], as: UTF8.self)
      }
    }
    if Self.isTime(text) {
      dates.append((path.joined(separator: "."), start))
      return .text(text)
    }
    guard let value = Self.number(text) else {
      index = start
      throw fail(text.isEmpty ? "a value is missing" : "`\(text)` is no value", at: start)
    }
    return value
  }

  private static func number(_ text: String) -> ParameterValue? {
    switch text {
    case "true": return .bool(true)
    case "false": return .bool(false)
    case "inf", "+inf": return .double(.infinity)
    case "-inf": return .double(-.infinity)
    case "nan", "+nan", "-nan": return .double(.nan)
    default: break
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where text.hasPrefix(prefix) {
      guard let digits = joinedDigits(text.dropFirst(2), radix: radix) else { return nil }
      return Int64(digits, radix: radix).map { .integer($0) } ?? .text(text)
    }
    let sign = text.first == "-" || text.first == "+" ? String(text.prefix(1)) : ""
    let rest = text.dropFirst(sign.count)
    let parts = rest.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    let exponentStart = rest.firstIndex { $0 == "e" || $0 == "E" }
    let mantissaEnd = exponentStart ?? rest.endIndex
    let wholeEnd = parts.count > 1 ? min(parts[0].endIndex, mantissaEnd) : mantissaEnd
    guard let whole = joinedDigits(rest[..<wholeEnd], radix: 10), whole.count == 1 || whole.first != "0" else { return nil }
    var written = sign + whole
    if wholeEnd == rest.endIndex {
      return Int64(written).map { .integer($0) } ?? .text(written)
    }
    if rest[wholeEnd] == "." {
      guard let fraction = joinedDigits(rest[rest.index(after: wholeEnd)..<mantissaEnd], radix: 10) else { return nil }
      written += "." + fraction
    }
    if let exponentStart {
      var exponent = rest[rest.index(after: exponentStart)...]
      let sign = exponent.first == "-" || exponent.first == "+" ? String(exponent.removeFirst()) : ""
      guard let digits = joinedDigits(exponent, radix: 10) else { return nil }
      written += "e" + sign + digits
    }
    return Double(written).map { .double($0) }
  }

  /// Digits without the `_` between them; `nil` when one stands elsewhere or nothing is there.
  private static func joinedDigits(_ text: Substring, radix: Int) -> String? {
    var out = ""
    var previous: Character = "_"
    for character in text {
      if character == "_" {
        if previous == "_" { return nil }
      } else if character.isASCII, let digit = character.hexDigitValue, digit < radix {
        out.append(character)
      } else {
        return nil
      }
      previous = character
    }
    return previous == "_" ? nil : out
  }

  /// `1979-05-27`, `07:32:00.5`, both joined by `T` or a blank, with `Z` or `+01:00`.
  private static func isTime(_ text: String) -> Bool {
    var shape = ""
    for byte in text.utf8 {
      let isDigit = (48...57).contains(byte)
      shape.append(isDigit ? "0" : byte == 84 || byte == 116 || byte == 32 ? "T" : Character(UnicodeScalar(byte)))
    }
    if shape == "0000-00-00" { return true }
    if shape.hasPrefix("0000-00-00T") { shape.removeFirst(11) }
    guard shape.hasPrefix("00:00") else { return false }
    shape.removeFirst(5)
    if shape.hasPrefix(":00") { shape.removeFirst(3) }
    if shape.hasPrefix(".0") {
      shape.removeFirst(1)
      while shape.first == "0" { shape.removeFirst() }
    }
    return ["", "Z", "z", "+00:00", "-00:00"].contains(shape)
  }
}

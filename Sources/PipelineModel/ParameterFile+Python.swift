// Constants of a Python file to a value: what is assigned as a literal, to a name, in a class, to `self` in `__init__`.
// SPDX-License-Identifier: Apache-2.0
internal import ContentStore
internal import Diagnostics

extension ParameterFile {
  /// Nothing is run. Statements that assign anything but a literal are passed over, as in DVC.
  static func python(_ text: String, _ path: WorkspacePath) throws(DiagnosticList) -> Content {
    do {
      var reader = PythonReader(try PythonLines.read(Array(text.utf8)))
      var content = Content(value: .mapping([]))
      content.value = .mapping(try reader.block(indent: reader.firstIndent, below: "", onlySelf: false, &content).pairs)
      return content
    } catch {
      throw DiagnosticList([
        Diagnostic(
          .input, "this is not Python: \(error.message)",
          at: SourceLocation(file: path.text, line: error.line, column: error.column))
      ])
    }
  }
}

struct PythonMistake: Error {
  var message: String
  var line: Int
  var column: Int
}

private enum PythonToken: Equatable {
  case name(String)
  /// A number as written.
  case number(String)
  case text(String)
  /// `f'…'`, whose value is not known.
  case otherText
  case bytes(String)
  /// Brackets and operators, one character each.
  case mark(UInt8)

  func isMark(_ character: Unicode.Scalar) -> Bool { self == .mark(UInt8(ascii: character)) }
}

/// A logical line: joined over brackets and backslashes, without comments.
private struct PythonLine {
  var indent: Int
  var line: Int
  var tokens: [PythonToken]
  var columns: [Int]
}

// MARK: Tokens

private struct PythonLines {
  private let bytes: [UInt8]
  private var index = 0
  private var line = 1
  private var lineStart = 0

  private init(_ bytes: [UInt8]) { self.bytes = bytes }

  static func read(_ bytes: [UInt8]) throws(PythonMistake) -> [PythonLine] {
    var reader = PythonLines(bytes)
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
      reader.index = 3
      reader.lineStart = 3
    }
    var lines: [PythonLine] = []
    while let line = try reader.logicalLine() { if !line.tokens.isEmpty { lines.append(line) } }
    return lines
  }

  private func fail(_ message: String) -> PythonMistake {
    PythonMistake(message: message, line: line, column: index - lineStart + 1)
  }

  private var peek: UInt8? { index < bytes.count ? bytes[index] : nil }
  private func at(_ distance: Int) -> UInt8? { index + distance < bytes.count ? bytes[index + distance] : nil }

  private mutating func newLine() {
    if peek == 13, at(1) == 10 { index += 1 }
    index += 1
    line += 1
    lineStart = index
  }

  private mutating func logicalLine() throws(PythonMistake) -> PythonLine? {
    guard peek != nil else { return nil }
    var result = PythonLine(indent: indentation(), line: line, tokens: [], columns: [])
    var open: [(byte: UInt8, mistake: PythonMistake)] = []
    while let byte = peek {
      switch byte {
      case 32, 9, 12: index += 1
      case 10, 13:
        newLine()
        if open.isEmpty { return result }
      case UInt8(ascii: "#"): while let byte = peek, byte != 10, byte != 13 { index += 1 }
      case UInt8(ascii: "\\"):
        guard at(1) == 10 || at(1) == 13 else { throw fail("a backslash stands in the middle of a line") }
        index += 1
        newLine()
      default:
        if result.tokens.isEmpty { result.line = line }
        result.columns.append(index - lineStart + 1)
        let mistake = fail("the bracket is not closed")
        let token = try token(byte)
        result.tokens.append(token)
        if case .mark(let mark) = token { try track(mark, mistake, &open) }
      }
    }
    if let first = open.first { throw first.mistake }
    return result
  }

  /// Columns before the first character, a tab leading to the next multiple of 8.
  private mutating func indentation() -> Int {
    var indent = 0
    while let byte = peek, byte == 32 || byte == 9 || byte == 12 {
      indent = byte == 9 ? (indent / 8 + 1) * 8 : byte == 12 ? 0 : indent + 1
      index += 1
    }
    return indent
  }

  private func track(_ mark: UInt8, _ mistake: PythonMistake, _ open: inout [(byte: UInt8, mistake: PythonMistake)])
    throws(PythonMistake)
  {
    let closers: [UInt8: UInt8] = [
      UInt8(ascii: "("): UInt8(ascii: ")"), UInt8(ascii: "["): UInt8(ascii: "]"), UInt8(ascii: "{"): UInt8(ascii: "}"),
    ]
    if let closer = closers[mark] {
      guard open.count < 100 else { throw fail("brackets nest deeper than 100") }
      open.append((closer, mistake))
    } else if closers.values.contains(mark) {
      guard open.popLast()?.byte == mark else { throw fail("a bracket is closed that was not opened") }
    }
  }

  private mutating func token(_ byte: UInt8) throws(PythonMistake) -> PythonToken {
    if (48...57).contains(byte) || (byte == UInt8(ascii: ".") && at(1).map { (48...57).contains($0) } == true) {
      return try number()
    }
    if byte == 34 || byte == 39 { return try string(prefix: "") }
    guard Self.isName(byte) else {
      guard byte >= 32 && byte != 127 && byte != UInt8(ascii: "?") && byte != UInt8(ascii: "$") else {
        throw fail("a character stands here that Python has no use for")
      }
      index += 1
      return .mark(byte)
    }
    let start = index
    while let byte = peek, Self.isName(byte) { index += 1 }
    let name = String(decoding: bytes[start..<index], as: UTF8.self)
    if peek == 34 || peek == 39, name.utf8.count <= 2, name.utf8.allSatisfy({ "rRbBuUfFtT".utf8.contains($0) }) {
      return try string(prefix: name.lowercased())
    }
    return .name(name)
  }

  private static func isName(_ byte: UInt8) -> Bool {
    byte >= 128 || byte == UInt8(ascii: "_") || (ManifestReader.isNameByte(byte) && byte != UInt8(ascii: "-"))
  }

  private mutating func number() throws(PythonMistake) -> PythonToken {
    let start = index
    while let byte = peek {
      let isSign = byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
      let isBased = bytes[start] == 48 && start + 1 < index && [120, 88].contains(bytes[start + 1])
      let follows = index > start && [69, 101].contains(bytes[index - 1]) && !isBased
      guard Self.isName(byte) || byte == UInt8(ascii: ".") || (isSign && follows) else { break }
      index += 1
    }
    let digits = bytes[start..<index].filter { $0 != UInt8(ascii: "_") }
    if digits.first == 48, digits.allSatisfy({ (48...57).contains($0) }), digits.contains(where: { $0 != 48 }) {
      throw fail("a whole number begins with no 0")
    }
    return .number(String(decoding: bytes[start..<index], as: UTF8.self))
  }

  // MARK: Strings

  private mutating func string(prefix: String) throws(PythonMistake) -> PythonToken {
    let start = fail("the text has no closing quote")
    guard let quote = peek else { throw start }
    let isLong = at(1) == quote && at(2) == quote
    index += isLong ? 3 : 1
    let isRaw = prefix.contains("r")
    let isBytes = prefix.contains("b")
    var out = ""
    var run: [UInt8] = []
    let isKnown = !prefix.contains("f") && !prefix.contains("t")
    func flush() {
      out += String(decoding: run, as: UTF8.self)
      run = []
    }
    while let byte = peek {
      if byte == quote, !isLong || (at(1) == quote && at(2) == quote) {
        index += isLong ? 3 : 1
        flush()
        return !isKnown ? .otherText : isBytes ? .bytes(out) : .text(out)
      }
      if byte == 10 || byte == 13 {
        guard isLong else { throw start }
        run.append(10)
        newLine()
      } else if byte == UInt8(ascii: "\\"), isRaw {
        run.append(byte)
        index += 1
        if let next = peek {
          if next == 10 || next == 13 {
            run.append(10)
            newLine()
          } else {
            run.append(next)
            index += 1
          }
        }
      } else if byte == UInt8(ascii: "\\") {
        flush()
        out += try escape(isBytes: isBytes)
      } else {
        run.append(byte)
        index += 1
      }
    }
    throw start
  }

  /// The character of a Unicode name. The table has no index, so this takes some milliseconds.
  private static func scalar(named name: String) -> UnicodeScalar? {
    (0...0x1FFFF).lazy.compactMap { UnicodeScalar(UInt32($0)) }.first {
      $0.properties.name == name || $0.properties.nameAlias == name
    }
  }

  /// What a backslash and its letters stand for.
  private mutating func escape(isBytes: Bool) throws(PythonMistake) -> String {
    index += 1
    guard let byte = peek else { return "" }
    let plain: [UInt8: String] = [
      92: "\\", 39: "'", 34: "\"", 97: "\u{7}", 98: "\u{8}", 102: "\u{C}", 110: "\n", 114: "\r", 116: "\t", 118: "\u{B}",
    ]
    if byte == 10 || byte == 13 {
      newLine()
      return ""
    }
    if (48...55).contains(byte) {
      var value: UInt32 = 0
      var count = 0
      while count < 3, let digit = peek, (48...55).contains(digit) {
        value = value * 8 + UInt32(digit - 48)
        index += 1
        count += 1
      }
      return String(Character(UnicodeScalar(value) ?? "\u{FFFD}"))
    }
    if let text = plain[byte] {
      index += 1
      return text
    }
    if byte == UInt8(ascii: "N"), !isBytes {
      guard at(1) == UInt8(ascii: "{"), let end = bytes[index...].firstIndex(of: UInt8(ascii: "}")), end - index < 100 else {
        throw fail("`\\N` is followed by a name in braces")
      }
      let name = String(decoding: bytes[(index + 2)..<end], as: UTF8.self).uppercased()
      guard let scalar = Self.scalar(named: name) else { throw fail("no character is named `\(name)`") }
      index = end + 1
      return String(Character(scalar))
    }
    let digits: [UInt8: Int] = isBytes ? [120: 2] : [120: 2, 117: 4, 85: 8]
    guard let count = digits[byte] else { return "\\" }
    let first = index + 1
    guard first + count <= bytes.count, bytes[first..<first + count].allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }),
      let value = UInt32(String(decoding: bytes[first..<first + count], as: UTF8.self), radix: 16), value <= 0x10FFFF
    else { throw fail("the escape has too few digits or too great a number") }
    index = first + count
    return String(Character(UnicodeScalar(value) ?? "\u{FFFD}"))
  }
}

// MARK: Statements

private struct PythonReader {
  private let lines: [PythonLine]
  private var index = 0

  static let compound: Set<String> = [
    "if", "elif", "else", "for", "while", "try", "except", "finally", "with", "def", "class", "async",
  ]

  init(_ lines: [PythonLine]) { self.lines = lines }

  var firstIndent: Int { 0 }

  struct Names {
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

  private func fail(_ message: String, _ line: PythonLine) -> PythonMistake {
    PythonMistake(message: message, line: line.line, column: line.columns.first ?? 1)
  }

  /// The lines with this indentation, up to the first with less.
  mutating func block(
    indent: Int, below path: String, onlySelf: Bool, _ content: inout ParameterFile.Content, depth: Int = 0
  ) throws(PythonMistake) -> Names {
    var names = Names()
    while index < lines.count {
      let line = lines[index]
      if line.indent < indent { break }
      guard line.indent == indent else { throw fail("the line is indented without a reason", line) }
      guard depth < 100 else { throw fail("blocks nest deeper than 100", line) }
      index += 1
      try statement(line, below: path, onlySelf: onlySelf, &names, &content, depth)
    }
    return names
  }

  private mutating func statement(
    _ line: PythonLine, below path: String, onlySelf: Bool, _ names: inout Names, _ content: inout ParameterFile.Content,
    _ depth: Int
  ) throws(PythonMistake) {
    let opener = opener(line)
    let hasBody = index < lines.count && lines[index].indent > line.indent
    guard let opener else {
      if hasBody { throw fail("the line is indented without a reason", lines[index]) }
      simple(line, 0, below: path, onlySelf: onlySelf, &names, &content)
      return
    }
    // One line may hold its body behind the colon.
    let isInline = opener + 1 < line.tokens.count
    if isInline == hasBody {
      throw fail(hasBody ? "the line is indented without a reason" : "a block is missing", hasBody ? lines[index] : line)
    }
    guard case .name(let keyword) = line.tokens[0] else { return }
    var inner = onlySelf
    var below = path
    var isRead = false
    var className: String?
    if case .name(let name)? = line.tokens.dropFirst().first {
      if keyword == "class" {
        className = name
        isRead = true
        inner = false
        below = path.isEmpty ? name : "\(path).\(name)"
        content.keys.append(ParameterFile.Key(key: below, line: line.line, column: line.columns[1]))
      } else if keyword == "def", name == "__init__" {
        isRead = true
        inner = true
      }
    }
    var ignored = ParameterFile.Content(value: .null)
    var found = Names()
    if isInline {
      if isRead { simple(line, opener + 1, below: below, onlySelf: inner, &found, &content) }
    } else if isRead {
      found = try block(indent: lines[index].indent, below: below, onlySelf: inner, &content, depth: depth + 1)
    } else {
      _ = try block(indent: lines[index].indent, below: below, onlySelf: inner, &ignored, depth: depth + 1)
    }
    if index < lines.count, lines[index].indent > line.indent { throw fail("the line fits no block", lines[index]) }
    guard isRead else { return }
    if let className {
      names.set(className, .mapping(found.pairs))
    } else {
      for (name, value) in found.pairs { names.set(name, value) }
    }
  }

  /// The colon that opens a block.
  private func opener(_ line: PythonLine) -> Int? {
    guard case .name(let keyword) = line.tokens[0] else { return nil }
    let isSoft = (keyword == "match" || keyword == "case") && line.tokens.count > 2 && !line.tokens[1].isMark("=")
    guard Self.compound.contains(keyword) || isSoft else { return nil }
    var open = 0
    var lambdas = 0
    for (index, token) in line.tokens.enumerated() {
      switch token {
      case .mark(UInt8(ascii: "(")), .mark(UInt8(ascii: "[")), .mark(UInt8(ascii: "{")): open += 1
      case .mark(UInt8(ascii: ")")), .mark(UInt8(ascii: "]")), .mark(UInt8(ascii: "}")): open -= 1
      case .name("lambda") where open == 0: lambdas += 1
      case .mark(UInt8(ascii: ":")) where open == 0:
        if lambdas == 0 { return index }
        lambdas -= 1
      default: break
      }
    }
    return nil
  }

  // MARK: Assignments

  private func simple(
    _ line: PythonLine, _ start: Int, below path: String, onlySelf: Bool, _ names: inout Names,
    _ content: inout ParameterFile.Content
  ) {
    var first = start
    for end in start...line.tokens.count where end == line.tokens.count || line.tokens[end].isMark(";") {
      // Only brackets hold other statements' marks, and `;` is in none.
      let range = first..<end
      first = end + 1
      guard let (name, at, value) = assignment(line.tokens[range], onlySelf: onlySelf) else { continue }
      let key = ParameterFile.Key(key: path.isEmpty ? name : "\(path).\(name)", line: line.line, column: line.columns[at])
      names.set(name, value.value)
      content.keys.append(key)
      for inner in value.keys {
        content.keys.append(ParameterFile.Key(key: "\(key.key).\(inner)", line: key.line, column: key.column))
      }
      if let kind = value.foreign { content.foreign.append(ParameterFile.Foreign(place: key, kind: kind)) }
    }
  }

  private func assignment(
    _ tokens: ArraySlice<PythonToken>, onlySelf: Bool
  ) -> (name: String, at: Int, value: PythonLiteral)? {
    var tokens = tokens
    var isNamed = false
    var target: (name: String, at: Int)?
    let isWrapped = tokens.first?.isMark("(") == true
    if isWrapped { tokens.removeFirst() }
    guard case .name(let name)? = tokens.popFirst() else { return nil }
    if tokens.first?.isMark(".") == true {
      tokens.removeFirst()
      let at = tokens.startIndex
      guard name == "self", case .name(let attribute)? = tokens.popFirst() else { return nil }
      target = (attribute, at)
    } else if !onlySelf {
      target = (name, tokens.startIndex - 1)
    }
    if isWrapped {
      guard tokens.popFirst()?.isMark(")") == true else { return nil }
    }
    if tokens.first?.isMark(":") == true { isNamed = true }
    guard let equals = Self.equals(tokens), equals == tokens.startIndex || (isNamed && equals > tokens.startIndex + 1), let target
    else { return nil }
    var parser = PythonLiteralReader(tokens[(equals + 1)...])
    guard let value = parser.whole() else { return nil }
    return (target.name, target.at, value)
  }

  /// The `=` of an assignment outside brackets, and no part of `==`.
  private static func equals(_ tokens: ArraySlice<PythonToken>) -> Int? {
    var open = 0
    for index in tokens.indices {
      switch tokens[index] {
      case .mark(UInt8(ascii: "(")), .mark(UInt8(ascii: "[")), .mark(UInt8(ascii: "{")): open += 1
      case .mark(UInt8(ascii: ")")), .mark(UInt8(ascii: "]")), .mark(UInt8(ascii: "}")): open -= 1
      case .mark(UInt8(ascii: "=")) where open == 0: return index
      default: break
      }
    }
    return nil
  }
}

// MARK: Literals

private struct PythonLiteral {
  var value: ParameterValue
  /// Dotted keys of the mappings in it.
  var keys: [String] = []
  /// A type in it that is none of ours.
  var foreign: String?
}

/// Reads the tokens of an expression, if it is a literal and nothing else.
private struct PythonLiteralReader {
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
    var names = PythonReader.Names()
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

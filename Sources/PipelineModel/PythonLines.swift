// Python's text to logical lines of tokens: indentation, brackets, numbers, strings and their escapes.
// SPDX-License-Identifier: Apache-2.0

struct PythonMistake: Error {
  var message: String
  var line: Int
  var column: Int
}

enum PythonToken: Equatable {
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

  /// By how much brackets are deeper behind it: 1, -1 or 0.
  var nesting: Int {
    switch self {
    case .mark(UInt8(ascii: "(")), .mark(UInt8(ascii: "[")), .mark(UInt8(ascii: "{")): 1
    case .mark(UInt8(ascii: ")")), .mark(UInt8(ascii: "]")), .mark(UInt8(ascii: "}")): -1
    default: 0
    }
  }
}

/// A logical line: joined over brackets and backslashes, without comments.
struct PythonLine {
  var indent: Int
  var line: Int
  var tokens: [PythonToken]
  var columns: [Int]
}

struct PythonLines {
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
    let nesting = PythonToken.mark(mark).nesting
    if nesting > 0 {
      guard open.count < 100 else { throw fail("brackets nest deeper than 100") }
      open.append((mark, mistake))
    } else if nesting < 0 {
      // In ASCII a bracket's other half is one or two further.
      guard let last = open.popLast(), mark == last.byte + (mark == UInt8(ascii: ")") ? 1 : 2) else {
        throw fail("a bracket is closed that was not opened")
      }
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

  /// What one letter behind a backslash stands for.
  private static let plainEscapes: [UInt8: String] = [
    92: "\\", 39: "'", 34: "\"", 97: "\u{7}", 98: "\u{8}", 102: "\u{C}", 110: "\n", 114: "\r", 116: "\t", 118: "\u{B}",
  ]

  /// What a backslash and its letters stand for.
  private mutating func escape(isBytes: Bool) throws(PythonMistake) -> String {
    index += 1
    guard let byte = peek else { return "" }
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
    if let text = Self.plainEscapes[byte] {
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

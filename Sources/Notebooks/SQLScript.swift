// SQL text cut at its semicolons, with the places where a parameter stands: no more grammar than that needs.
// SPDX-License-Identifier: Apache-2.0

/// Statements as DuckDB takes them: strings, quoted names, dollar quotes and comments are passed over.
struct SQLScript {
  struct Statement: Equatable {
    /// With each `:name` replaced, and without the semicolon.
    var text: String
    /// Line of its first word in the source, from 1.
    var line: Int
    /// Names behind a colon, in order.
    var placeholders: [String]

    /// Its first word in capitals; `(` where it begins with one.
    var keyword: String {
      let word = text.prefix { $0.isLetter }
      return word.isEmpty ? String(text.prefix(1)) : word.uppercased()
    }
  }

  private(set) var statements: [Statement] = []
  /// What opens a string, a quoted name or a comment that never ends, and its line in the source, from 1.
  private(set) var unclosed: (mark: String, line: Int)?
  private let characters: [UInt8]
  private let replacement: (String) -> String
  private var position = 0
  private var line = 1
  private var text: [UInt8] = []
  private var startLine = 1
  private var placeholders: [String] = []

  /// - Parameter replacement: what stands for `:name`.
  init(_ source: String, replacement: @escaping (String) -> String) {
    characters = Array(source.utf8)
    self.replacement = replacement
    while position < characters.count { step() }
    endStatement()
  }

  private mutating func step() {
    let byte = characters[position]
    switch byte {
    case UInt8(ascii: "'"): quoted(byte, escapes: isEscapeString)
    case UInt8(ascii: "\""): quoted(byte, escapes: false)
    case UInt8(ascii: "-") where starts("--"): skip(until: characters[position...].firstIndex(of: 0x0A) ?? characters.count)
    case UInt8(ascii: "/") where starts("/*"): skip(until: endOfComment())
    case UInt8(ascii: "$"): dollar()
    case UInt8(ascii: ";"):
      endStatement()
      position += 1
    case UInt8(ascii: ":"): colon()
    default: take(1)
    }
  }

  /// Keeps bytes as they are; blanks before the first word are no part of a statement.
  private mutating func take(_ count: Int) {
    for byte in characters[position..<min(characters.count, position + count)] {
      let isBlank = [0x20, 0x09, 0x0A, 0x0D].contains(byte)
      if text.isEmpty, !isBlank { startLine = line }
      if !(text.isEmpty && isBlank) { text.append(byte) }
      if byte == 0x0A { line += 1 }
    }
    position += count
  }

  private mutating func endStatement() {
    defer { (text, placeholders) = ([], []) }
    guard !text.isEmpty else { return }
    statements.append(Statement(text: String(decoding: text, as: UTF8.self), line: startLine, placeholders: placeholders))
  }

  private func starts(_ mark: String) -> Bool { characters[position...].starts(with: mark.utf8) }

  /// `E'…'` knows backslashes.
  private var isEscapeString: Bool {
    guard let last = text.last, last | 0x20 == UInt8(ascii: "e") else { return false }
    return text.count < 2 || !Self.isWord(text[text.count - 2])
  }

  private mutating func quoted(_ mark: UInt8, escapes: Bool) {
    var end = position + 1
    while end < characters.count, characters[end] != mark {
      if escapes, characters[end] == UInt8(ascii: "\\") { end += 1 }
      end += 1
    }
    if end >= characters.count { unclosed = (String(UnicodeScalar(mark)), line) }
    take(end + 1 - position)
  }

  /// Behind the comment that begins here. One may hold others.
  private mutating func endOfComment() -> Int {
    var depth = 0
    var end = position
    while end < characters.count {
      if characters[end...].starts(with: "/*".utf8) {
        (depth, end) = (depth + 1, end + 2)
      } else if characters[end...].starts(with: "*/".utf8) {
        (depth, end) = (depth - 1, end + 2)
        if depth == 0 { return end }
      } else {
        end += 1
      }
    }
    unclosed = ("/*", line)
    return end
  }

  /// A comment counts as a blank, and its lines count.
  private mutating func skip(until end: Int) {
    let lines = characters[position..<end].count { $0 == 0x0A }
    if !text.isEmpty { text += [0x20] + Array(repeating: 0x0A, count: lines) }
    line += lines
    position = end
  }

  /// `$$ … $$` and `$name$ … $name$`.
  private mutating func dollar() {
    var end = position + 1
    while end < characters.count, Self.isWord(characters[end]) { end += 1 }
    guard end < characters.count, characters[end] == UInt8(ascii: "$") else { return take(1) }
    let mark = characters[position...end]
    var close = end + 1
    while close < characters.count, !characters[close...].starts(with: mark) { close += 1 }
    if close >= characters.count { unclosed = (String(decoding: mark, as: UTF8.self), line) }
    take(close + mark.count - position)
  }

  /// `:name`, but neither a cast `::name` nor the end of a slice `[a:name]`.
  private mutating func colon() {
    let before = position > 0 ? characters[position - 1] : 0x20
    var end = position + 1
    while end < characters.count, Self.isWord(characters[end]) { end += 1 }
    let follows = Self.isWord(before) || [":", "]", ")", "'", "\""].contains { UInt8(ascii: $0) == before }
    guard end > position + 1, !follows, !(0x30...0x39).contains(characters[position + 1]) else { return take(1) }
    let name = String(decoding: characters[(position + 1)..<end], as: UTF8.self)
    if text.isEmpty { startLine = line }
    placeholders.append(name)
    text += replacement(name).utf8
    position = end
  }

  /// Whether a byte may stand in a name.
  static func isWord(_ byte: UInt8) -> Bool {
    byte == 0x5F || byte >= 0x80 || (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20)
  }
}

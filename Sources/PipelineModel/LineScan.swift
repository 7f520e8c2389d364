// Lines of a YAML text that a program wrote: known words at known indents, with plain values behind them.
// SPDX-License-Identifier: Apache-2.0

/// Reads line by line. What it takes is what a YAML reader would find; what is not sure to be is not taken.
struct LineScan {
  private let bytes: UnsafeBufferPointer<UInt8>
  /// Where the next line begins.
  var position = 0

  /// Lends the lines of a text.
  static func read<Result>(_ text: String, _ body: (LineScan) -> Result) -> Result {
    var text = text
    return text.withUTF8 { body(LineScan(bytes: $0)) }
  }

  private init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  /// A part of a line.
  struct Span {
    var start: Int
    var end: Int
  }

  var isAtEnd: Bool { position >= bytes.count }

  /// The next line without its end.
  mutating func line() -> Span? {
    guard position < bytes.count else { return nil }
    let start = position
    var end = start
    while end < bytes.count, bytes[end] != 10 { end += 1 }
    position = min(end + 1, bytes.count)
    return Span(start: start, end: end)
  }

  /// Whether the next line begins with these words.
  func begins(_ words: StaticString) -> Bool {
    let count = words.utf8CodeUnitCount
    guard bytes.count - position >= count else { return false }
    for index in 0..<count where bytes[position + index] != words.utf8Start[index] { return false }
    return true
  }

  /// Takes the next line if it is these words.
  mutating func take(_ words: StaticString) -> Bool {
    guard begins(words) else { return false }
    let end = position + words.utf8CodeUnitCount
    guard end == bytes.count || bytes[end] == 10 else { return false }
    position = min(end + 1, bytes.count)
    return true
  }

  /// Takes the next line if it begins with these words, and gives what stands behind them.
  mutating func take(value words: StaticString) -> Span? {
    guard begins(words), let line = line() else { return nil }
    return Span(start: line.start + words.utf8CodeUnitCount, end: line.end)
  }

  /// Takes `  name:`.
  mutating func entryName() -> String? {
    guard let value = take(value: "  "), value.end - value.start > 1, bytes[value.end - 1] == UInt8(ascii: ":") else {
      return nil
    }
    return text(Span(start: value.start, end: value.end - 1))
  }

  /// Whether another entry, or nothing, is next.
  var isBeforeEntry: Bool { isAtEnd || (begins("  ") && !begins("   ")) }

  /// Takes what stands deeper than an entry's name.
  mutating func skipBlock() {
    while begins("    ") { _ = line() }
  }

  /// Takes `    cmd: text`, folded or not, or `    cmd:` with a list below it.
  mutating func commands() -> (texts: [String], isList: Bool)? {
    if let value = take(value: "    cmd: ") { return foldedText(value).map { ([$0], false) } }
    guard take("    cmd:") else { return nil }
    var texts: [String] = []
    while let value = take(value: "    - ") {
      guard let text = foldedText(value) else { return nil }
      texts.append(text)
    }
    return texts.isEmpty ? nil : (texts, true)
  }

  /// A text that may go on in lines six columns deep: one space stands for each line's end.
  private mutating func foldedText(_ first: Span) -> String? {
    guard begins("      ") else { return text(first) }
    guard first.end > first.start, isLetter(bytes[first.start]) else { return nil }
    var words = ""
    var next: Span? = first
    while var part = next {
      while part.end > part.start, bytes[part.end - 1] == 32 { part.end -= 1 }
      guard part.end > part.start, bytes[part.start] != 32, bytes[part.start] != UInt8(ascii: "#"), isPlain(part) else {
        return nil
      }
      if !words.isEmpty { words += " " }
      words += plain(part)
      next = take(value: "      ")
    }
    return words
  }

  // MARK: Values

  /// All from a place to the next line.
  func text(from start: Int) -> String { text(start..<position) }

  func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

  func plain(_ span: Span) -> String { String(decoding: bytes[span.start..<span.end], as: UTF8.self) }

  /// Decimal digits without a leading zero.
  func number(_ span: Span) -> Int? {
    guard span.end > span.start, span.end - span.start < 18 else { return nil }
    if bytes[span.start] == UInt8(ascii: "0") { return span.end - span.start == 1 ? 0 : nil }
    var value = 0
    for index in span.start..<span.end {
      let digit = bytes[index]
      guard digit >= 48, digit < 58 else { return nil }
      value = value * 10 + Int(digit - 48)
    }
    return value
  }

  /// A scalar on one line that can only be text, plain or in single quotes; `nil` when that is not sure.
  func text(_ span: Span) -> String? {
    guard span.end > span.start, bytes[span.end - 1] != 32 else { return nil }
    let first = bytes[span.start]
    if first == UInt8(ascii: "'") { return quotedText(span) }
    let isLetter = isLetter(first)
    guard isLetter || (first >= 48 && first < 58) || first == UInt8(ascii: ".") || first == UInt8(ascii: "/"), isPlain(span)
    else {
      return nil
    }
    // Long words are neither true nor null in any of YAML's ways.
    let isLong = isLetter && span.end - span.start > 5
    guard isLong || bytes[span.start..<span.end].contains(UInt8(ascii: "/")) || isSurelyText(span, isLetter) else { return nil }
    return plain(span)
  }

  private func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20 >= 97 && byte | 0x20 <= 122) || byte == UInt8(ascii: "_") }

  /// Whether nothing in a part of a line ends a plain scalar or begins a comment.
  private func isPlain(_ span: Span) -> Bool {
    var previous: UInt8 = 0
    for index in span.start..<span.end {
      let byte = bytes[index]
      guard byte >= 32, byte < 127 else { return false }
      if byte == UInt8(ascii: "#"), previous == 32 { return false }
      if byte == 32, previous == UInt8(ascii: ":") { return false }
      previous = byte
    }
    return previous != UInt8(ascii: ":")
  }

  /// `'text'` with no quote in it.
  private func quotedText(_ span: Span) -> String? {
    guard span.end - span.start > 2, bytes[span.end - 1] == UInt8(ascii: "'") else { return nil }
    let inner = Span(start: span.start + 1, end: span.end - 1)
    for index in inner.start..<inner.end where bytes[index] < 32 || bytes[index] > 126 || bytes[index] == UInt8(ascii: "'") {
      return nil
    }
    return plain(inner)
  }

  private func isSurelyText(_ span: Span, _ isLetter: Bool) -> Bool {
    guard isLetter else { return false }
    let word = plain(span).lowercased()
    return !["true", "false", "yes", "no", "on", "off", "y", "n", "null"].contains(word)
  }
}

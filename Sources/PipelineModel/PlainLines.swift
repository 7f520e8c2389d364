// Lines of a lock file that a program wrote, taken by their bytes: what is unusual is not read.
// SPDX-License-Identifier: Apache-2.0
internal import ContentStore

/// The part that the lock files of both dialects share. Every reader here gives `nil` for what it is not sure of; YAML's
/// own reader then has the word.
struct PlainLines {
  let bytes: UnsafeBufferPointer<UInt8>
  private(set) var position = 0

  init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  /// A line without its end.
  struct Line {
    var start: Int
    var end: Int

    func dropFirst(_ count: Int) -> Line { Line(start: start + count, end: end) }
  }

  var isAtEnd: Bool { position >= bytes.count }

  mutating func next() -> Line? {
    guard position < bytes.count, let base = bytes.baseAddress else { return nil }
    let start = position
    var end = start
    while end < bytes.count, base[end] != 10 { end += 1 }
    position = min(end + 1, bytes.count)
    return Line(start: start, end: end)
  }

  /// Goes back to where a line began.
  mutating func back(to start: Int) { position = start }

  func has(_ line: Line, _ text: StaticString) -> Bool {
    line.end - line.start == text.utf8CodeUnitCount && begins(line, text)
  }

  func begins(_ line: Line, _ text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    guard line.end - line.start >= count else { return false }
    for index in 0..<count where bytes[line.start + index] != text.utf8Start[index] { return false }
    return true
  }

  // MARK: The file

  /// Reads a file that is a schema line, `stages:`, and one entry after the other.
  ///
  /// - Parameters:
  ///   - entry: reads the lines below a name.
  ///   - carefully: reads an entry that `entry` did not, from its text with its name.
  ///   - keep: gets each entry; says whether it had another of that name.
  /// - Returns: whether all of it was read.
  mutating func file<Entry>(
    schema: StaticString, entry: (inout PlainLines) -> Entry?, carefully: (String, String) -> Entry?,
    keep: (String, Entry) -> Bool
  ) -> Bool {
    guard let first = next(), has(first, schema), let second = next(), has(second, "stages:") else { return false }
    // Without an entry, `stages` is no mapping.
    guard !isAtEnd else { return false }
    while !isAtEnd {
      let start = position
      guard let name = entryName() else { return false }
      let body = position
      var found = entry(&self)
      if found == nil {
        position = body
        skipBlock()
        found = carefully(plain(Line(start: start, end: position)), name)
      }
      guard let found, keep(name, found) else { return false }
    }
    return true
  }

  /// Goes past what stands deeper than an entry's name.
  mutating func skipBlock() {
    while let line = next() {
      guard begins(line, "    ") else {
        position = line.start
        break
      }
    }
  }

  /// `  name:`
  private mutating func entryName() -> String? {
    guard let line = next(), begins(line, "  "), line.end - line.start > 3, bytes[line.end - 1] == UInt8(ascii: ":") else {
      return nil
    }
    return text(Line(start: line.start + 2, end: line.end - 1))
  }

  /// Whether here is the next entry's name, or the end.
  var isAtEntry: Bool {
    let rest = Line(start: position, end: bytes.count)
    return isAtEnd || (begins(rest, "  ") && !begins(rest, "   "))
  }

  /// `    cmd: text`, or `    cmd:` with `    - text` below.
  mutating func commands() -> (texts: [String], isList: Bool)? {
    guard let head = next(), begins(head, "    cmd:") else { return nil }
    if begins(head, "    cmd: ") { return folded(head.dropFirst(9)).map { ([$0], false) } }
    guard has(head, "    cmd:") else { return nil }
    var texts: [String] = []
    while let item = next() {
      guard begins(item, "    - ") else {
        position = item.start
        break
      }
      guard let text = folded(item.dropFirst(6)) else { return nil }
      texts.append(text)
    }
    return texts.isEmpty ? nil : (texts, true)
  }

  /// Goes past a line that is exactly this; otherwise stays.
  mutating func skip(_ text: StaticString) -> Bool {
    let start = position
    if let line = next(), has(line, text) { return true }
    position = start
    return false
  }

  /// The rest of a line that begins so; otherwise stays.
  mutating func rest(after text: StaticString) -> Line? {
    let start = position
    if let line = next(), begins(line, text) { return line.dropFirst(text.utf8CodeUnitCount) }
    position = start
    return nil
  }

  // MARK: Values

  func plain(_ line: Line) -> String { String(decoding: bytes[line.start..<line.end], as: UTF8.self) }

  func digest(_ line: Line, _ algorithm: Digest.Algorithm) -> Digest? {
    let length = algorithm.length * 2
    let isTree = line.end - line.start == length + 4 && begins(line.dropFirst(length), ".dir")
    let digits = UnsafeBufferPointer(rebasing: bytes[line.start..<(isTree ? line.end - 4 : line.end)])
    return Digest(algorithm, digits: digits, isTree: isTree)
  }

  /// Decimal digits without a leading zero.
  func number(_ line: Line) -> Int? {
    guard line.end > line.start, line.end - line.start < 18 else { return nil }
    if bytes[line.start] == UInt8(ascii: "0") { return line.end - line.start == 1 ? 0 : nil }
    var value = 0
    for index in line.start..<line.end {
      let digit = bytes[index]
      guard digit >= 48, digit < 58 else { return nil }
      value = value * 10 + Int(digit - 48)
    }
    return value
  }

  /// A scalar on one line that can only be text, plain or in single quotes; `nil` when that is not sure.
  func text(_ line: Line) -> String? { Self.text(UnsafeBufferPointer(rebasing: bytes[line.start..<line.end])) }

  /// A plain scalar that goes on, by words, on lines that stand deeper.
  private mutating func folded(_ first: Line) -> String? {
    guard continues(position) else { return text(first) }
    var joined = Array(bytes[first.start..<first.end])
    while continues(position), let line = next() {
      // Blanks at the end of a line go with the break; DVC's writer leaves one there.
      while joined.last == 32 { joined.removeLast() }
      joined.append(32)
      joined += bytes[(line.start + 6)..<line.end]
    }
    return joined.withUnsafeBufferPointer(Self.text)
  }

  /// Whether the line that begins here stands by six blanks, and no more.
  private func continues(_ start: Int) -> Bool {
    let line = Line(start: start, end: bytes.count)
    return line.end - line.start > 6 && begins(line, "      ") && bytes[start + 6] != 32 && bytes[start + 6] != 10
  }

  private static func text(_ bytes: UnsafeBufferPointer<UInt8>) -> String? {
    guard let first = bytes.first, bytes.last != 32 else { return nil }
    if first == UInt8(ascii: "'") { return quoted(bytes) }
    let isLetter = (first | 0x20 >= 97 && first | 0x20 <= 122) || first == UInt8(ascii: "_")
    guard isLetter || (first >= 48 && first < 58) || first == UInt8(ascii: ".") || first == UInt8(ascii: "/") else { return nil }
    var hasSlash = false
    var previous: UInt8 = 0
    for byte in bytes {
      guard byte >= 32, byte < 127 else { return nil }
      if byte == UInt8(ascii: "#"), previous == 32 { return nil }
      if byte == 32, previous == UInt8(ascii: ":") { return nil }
      if byte == UInt8(ascii: "/") { hasSlash = true }
      previous = byte
    }
    guard previous != UInt8(ascii: ":") else { return nil }
    let text = String(decoding: bytes, as: UTF8.self)
    // Long words are neither true nor null in any of YAML's ways.
    guard hasSlash || (isLetter && bytes.count > 5) || (isLetter && !flags.contains(text.lowercased())) else { return nil }
    return text
  }

  /// `'text'` with no quote in it.
  private static func quoted(_ bytes: UnsafeBufferPointer<UInt8>) -> String? {
    guard bytes.count > 2, bytes.last == UInt8(ascii: "'") else { return nil }
    let inner = bytes[1..<(bytes.count - 1)]
    guard inner.allSatisfy({ $0 >= 32 && $0 < 127 && $0 != UInt8(ascii: "'") }) else { return nil }
    return String(decoding: inner, as: UTF8.self)
  }

  private static let flags: Set<String> = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"]
}

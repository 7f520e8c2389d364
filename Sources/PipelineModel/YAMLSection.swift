// A top-level mapping of a YAML text with the lines of each of its entries, so that one can change and all else stays.
// SPDX-License-Identifier: Apache-2.0
internal import Diagnostics

/// `stages:` with its entries, each with the byte range of its lines.
struct YAMLSection {
  struct Entry {
    var name: String
    /// From the begin of the key's line to the end of the last line that is neither blank nor a comment.
    var lines: Range<Int>
    /// Value, when it was parsed.
    var value: ParameterValue?
  }

  enum Form {
    /// One entry after the other, each on lines of its own.
    case block
    /// `{…}` or nothing: these bytes are written anew when an entry changes.
    case inline(Range<Int>)
    /// The whole text is one flow mapping with these pairs.
    case document([(String, ParameterValue)])
    case missing
  }

  private(set) var bytes: [UInt8]
  let key: String
  private(set) var entries: [Entry] = []
  private(set) var form: Form
  /// Column of the entries' keys, from 0.
  private(set) var indent = 2
  /// Where a new entry goes.
  private(set) var end: Int
  /// Whether there are top-level keys beside this one and `schema`.
  private(set) var hasOthers = false
}

// MARK: changes

extension YAMLSection {
  func lines(of name: String) -> Range<Int>? { entries.first { $0.name == name }?.lines }

  /// The text with entries replaced, added at the end, and removed; `nil` when none is left and nothing else stands there.
  func applying(replacing blocks: [(String, ParameterValue)], removing: [String] = []) -> String? {
    let removed = Set(removing)
    let known = Set(entries.map(\.name))
    var changed = Dictionary(blocks, uniquingKeysWith: { _, last in last })
    let added = blocks.filter { !known.contains($0.0) && !removed.contains($0.0) }
    for name in removed { changed[name] = nil }
    let touched = entries.filter { changed[$0.name] != nil || removed.contains($0.name) }
    if touched.isEmpty, added.isEmpty { return String(decoding: bytes, as: UTF8.self) }
    if added.isEmpty, known.isSubset(of: removed) { return hasOthers ? emptied() : nil }
    if case .block = form, !touched.contains(where: { holdsAnchor($0.lines) }) { return spliced(changed, added, removed) }
    let all = entries.compactMap { entry -> (String, ParameterValue)? in
      removed.contains(entry.name) ? nil : (entry.name, changed[entry.name] ?? entry.value ?? .null)
    }
    return rewritten(all + added)
  }

  /// Whether a value in these lines may have a name that other lines speak of.
  private func holdsAnchor(_ lines: Range<Int>) -> Bool {
    lines.dropFirst(2).contains { index in
      bytes[index] == UInt8(ascii: "&") && bytes[index - 1] == blank && ":-,[{".utf8.contains(bytes[index - 2])
        || bytes[index] == UInt8(ascii: "&") && "[{,".utf8.contains(bytes[index - 1])
    }
  }

  private func spliced(
    _ changed: [String: ParameterValue], _ added: [(String, ParameterValue)], _ removed: Set<String>
  ) -> String {
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count + 512 * (changed.count + 1))
    var position = 0
    for entry in entries {
      let value = changed[entry.name]
      guard value != nil || removed.contains(entry.name) else { continue }
      out += bytes[position..<entry.lines.lowerBound]
      if let value { out += RoundTripYAML.lines([(entry.name, value)], indent: indent).utf8 }
      position = entry.lines.upperBound
    }
    out += bytes[position..<max(end, position)]
    if !added.isEmpty {
      if let last = out.last, last != newline { out.append(newline) }
      out += RoundTripYAML.lines(added, indent: indent).utf8
    }
    out += bytes[max(end, position)...]
    return String(decoding: out, as: UTF8.self)
  }

  private func rewritten(_ all: [(String, ParameterValue)]) -> String {
    let text = RoundTripYAML.lines([(key, .mapping(all))], indent: 0)
    switch form {
    case .document(let pairs):
      let others = pairs.filter { $0.0 != key }
      return RoundTripYAML.text(.mapping(others + [(key, .mapping(all))]))
    case .missing:
      let gap = bytes.last == newline || bytes.isEmpty ? "" : "\n"
      return String(decoding: bytes[..<end], as: UTF8.self) + gap + text + String(decoding: bytes[end...], as: UTF8.self)
    case .inline(let range):
      return String(decoding: bytes[..<range.lowerBound], as: UTF8.self) + text
        + String(decoding: bytes[range.upperBound...], as: UTF8.self)
    case .block:
      guard let first = entries.first, let last = entries.last else { return String(decoding: bytes, as: UTF8.self) }
      return String(decoding: bytes[..<first.lines.lowerBound], as: UTF8.self) + RoundTripYAML.lines(all, indent: indent)
        + String(decoding: bytes[last.lines.upperBound...], as: UTF8.self)
    }
  }

  /// The text with `key: {}`.
  private func emptied() -> String {
    var copy = self
    if case .block = form, let first = entries.first, let last = entries.last {
      let head = bytes[..<first.lines.lowerBound]
      let keyLine = Array("\n\(key):".utf8)
      var start = head.count
      while start > 0, !(start == head.count || head[start - 1] == newline) || !bytes[start...].starts(with: keyLine.dropFirst())
      {
        start -= 1
      }
      copy.form = .inline(start..<last.lines.upperBound)
    }
    return copy.rewritten([])
  }
}

private let newline = UInt8(ascii: "\n")
private let blank = UInt8(ascii: " ")
private let comment = UInt8(ascii: "#")

// MARK: quick

extension YAMLSection {
  /// Finds the entries of a text as DVC writes it, with or without comments, in one pass; `nil` when anything else is met.
  init?(scanning text: String, key: String) {
    self.init(bytes: Array(text.utf8), key: key, form: .missing, end: 0)
    let found = bytes.withUnsafeBufferPointer { buffer -> Scan? in
      var scan = Scan(bytes: buffer, key: Array(key.utf8))
      return scan.run() ? scan : nil
    }
    guard let found, !found.spans.isEmpty else { return nil }
    indent = found.indent
    end = found.end
    hasOthers = found.hasOthers
    form = .block
    entries.reserveCapacity(found.spans.count)
    var names = Set<String>(minimumCapacity: found.spans.count)
    for (index, span) in found.spans.enumerated() {
      guard let name = Self.keyText(bytes[span.key]), names.insert(name).inserted else { return nil }
      let limit = index + 1 < found.spans.count ? found.spans[index + 1].start : end
      guard span.start < limit else { return nil }
      entries.append(Entry(name: name, lines: span.start..<span.end, value: nil))
    }
  }

  /// A key as it stands, plain or in single quotes; `nil` when it would be another kind than text, or is in need of more.
  private static func keyText(_ bytes: ArraySlice<UInt8>) -> String? {
    let text = String(decoding: bytes, as: UTF8.self)
    guard bytes.first == UInt8(ascii: "'") else { return bytes.first == UInt8(ascii: "\"") ? nil : text }
    return bytes.dropFirst().dropLast().contains(UInt8(ascii: "'")) ? nil : String(text.dropFirst().dropLast())
  }

  /// The state of the pass.
  private struct Scan {
    let bytes: UnsafeBufferPointer<UInt8>
    let key: [UInt8]
    var spans: [(start: Int, key: Range<Int>, end: Int)] = []
    var indent = 0
    var end = 0
    var hasOthers = false
    private var isInside = false
    /// Column of the key or dash whose plain value may go on in the next line.
    private var plainColumn: Int?
    private var position = 0

    init(bytes: UnsafeBufferPointer<UInt8>, key: [UInt8]) {
      self.bytes = bytes
      self.key = key
    }

    /// Line ends that are not `\n` are left to the parser.
    private var hasOtherLineEnds: Bool {
      for index in 0..<bytes.count {
        let byte = bytes[index]
        guard byte == 13 || byte >= 0xC2 else { continue }
        let next = index + 1 < bytes.count ? bytes[index + 1] : 0
        if byte == 13 || (byte == 0xC2 && next == 0x85) { return true }
        if byte == 0xE2, next == 0x80, index + 2 < bytes.count, bytes[index + 2] | 1 == 0xA9 { return true }
      }
      return false
    }

    mutating func run() -> Bool {
      guard !hasOtherLineEnds else { return false }
      while position < bytes.count {
        let start = position
        while position < bytes.count, bytes[position] == blank { position += 1 }
        guard position < bytes.count else { break }
        let column = position - start
        let first = bytes[position]
        if first == newline {
          position += 1
        } else if first == comment {
          plainColumn = nil
          skipLine()
        } else if let plain = plainColumn, column > plain {
          skipLine()
          extend()
        } else {
          guard line(start: start, column: column) else { return false }
          if isInside, end > 0 { return true }
        }
      }
      end = bytes.count
      return isInside
    }

    private mutating func skipLine() {
      while position < bytes.count, bytes[position] != newline { position += 1 }
      if position < bytes.count { position += 1 }
    }

    private mutating func extend() {
      if !spans.isEmpty { spans[spans.count - 1].end = position }
    }

    private mutating func line(start: Int, column: Int) -> Bool {
      plainColumn = nil
      if column == 0, bytes[position] != UInt8(ascii: "-") {
        if isInside {
          end = start
          hasOthers = true
          return bytes[start] != UInt8(ascii: ".")
        }
        let name = position
        guard content(column: column) else { return false }
        let isKey = matches(key, at: name)
        if isKey { isInside = plainColumn == nil && isBare(name + key.count) }
        if !isKey, !matches(Array("schema".utf8), at: name) { hasOthers = true }
        return isKey == isInside
      }
      guard isInside else { return content(column: column) }
      if column == 0 { return false }
      if spans.isEmpty { indent = column }
      if column > indent {
        guard content(column: column) else { return false }
      } else {
        guard column == indent, let name = entryKey() else { return false }
        spans.append((start, name, position))
      }
      extend()
      return true
    }

    private func matches(_ name: [UInt8], at place: Int) -> Bool {
      guard place + name.count < bytes.count, bytes[place + name.count] == UInt8(ascii: ":") else { return false }
      for (offset, byte) in name.enumerated() where bytes[place + offset] != byte { return false }
      return true
    }

    /// Whether nothing but a comment follows the colon at a place.
    private func isBare(_ colon: Int) -> Bool {
      var place = colon + 1
      while place < bytes.count, bytes[place] == blank { place += 1 }
      return place >= bytes.count || bytes[place] == newline || (bytes[place] == comment && place > colon + 1)
    }

    /// Reads `name:` with nothing behind it, to the line's end.
    private mutating func entryKey() -> Range<Int>? {
      let start = position
      guard let end = keyEnd(), isBare(end) else { return nil }
      skipLine()
      return start..<end
    }

    /// The place of the colon that ends the key here; `nil` when the line begins with none.
    private func keyEnd() -> Int? {
      var place = position
      let first = bytes[place]
      if first == UInt8(ascii: "'") || first == UInt8(ascii: "\"") {
        guard let close = closing(first, from: place + 1) else { return nil }
        place = close + 1
        guard place < bytes.count, bytes[place] == UInt8(ascii: ":") else { return nil }
        return isAfterKey(place) ? place : nil
      }
      guard Self.mayBeginPlain(first) else { return nil }
      while place < bytes.count, bytes[place] != newline {
        // Blanks before the colon are none of the key's: YAML's own reader takes them off.
        if bytes[place] == UInt8(ascii: ":"), isAfterKey(place) { return [blank, 9].contains(bytes[place - 1]) ? nil : place }
        if bytes[place] == comment, bytes[place - 1] == blank { return nil }
        place += 1
      }
      return nil
    }

    private func isAfterKey(_ colon: Int) -> Bool {
      colon + 1 >= bytes.count || bytes[colon + 1] == blank || bytes[colon + 1] == newline
    }

    private static func mayBeginPlain(_ byte: UInt8) -> Bool {
      switch byte {
      case 9, 13, 33, 37, 38, 42, 44, 62, 63, 64, 91, 93, 96, 123...125: false  // ! % & * , > ? @ [ ] ` { | }
      default: true
      }
    }

    /// The place of the quote that ends a text, on this line or a later one.
    private func closing(_ quote: UInt8, from start: Int) -> Int? {
      var place = start
      while place < bytes.count {
        let byte = bytes[place]
        if byte == quote {
          guard quote == UInt8(ascii: "'"), place + 1 < bytes.count, bytes[place + 1] == quote else { return place }
          place += 1
        } else if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
          place += 1
        }
        place += 1
      }
      return nil
    }

    /// Reads a line within an entry, and the further lines of a quoted text that begins in it.
    private mutating func content(column: Int) -> Bool {
      var column = column
      while bytes[position] == UInt8(ascii: "-"), isAfterKey(position) {
        plainColumn = column
        position += 1
        while position < bytes.count, bytes[position] == blank {
          position += 1
          column += 1
        }
        column += 1
        guard position < bytes.count, bytes[position] != newline else {
          plainColumn = nil
          skipLine()
          return true
        }
      }
      if let colon = keyEnd() {
        plainColumn = column
        position = colon + 1
        while position < bytes.count, bytes[position] == blank { position += 1 }
      }
      return value()
    }

    private mutating func value() -> Bool {
      guard position < bytes.count else {
        plainColumn = nil
        return true
      }
      let first = bytes[position]
      switch first {
      case newline:
        plainColumn = nil
      case comment:
        plainColumn = nil
      case UInt8(ascii: "'"), UInt8(ascii: "\""):
        guard let close = closing(first, from: position + 1) else { return false }
        position = close + 1
        plainColumn = nil
        guard endsLine() else { return false }
      case UInt8(ascii: "["), UInt8(ascii: "{"):
        guard position + 1 < bytes.count, bytes[position + 1] == first + 2 else { return false }
        position += 2
        plainColumn = nil
        guard endsLine() else { return false }
      default:
        guard Self.mayBeginPlain(first), plainColumn != nil else { return false }
      }
      skipLine()
      return true
    }

    private func endsLine() -> Bool {
      var place = position
      while place < bytes.count, bytes[place] == blank { place += 1 }
      return place >= bytes.count || bytes[place] == newline || bytes[place] == comment
    }
  }
}

// MARK: careful

extension YAMLSection {
  /// Finds the entries by the marks of the parsed text; `nil` when it is no YAML, or the key's value is no mapping.
  init?(parsing text: String, key: String) {
    let (tree, mistakes) = YAMLReader.read(text, file: "")
    guard !mistakes.hasErrors, tree == nil || tree?.value == .null || tree?.pairs != nil else { return nil }
    let bytes = Array(text.utf8)
    self.init(bytes: bytes, key: key, form: .missing, end: bytes.count)
    guard let pairs = tree?.pairs else { return }
    hasOthers = pairs.contains { $0.key.text != key && $0.key.text != "schema" }
    let starts = YAMLLines.starts(of: bytes)
    if pairs.contains(where: { $0.key.mark.column != 1 }) {
      form = .document(pairs.map { ($0.key.text, $0.value.dvcValue) })
    }
    end = YAMLLines.documentEnd(bytes, starts)
    guard let place = pairs.firstIndex(where: { $0.key.text == key }) else { return }
    let value = pairs[place].value
    guard value.value == .null || value.pairs != nil else { return nil }
    if place + 1 < pairs.count { end = starts[pairs[place + 1].key.mark.line - 1] }
    let inner = value.pairs ?? []
    if case .document = form {
      entries = inner.map { Entry(name: $0.key.text, lines: 0..<0, value: $0.value.dvcValue) }
      return
    }
    fill(inner, keyLine: pairs[place].key.mark.line, starts)
  }

  /// Where an entry begins: at its key or, for a long one, at the `?` before it.
  private func entryMark(_ key: YAMLMark, _ starts: [Int]) -> YAMLMark {
    let before = bytes[starts[key.line - 1]...].prefix(key.column - 1)
    guard let sign = before.firstIndex(where: { $0 != blank }), bytes[sign] == UInt8(ascii: "?") else { return key }
    return YAMLMark(line: key.line, column: sign - before.startIndex + 1)
  }

  private mutating func fill(_ inner: [(key: YAMLKey, value: YAMLNode)], keyLine: Int, _ starts: [Int]) {
    let marks = inner.map { entryMark($0.key.mark, starts) }
    let column = marks.first?.column ?? 1
    let isBlock =
      column > 1 && zip(marks, marks.dropFirst()).allSatisfy { $0.line < $1.line }
      && marks.allSatisfy { mark in
        let start = starts[mark.line - 1]
        return mark.column == column && mark.line > keyLine
          && bytes[start..<(start + column - 1)].allSatisfy { $0 == blank }
      }
    guard isBlock else {
      let start = starts[keyLine - 1]
      form = .inline(start..<YAMLLines.contentEnd(bytes, from: start, to: end))
      entries = inner.map { Entry(name: $0.key.text, lines: 0..<0, value: $0.value.dvcValue) }
      return
    }
    form = .block
    indent = column - 1
    for (index, pair) in inner.enumerated() {
      let start = starts[marks[index].line - 1]
      let limit = index + 1 < inner.count ? starts[marks[index + 1].line - 1] : end
      entries.append(
        Entry(name: pair.key.text, lines: start..<YAMLLines.contentEnd(bytes, from: start, to: limit), value: pair.value.dvcValue)
      )
    }
  }
}

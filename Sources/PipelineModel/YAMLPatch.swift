// The least change of a YAML text that makes it say something else: comments, order and layout of the rest stay.
// SPDX-License-Identifier: Apache-2.0
internal import Diagnostics

/// Changes a text so that it reads as a given value.
///
/// Keys that stay keep their place, new ones go to the end of their mapping, as DVC leaves a file that it changes. What is
/// not written in block style is written anew at the nearest key.
struct YAMLPatch {
  private let bytes: [UInt8]
  private let starts: [Int]
  private var edits: [(range: Range<Int>, text: String)] = []

  private struct NotBlock: Error {}

  /// - Parameters:
  ///   - path: keys that lead from the root to the mapping that changes.
  /// - Returns: `nil` when the text is not YAML, or there is no mapping at the path.
  static func apply(_ new: [(String, ParameterValue)], to text: String, at path: [String] = []) -> String? {
    let (tree, mistakes) = YAMLReader.read(text, file: "")
    guard !mistakes.hasErrors, let tree else { return nil }
    var patch = YAMLPatch(bytes: Array(text.utf8))
    guard let limits = patch.region(of: tree, path), let pairs = limits.node.pairs else { return nil }
    do {
      try patch.change(pairs, to: new, until: limits.end)
      return patch.result
    } catch {
      return Self.rewritten(tree, path, new)
    }
  }

  private init(bytes: [UInt8]) {
    self.bytes = bytes
    starts = YAMLLines.starts(of: bytes)
  }

  private static func rewritten(_ tree: YAMLNode, _ path: [String], _ new: [(String, ParameterValue)]) -> String {
    func replaced(_ value: ParameterValue, _ path: ArraySlice<String>) -> ParameterValue {
      guard let key = path.first else { return .mapping(new) }
      guard case .mapping(let pairs) = value else { return value }
      return .mapping(pairs.map { $0.0 == key ? ($0.0, replaced($0.1, path.dropFirst())) : $0 })
    }
    return RoundTripYAML.text(replaced(tree.value, path[...]))
  }

  private func region(of tree: YAMLNode, _ path: [String]) -> (node: YAMLNode, end: Int)? {
    var node = tree
    var end = YAMLLines.documentEnd(bytes, starts)
    for key in path {
      guard let pairs = node.pairs, let place = pairs.firstIndex(where: { $0.key.text == key }) else { return nil }
      if place + 1 < pairs.count { end = start(of: pairs[place + 1].key.mark) }
      node = pairs[place].value
    }
    return (node, end)
  }

  // MARK: finding edits

  private mutating func change(
    _ old: [(key: YAMLKey, value: YAMLNode)], to new: [(String, ParameterValue)], until end: Int
  ) throws {
    guard let column = old.first?.key.mark.column else { throw NotBlock() }
    for (index, pair) in old.enumerated() {
      let isOwn = pair.key.mark.column == column && (index == 0 || old[index - 1].key.mark.line < pair.key.mark.line)
      guard isOwn, index == 0 || begins(pair.key.mark) else { throw NotBlock() }
    }
    guard isBlockKey(old[0].key.mark) else { throw NotBlock() }
    let kept = new.filter { pair in old.contains { $0.key.text == pair.0 } }
    guard !kept.isEmpty else { throw NotBlock() }
    for (index, pair) in old.enumerated() {
      let limit = index + 1 < old.count ? lineStart(old[index + 1].key.mark) : end
      let next = index + 1 < old.count ? start(of: old[index + 1].key.mark) : nil
      if let value = new.first(where: { $0.0 == pair.key.text })?.1 {
        try change(pair, to: value, until: limit)
      } else {
        try remove(pair.key.mark, until: limit, next: next)
      }
    }
    let added = new.filter { pair in !old.contains { $0.key.text == pair.0 } }
    guard !added.isEmpty, let last = old.last else { return }
    let place = contentEnd(from: start(of: last.key.mark), to: end)
    insert(RoundTripYAML.lines(added, indent: column - 1), at: place)
  }

  private mutating func change(
    _ pair: (key: YAMLKey, value: YAMLNode), to new: ParameterValue, until end: Int
  ) throws {
    let old = pair.value.value
    if Self.isSame(old, new) { return }
    let before = edits.count
    do {
      switch (pair.value.content, new) {
      case (.mapping(let inner), .mapping(let pairs)) where !inner.isEmpty && !pairs.isEmpty:
        return try change(inner, to: pairs, until: end)
      case (.sequence(let items), .list(let values)) where items.count == values.count && !items.isEmpty:
        return try change(items, to: values, until: end)
      default: break
      }
    } catch {
      edits.removeSubrange(before...)
    }
    if replaceInline(pair, with: new) { return }
    let start = start(of: pair.key.mark)
    let text = RoundTripYAML.lines([(pair.key.text, new)], indent: pair.key.mark.column - 1)
    edits.append((start..<contentEnd(from: start, to: end), String(text.drop { $0 == " " })))
  }

  private mutating func change(_ old: [YAMLNode], to new: [ParameterValue], until end: Int) throws {
    for (index, item) in old.enumerated() where !Self.isSame(item.value, new[index]) {
      let limit = index + 1 < old.count ? lineStart(old[index + 1].mark) : end
      guard index + 1 == old.count || old[index + 1].mark.line > item.mark.line else { throw NotBlock() }
      switch (item.content, new[index]) {
      case (.mapping(let inner), .mapping(let pairs)) where !inner.isEmpty && !pairs.isEmpty:
        try change(inner, to: pairs, until: limit)
      case (.scalar, let value):
        guard let text = Self.inline(value), let range = scalarRange(item), isAfterDash(range.lowerBound) else {
          throw NotBlock()
        }
        edits.append((range, text))
      default: throw NotBlock()
      }
    }
  }

  /// Whether both are written alike: unlike `==`, which takes `1` for `1.0`.
  private static func isSame(_ a: ParameterValue, _ b: ParameterValue) -> Bool { a == b }

  /// Replaces a scalar that stands on its key's line, and leaves the comment after it.
  private mutating func replaceInline(_ pair: (key: YAMLKey, value: YAMLNode), with new: ParameterValue) -> Bool {
    guard case .scalar(let text, _) = pair.value.content, let written = Self.inline(new) else { return false }
    guard pair.value.mark.line == pair.key.mark.line, !text.isEmpty, let range = scalarRange(pair.value) else { return false }
    edits.append((range, written))
    return true
  }

  /// A scalar as it stands behind `key: `, when it takes no second line.
  private static func inline(_ value: ParameterValue) -> String? {
    switch value {
    case .list, .mapping, .null: return nil
    default: break
    }
    let line = RoundTripYAML.text(.list([value]))
    return line.utf8.count < 80 ? String(line.dropFirst(2).dropLast()) : nil
  }

  /// The bytes of a scalar on one line; `nil` when it takes more, or has a tag or an anchor.
  private func scalarRange(_ node: YAMLNode) -> Range<Int>? {
    let begin = start(of: node.mark)
    guard begin < bytes.count else { return nil }
    let lineEnd = bytes[begin...].firstIndex(of: YAMLLines.newline) ?? bytes.count
    let line = bytes[begin..<lineEnd]
    guard let first = line.first, !"&!*|>[{".utf8.contains(first), case .scalar(let text, let isPlain) = node.content else {
      return nil
    }
    if isPlain {
      let end = begin + text.utf8.count
      return end <= lineEnd && bytes[begin..<end].elementsEqual(text.utf8) ? begin..<end : nil
    }
    guard let close = line.dropFirst().firstIndex(of: first), !text.utf8.contains(first), !line[..<close].contains(92) else {
      return nil
    }
    return begin..<(close + 1)
  }

  private mutating func remove(_ mark: YAMLMark, until end: Int, next: Int?) throws {
    let start = start(of: mark)
    if begins(mark) {
      edits.append((lineStart(mark)..<contentEnd(from: start, to: end), ""))
    } else {
      guard let next, contentEnd(from: start, to: end) == end else { throw NotBlock() }
      edits.append((start..<next, ""))
    }
  }

  private mutating func insert(_ lines: String, at place: Int) {
    let gap = place > 0 && bytes[place - 1] != YAMLLines.newline ? "\n" : ""
    edits.append((place..<place, gap + lines))
  }

  // MARK: places

  private func lineStart(_ mark: YAMLMark) -> Int { starts.indices.contains(mark.line - 1) ? starts[mark.line - 1] : bytes.count }

  /// The byte of a mark: its column counts code points.
  private func start(of mark: YAMLMark) -> Int {
    var place = lineStart(mark)
    var left = mark.column - 1
    while left > 0, place < bytes.count {
      place += 1
      while place < bytes.count, bytes[place] & 0xC0 == 0x80 { place += 1 }
      left -= 1
    }
    return place
  }

  /// Whether only spaces stand before it.
  private func begins(_ mark: YAMLMark) -> Bool { bytes[lineStart(mark)..<start(of: mark)].allSatisfy { $0 == 32 } }

  /// Whether only spaces and dashes stand before it.
  private func isBlockKey(_ mark: YAMLMark) -> Bool {
    bytes[lineStart(mark)..<start(of: mark)].allSatisfy { $0 == 32 || $0 == UInt8(ascii: "-") }
  }

  private func isAfterDash(_ place: Int) -> Bool {
    let before = bytes[..<place].reversed().prefix { $0 != YAMLLines.newline }
    return before.allSatisfy { $0 == 32 || $0 == UInt8(ascii: "-") }
  }

  private func contentEnd(from start: Int, to limit: Int) -> Int { YAMLLines.contentEnd(bytes, from: start, to: limit) }

  private var result: String {
    var out: [UInt8] = []
    var position = 0
    for (range, text) in edits.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
      out += bytes[position..<max(position, range.lowerBound)]
      out += text.utf8
      position = max(position, range.upperBound)
    }
    out += bytes[position...]
    return String(decoding: out, as: UTF8.self)
  }
}

// A long manifest as two texts that can be read at once.
// SPDX-License-Identifier: Apache-2.0
internal import ContentStore
internal import Diagnostics

/// A YAML text cut in two before an entry of its long top-level mapping.
///
/// Only where the cut cannot be inside of anything: the mapping's key stands alone on its line at the margin, no line at the
/// margin follows before the cut, and the cut is before a line as deep as the mapping's first entry. A quotation or a flow
/// collection that is open there makes the first text end too early, which its reading tells; an alias whose anchor is on
/// the other side makes the second fail. Whoever reads the halves reads the whole once anything in them is amiss.
struct YAMLHalves {
  /// The mapping's key.
  static let key = "stages"

  let first: String
  /// Begins with the key's line again.
  let second: String
  /// What a line's number in the second text lacks to its number in the whole.
  let lineOffset: Int

  /// - Parameter text: of which `nil` is made when it is shorter than `minimum` bytes, or not sure to be cut well.
  init?(_ text: String, minimum: Int) {
    guard text.utf8.count >= minimum else { return nil }
    var text = text
    let cut = text.withUTF8 { Self.cut($0) }
    guard let cut else { return nil }
    let place = text.utf8.index(text.startIndex, offsetBy: cut.offset)
    first = String(text[..<place])
    second = "\(Self.key):\n" + text[place...]
    lineOffset = cut.linesBefore - 1
  }

  private static func cut(_ bytes: UnsafeBufferPointer<UInt8>) -> (offset: Int, linesBefore: Int)? {
    // What YAML takes for the end of a line besides a line feed.
    guard !bytes.contains(13), !bytes.contains(0xC2), !bytes.contains(0xE2) else { return nil }
    var lines = PlainLines(bytes)
    var count = 0
    var depth: Int?
    var isInside = false
    while let line = lines.next() {
      defer { count += 1 }
      let indentation = bytes[line.start..<line.end].prefix { $0 == 32 }.count
      let begin = line.start + indentation
      if begin == line.end || bytes[begin] == UInt8(ascii: "#") { continue }
      guard isInside else {
        isInside = lines.has(line, "stages:")
        continue
      }
      // The value that such a key lacks would be where the next entry begins.
      guard indentation > 0, bytes[begin] != UInt8(ascii: "?") else { return nil }
      let entry = depth ?? indentation
      depth = entry
      guard indentation == entry, line.start >= bytes.count / 2, isEntry(bytes[begin..<line.end]) else { continue }
      return (line.start, count)
    }
    return nil
  }

  /// `name:` in letters that mean nothing else.
  private static func isEntry(_ line: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
    line.last == UInt8(ascii: ":") && line.count > 1 && line.dropLast().allSatisfy(ManifestReader.isNameByte)
      && line.first != UInt8(ascii: "-")
  }

  /// Reads both at once.
  ///
  /// - Returns: the tree of the whole; `nil` when it has to be read as a whole.
  func read(_ parse: @escaping @Sendable (_ text: String, _ lineOffset: Int) -> YAMLNode?) -> YAMLNode? {
    let trees = Workers.map(2, piece: 1) { $0 == 0 ? parse(self.first, 0) : parse(self.second, self.lineOffset) }
    guard let first = trees[0], let second = trees[1] else { return nil }
    return Self.joined(first, second)
  }

  private static func joined(_ first: YAMLNode, _ second: YAMLNode) -> YAMLNode? {
    guard var top = first.pairs, let rest = second.pairs, rest.first?.key.text == key, top.last?.key.text == key,
      let entries = top.last?.value.pairs, let more = rest.first?.value.pairs
    else { return nil }
    // What stands twice is told with its places, by who reads the whole.
    let names = Set(entries.map(\.key.text))
    let keys = Set(top.map(\.key.text))
    guard !more.contains(where: { names.contains($0.key.text) }),
      !rest.dropFirst().contains(where: { keys.contains($0.key.text) })
    else { return nil }
    top[top.count - 1].value.content = .mapping(entries + more)
    top += rest.dropFirst()
    return YAMLNode(.mapping(top), at: first.mark)
  }
}

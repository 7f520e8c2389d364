// A page as the tags it is made of, with the line of each.
// SPDX-License-Identifier: Apache-2.0

/// The start and end tags of an HTML page, read strictly: what `pipe` writes has attributes in double quotes, or words and numbers without.
struct PageScan {
  struct Tag {
    /// Lower case.
    var name: String
    var attributes: [(name: String, value: String)]
    var isClosing: Bool
    /// From 1.
    var line: Int

    subscript(name: String) -> String? { attributes.first { $0.name == name }?.value }
    func has(class name: String) -> Bool { (self["class"] ?? "").split(separator: " ").contains { $0 == name } }
  }

  private(set) var tags: [Tag] = []
  /// Text of `style` elements, with the line where each begins.
  private(set) var styles: [(text: String, line: Int)] = []
  /// A `<` that is neither a tag, a comment nor a document type.
  private(set) var strays: [Int] = []

  private let bytes: [UInt8]
  private var position = 0
  private var line = 1

  init(_ html: String) {
    bytes = Array(html.utf8)
    while position < bytes.count {
      guard bytes[position] == UInt8(ascii: "<") else {
        advance()
        continue
      }
      if starts("<!--") {
        skip(past: "-->")
      } else if starts("<!") {
        skip(past: ">")
      } else if let tag = tag() {
        tags.append(tag)
        if tag.name == "style" || tag.name == "script", !tag.isClosing { raw(tag) }
      } else {
        strays.append(line)
        advance()
      }
    }
  }

  private mutating func advance() {
    if bytes[position] == 10 { line += 1 }
    position += 1
  }

  private func starts(_ text: String) -> Bool {
    var place = position
    for byte in text.utf8 {
      guard place < bytes.count, bytes[place] == byte else { return false }
      place += 1
    }
    return true
  }

  private mutating func skip(past text: String) {
    let first = text.utf8.first
    while position < bytes.count, bytes[position] != first || !starts(text) { advance() }
    position = min(bytes.count, position + text.utf8.count)
  }

  /// What stands in a `style` or `script` element is no HTML.
  private mutating func raw(_ tag: Tag) {
    let (start, first) = (position, line)
    let end = "</\(tag.name)"
    while position < bytes.count, bytes[position] != UInt8(ascii: "<") || !starts(end) { advance() }
    if tag.name == "style" { styles.append((String(decoding: bytes[start..<position], as: UTF8.self), first)) }
  }

  private mutating func tag() -> Tag? {
    var i = position + 1
    let isClosing = i < bytes.count && bytes[i] == UInt8(ascii: "/")
    if isClosing { i += 1 }
    let start = i
    while i < bytes.count, isName(bytes[i]) { i += 1 }
    guard i > start else { return nil }
    var tag = Tag(name: text(start..<i).lowercased(), attributes: [], isClosing: isClosing, line: line)
    while i < bytes.count {
      while i < bytes.count, isSpace(bytes[i]) || bytes[i] == UInt8(ascii: "/") { i += 1 }
      guard i < bytes.count else { return nil }
      if bytes[i] == UInt8(ascii: ">") {
        while position <= i { advance() }
        return tag
      }
      guard let attribute = attribute(at: &i) else { return nil }
      tag.attributes.append(attribute)
    }
    return nil
  }

  private func attribute(at i: inout Int) -> (name: String, value: String)? {
    let start = i
    while i < bytes.count, isName(bytes[i]) { i += 1 }
    guard i > start else { return nil }
    let name = text(start..<i).lowercased()
    guard i < bytes.count, bytes[i] == UInt8(ascii: "=") else { return (name, "") }
    i += 1
    guard i < bytes.count, bytes[i] == UInt8(ascii: "\"") else {
      let start = i
      while i < bytes.count, isName(bytes[i]) || bytes[i] == UInt8(ascii: ".") { i += 1 }
      return i > start ? (name, text(start..<i)) : nil
    }
    let value = i + 1
    guard let end = bytes[value...].firstIndex(of: UInt8(ascii: "\"")) else { return nil }
    i = end + 1
    return (name, text(value..<end))
  }

  private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
  private func isSpace(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }
  private func isName(_ byte: UInt8) -> Bool {
    (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ":")
      || byte == UInt8(ascii: "_")
  }
}

// The lines of a YAML text: where they begin, and which of them say something.
// SPDX-License-Identifier: Apache-2.0

enum YAMLLines {
  static let newline = UInt8(ascii: "\n")

  /// Where lines begin, by all the line ends that libyaml counts.
  static func starts(of bytes: [UInt8]) -> [Int] {
    var starts = [0]
    for (index, byte) in bytes.enumerated() {
      let isReturn = byte == 13 && !(index + 1 < bytes.count && bytes[index + 1] == newline)
      if byte == newline || isReturn || isRareLineEnd(bytes, index) { starts.append(index + 1) }
    }
    return starts
  }

  /// Whether the last byte of U+0085, U+2028 or U+2029 stands here.
  private static func isRareLineEnd(_ bytes: [UInt8], _ index: Int) -> Bool {
    switch bytes[index] {
    case 0x85: index > 0 && bytes[index - 1] == 0xC2
    case 0xA8, 0xA9: index > 1 && bytes[index - 1] == 0x80 && bytes[index - 2] == 0xE2
    default: false
    }
  }

  /// The begin of the line `...`, if one ends the document, else the end of the text.
  static func documentEnd(_ bytes: [UInt8], _ starts: [Int]) -> Int {
    for start in starts.dropFirst().reversed() where bytes[start...].starts(with: "...".utf8) {
      let rest = bytes[start...].dropFirst(3)
      guard rest.first.map({ $0 == newline || $0 == 32 || $0 == 13 }) ?? true else { continue }
      return start
    }
    return bytes.count
  }

  /// The end of the last line, of those from `start` up to `limit`, that is neither blank nor a comment.
  static func contentEnd(_ bytes: [UInt8], from start: Int, to limit: Int) -> Int {
    var end = limit
    while end > start {
      var lineStart = end - 1
      while lineStart > start, bytes[lineStart - 1] != newline { lineStart -= 1 }
      let first = bytes[lineStart..<end].first { $0 != 32 && $0 != 9 && $0 != 13 && $0 != newline }
      if let first, first != UInt8(ascii: "#") { return end }
      if lineStart <= start { return end }
      end = lineStart
    }
    return end
  }
}

// Text of unknown origin made fit to be shown.
// SPDX-License-Identifier: Apache-2.0

/// Escaping and trimming of what programs and people wrote.
package enum PlainText {
  /// For an element's content and for an attribute in quotes; control characters are dropped.
  package static func escaped(_ text: String) -> String { escaped(text, quotes: true) }

  /// For an element's content alone, where a quotation mark stands for itself: a fifth of the bytes of a page of JSON.
  package static func content(_ text: String) -> String { escaped(text, quotes: false) }

  private static func escaped(_ text: String, quotes: Bool) -> String {
    if text.utf8.allSatisfy(isPlain) { return text }
    var result = ""
    result.reserveCapacity(text.utf8.count + 16)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"" where quotes: result += "&quot;"
      case "'" where quotes: result += "&#39;"
      case "\n", "\t": result.unicodeScalars.append(scalar)
      default:
        if isShown(scalar) { result.unicodeScalars.append(scalar) }
      }
    }
    return result
  }

  /// Whether a byte stands for itself on a page: most texts hold no other.
  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "&"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\""), UInt8(ascii: "'"): false
    case 0x20..<0x7F: true
    default: false
    }
  }

  /// What a terminal would show in the end: escape sequences gone, `\r` overwriting its line, no control characters.
  package static func withoutTerminalCodes(_ text: String) -> String {
    var lines: [String] = []
    var line = String.UnicodeScalarView()
    var scalars = text.unicodeScalars.makeIterator()
    var pending: Unicode.Scalar?
    while let scalar = pending ?? scalars.next() {
      pending = nil
      switch scalar {
      case "\u{1B}": skipEscape(&scalars)
      case "\n":
        lines.append(String(line))
        line = .init()
      case "\r":
        pending = scalars.next()
        if pending != "\n" { line = .init() }
      case "\u{8}": if !line.isEmpty { line.removeLast() }
      default: if scalar == "\t" || isShown(scalar) { line.append(scalar) }
      }
    }
    lines.append(String(line))
    return lines.joined(separator: "\n")
  }

  /// The beginning and the end of a long text, with a line in between that says what is left out.
  package static func shortened(_ text: String, lines limit: Int = 200, lineLength: Int = 2_000) -> String {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    while lines.last?.allSatisfy({ $0 == " " || $0 == "\t" }) == true { lines.removeLast() }
    let head = limit / 2
    let tail = limit - head
    func cut(_ line: Substring) -> String {
      line.count <= lineLength ? String(line) : line.prefix(lineLength) + " … (\(NumberText.count(line.count)) characters)"
    }
    guard lines.count > limit else { return lines.map(cut).joined(separator: "\n") }
    let left = "… \(NumberText.count(lines.count - limit)) lines left out …"
    return (lines.prefix(head).map(cut) + [left] + lines.suffix(tail).map(cut)).joined(separator: "\n")
  }

  /// Lower-case ASCII letters, digits and single hyphens, for an id.
  package static func slug(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "a"..."z", "0"..."9": result.unicodeScalars.append(scalar)
      case "A"..."Z": result += String(scalar).lowercased()
      default: if !result.hasSuffix("-"), !result.isEmpty { result.append("-") }
      }
    }
    while result.hasSuffix("-") { result.removeLast() }
    return result.isEmpty ? "x" : result
  }

  /// Not a control, not an invisible switch of the writing direction (source that reads otherwise than it runs).
  private static func isShown(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7F..<0xA0: false
    case 0x202A...0x202E, 0x2066...0x2069, 0xFFFE, 0xFFFF: false
    default: true
    }
  }

  private static func skipEscape(_ scalars: inout String.UnicodeScalarView.Iterator) {
    guard let kind = scalars.next() else { return }
    switch kind {
    case "[":  // Control sequence: parameters, then one final byte.
      while let next = scalars.next(), !(0x40...0x7E).contains(next.value) {}
    case "]", "P", "_", "^":  // Command string up to BEL or ESC \.
      while let next = scalars.next(), next != "\u{7}" {
        if next == "\u{1B}" {
          _ = scalars.next()
          return
        }
      }
    default: return
    }
  }
}

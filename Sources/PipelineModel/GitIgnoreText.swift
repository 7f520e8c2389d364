// Lines of a `.gitignore` for data that the project keeps itself.
// SPDX-License-Identifier: Apache-2.0

package enum GitIgnoreText {
  /// The line for a path directly below the folder of the `.gitignore`: `/name`, with what Git takes for a pattern escaped.
  package static func line(for name: String) -> String {
    var line = "/"
    for scalar in name.unicodeScalars {
      if "\\[]!*#?".unicodeScalars.contains(scalar) { line += "\\" }
      line.unicodeScalars.append(scalar)
    }
    return line
  }

  /// The text with the name's line at its end, unless it is there.
  ///
  /// - Parameter text: `nil` when there is no file.
  package static func adding(_ name: String, to text: String?) -> String {
    adding([name], to: text ?? "")
  }

  /// The text with the names' lines at its end, in this order, without those that are there.
  package static func adding(_ names: [String], to text: String) -> String {
    var known = Set(lines(of: text).map { trimmed($0.utf8) })
    var out = text
    for name in names {
      let line = line(for: name)
      guard known.insert(trimmed(line.utf8)).inserted else { continue }
      if !out.isEmpty, out.utf8.last != newline { out += "\n" }
      out += line + "\n"
    }
    return out
  }

  /// The text without the lines of the name, escaped or as it is; `nil` when no line is left, as the file then goes.
  package static func removing(_ name: String, from text: String) -> String? {
    let unwanted = [line(for: name), "/" + name]
    let kept = lines(of: text).filter { line in !unwanted.contains { isSame(line, $0) } }
    return kept.isEmpty ? nil : kept.joined()
  }

  private static let newline = UInt8(ascii: "\n")

  /// Each with its line end.
  private static func lines(of text: String) -> [Substring] {
    var lines: [Substring] = []
    var rest = text[...]
    while !rest.isEmpty {
      let end = rest.utf8.firstIndex(of: newline).map { rest.utf8.index(after: $0) } ?? rest.endIndex
      lines.append(rest[..<end])
      rest = rest[end...]
    }
    return lines
  }

  /// Whether both are the same but for blanks around them.
  private static func isSame(_ a: some StringProtocol, _ b: some StringProtocol) -> Bool {
    trimmed(a.utf8).elementsEqual(trimmed(b.utf8))
  }

  private static func trimmed(_ bytes: some Sequence<UInt8>) -> ArraySlice<UInt8> {
    let isBlank = { (byte: UInt8) in byte == 32 || (9...13).contains(byte) }
    let all = Array(bytes)
    let start = all.drop(while: isBlank)
    return start.prefix((start.lastIndex { !isBlank($0) } ?? start.startIndex - 1) - start.startIndex + 1)
  }
}

// The first line of a fenced block in Markdown, and the line that ends it.
// SPDX-License-Identifier: Apache-2.0

struct Fence {
  var indent: Int
  /// At least three backticks or tildes.
  var marks: String
  var info: String

  init?(_ text: String) {
    let line = text.unicodeScalars[...]
    indent = line.prefix { $0 == " " }.count
    let body = line.dropFirst(indent)
    guard indent <= 3, let mark = body.first, mark == "`" || mark == "~" else { return nil }
    let count = body.prefix { $0 == mark }.count
    guard count >= 3 else { return nil }
    marks = String(repeating: String(mark), count: count)
    info = String(body.dropFirst(count)).trimmingSpaces
    // A backtick further on makes it a code span.
    if mark == "`", info.contains("`") { return nil }
  }

  /// What a block with this fence is.
  enum Meaning: Equatable { case code, raw, markdown, shown }

  /// `{python}` runs; `python`, `{.python}` and `{{python}}` are only shown. `{=raw}` and `{=markdown}` hold cells whose
  /// text would not survive as prose.
  var meaning: Meaning {
    guard marks.hasPrefix("`") else { return .shown }
    if info == "{=raw}" { return .raw }
    if info == "{=markdown}" { return .markdown }
    let isCode =
      info.hasPrefix("{") && info.hasSuffix("}") && info.dropFirst().first.map { $0.isLetter || $0 == "}" } == true
    return isCode ? .code : .shown
  }

  private var inside: Substring { info.dropFirst().dropLast() }
  var language: String { String(inside.prefix { !$0.isWhitespace && $0 != "," }) }
  /// What stands in the braces after the language.
  var rest: String { String(inside.dropFirst(language.count).drop { $0 == " " || $0 == "," }) }
  var restColumn: Int {
    indent + marks.count + 2 + language.count + inside.dropFirst(language.count).prefix { $0 == " " || $0 == "," }.count
  }

  func isClosed(by text: String) -> Bool {
    guard let (mark, count) = Self.closing(text) else { return false }
    return marks.unicodeScalars.first == mark && count >= marks.unicodeScalars.count
  }

  /// The fence that a line of nothing but backticks or tildes may close: its mark, and how many there are.
  private static func closing(_ text: String) -> (mark: UnicodeScalar, count: Int)? {
    let line = text.unicodeScalars[...]
    let spaces = line.prefix { $0 == " " }.count
    let body = String(line.dropFirst(spaces)).trimmingSpaces.unicodeScalars
    guard spaces <= 3, let mark = body.first, mark == "`" || mark == "~", body.allSatisfy({ $0 == mark }) else { return nil }
    return (mark, body.count)
  }

  /// The shortest row of backticks that none of these lines closes.
  static func marks(around lines: [String]) -> String {
    let longest = lines.compactMap(closing).filter { $0.mark == "`" }.map(\.count).max() ?? 0
    return String(repeating: "`", count: max(3, longest + 1))
  }
}

extension String {
  var trimmingSpaces: String {
    var scalars = unicodeScalars[...]
    while let first = scalars.first, first.properties.isWhitespace { scalars.removeFirst() }
    while let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
    return String(scalars)
  }
}

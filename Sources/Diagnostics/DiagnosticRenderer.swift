// A diagnostic as text for a terminal, or as one JSON object for a script.
// SPDX-License-Identifier: Apache-2.0

/// Lays out diagnostics: headline, the source line with a caret, causes, hints.
package struct DiagnosticRenderer: Sendable {
  package var useColor: Bool
  /// Gives the text of a file, for the line under the headline; `nil` when it cannot be read.
  package var sourceText: @Sendable (_ file: String) -> String?

  package init(useColor: Bool = false, sourceText: @escaping @Sendable (String) -> String? = { _ in nil }) {
    self.useColor = useColor
    self.sourceText = sourceText
  }

  /// The message as lines of text, ending in a newline.
  package func text(_ diagnostic: Diagnostic) -> String {
    let word = diagnostic.category == .warning ? "warning" : "error"
    let color = diagnostic.category == .warning ? "33" : "31"
    var out = ""
    if let location = diagnostic.location { out += bold("\("\(location)".harmless): ") }
    out += paint("\(word): ", color) + bold(diagnostic.message.harmless) + "\n"
    if let location = diagnostic.location, let excerpt = excerpt(at: location) { out += excerpt }
    for cause in diagnostic.causes { out += indented(cause, after: "cause: ") }
    for hint in diagnostic.hints { out += paint("hint: ", "36") + hint.harmless + "\n" }
    return out
  }

  private func indented(_ text: String, after label: String) -> String {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    return lines.enumerated().map { ($0.offset == 0 ? label : "       ") + $0.element + "\n" }.joined()
  }

  private func excerpt(at location: SourceLocation) -> String? {
    guard let line = location.line, line >= 1, let text = sourceText(location.file) else { return nil }
    // By bytes: to `Character`, a carriage return with its line feed is one thing, and no line feed.
    let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    guard line <= lines.count else { return nil }
    let scalars = Substring(lines[line - 1]).unicodeScalars.prefix(160).filter { $0 != "\r" }
    let shown = String(scalars.map { $0.commandsTerminal ? "\u{FFFD}" : Character($0) })
    let number = "\(line)"
    let margin = String(repeating: " ", count: number.count)
    var out = " \(number) | \(shown.replacingTabs())\n"
    if let column = location.column, column >= 1, column <= shown.unicodeScalars.count + 1 {
      out += " \(margin) | " + String(repeating: " ", count: column - 1) + paint("^", "32") + "\n"
    }
    return out
  }

  private func paint(_ text: String, _ code: String) -> String { useColor ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text }
  private func bold(_ text: String) -> String { paint(text, "1") }
}

extension Unicode.Scalar {
  /// Whether a terminal may obey it instead of showing it, or turn the direction of what follows.
  fileprivate var commandsTerminal: Bool {
    switch value {
    case 9, 10: false
    case 0..<32, 0x7F..<0xA0, 0x202A...0x202E, 0x2066...0x2069: true
    default: false
    }
  }
}

extension String {
  /// Names come from files that anybody wrote: what commands a terminal is spelled out, and a text without end is cut.
  fileprivate var harmless: String {
    let longest = 2000
    guard utf8.count > longest || unicodeScalars.contains(where: \.commandsTerminal) else { return self }
    var out = ""
    for (index, scalar) in unicodeScalars.enumerated() {
      if index == longest { return out + "…" }
      if scalar.commandsTerminal {
        out += "\\u{\(String(scalar.value, radix: 16))}"
      } else {
        out.unicodeScalars.append(scalar)
      }
    }
    return out
  }

  /// A name as it may be shown: what commands a terminal, and a line feed, is spelled out.
  package var shownName: String {
    // Nearly every name has none of these bytes, with which all such characters begin.
    guard utf8.contains(where: { $0 < 32 || $0 == 0x7F || $0 == 0xC2 || $0 == 0xE2 }) else { return self }
    var out = ""
    for scalar in unicodeScalars {
      if scalar.commandsTerminal || scalar == "\n" {
        out += "\\u{\(String(scalar.value, radix: 16))}"
      } else {
        out.unicodeScalars.append(scalar)
      }
    }
    return out
  }

  /// Several lines that anybody wrote, as a terminal may show them: what commands it is spelled out.
  ///
  /// - Parameter longest: characters of a line that are kept.
  package func shownLines(longest: Int = 2_000) -> String {
    guard utf8.count > longest || unicodeScalars.contains(where: \.commandsTerminal) else { return self }
    return split(separator: "\n", omittingEmptySubsequences: false).map { line in
      let kept = line.unicodeScalars.prefix(longest)
      return String(kept).shownName + (kept.endIndex < line.endIndex ? "…" : "")
    }.joined(separator: "\n")
  }

  fileprivate func replacingTabs() -> String { String(map { $0 == "\t" ? " " : $0 }) }
}

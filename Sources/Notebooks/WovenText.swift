// A failing cell as a person sees it in a terminal.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics

package enum WovenText {
  private static let linesAround = 6
  private static let lastOutputLines = 30

  /// The headline, the cell with the failing line marked, why it failed, its last output, what to do.
  ///
  /// - Returns: empty when nothing failed.
  package static func terminal(_ woven: WovenNotebook, _ outcome: NotebookOutcome, useColor: Bool = false) -> String {
    guard case .failed(let index, let line, let diagnostic) = outcome, woven.cells.indices.contains(index) else { return "" }
    let cell = woven.cells[index]
    let paint = { (text: String, code: String) in useColor ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text }
    var out =
      "\(paint("\(cell.place ?? woven.file):\(line): ", "1"))\(paint("error: ", "31"))\(paint(diagnostic.message.shownLines(), "1"))\n"
    out += excerpt(of: cell, around: line, paint)
    if let reason = cell.outputs.last(where: { $0.kind == .failure })?.data["text/plain"], reason.contains("\n") {
      let shown = reason.shownLines()
      out += shown.hasSuffix("\n") ? shown : shown + "\n"
    }
    for cause in diagnostic.causes { out += "cause: \(cause.shownLines())\n" }
    out += printed(by: cell)
    for hint in diagnostic.hints { out += "\(paint("hint: ", "36"))\(hint.shownLines())\n" }
    return out
  }

  /// What the cells put out, as text: for a notebook that is run by itself.
  package static func printed(by woven: WovenNotebook) -> String {
    let outputs = woven.cells.flatMap(\.outputs).filter { $0.kind != .failure }
    return outputs.compactMap { $0.data["text/plain"] }.map { $0.hasSuffix("\n") || $0.isEmpty ? $0 : $0 + "\n" }.joined()
      .shownLines(longest: .max)
  }

  private static func excerpt(of cell: WovenCell, around line: Int, _ paint: (String, String) -> String) -> String {
    let lines = cell.source.split(separator: "\n", omittingEmptySubsequences: false)
    let last = cell.firstLine + lines.count - 1
    guard (cell.firstLine...last).contains(line) else { return "" }
    let shown = max(cell.firstLine, line - linesAround)...min(last, line + linesAround)
    let width = "\(shown.upperBound)".count
    return shown.map { number in
      let padding = String(repeating: " ", count: width - "\(number)".count)
      let text = "\(number == line ? ">" : " ") \(padding)\(number) | \(String(lines[number - cell.firstLine]).shownLines())"
      return (number == line ? paint(text, "31") : text) + "\n"
    }.joined()
  }

  private static func printed(by cell: WovenCell) -> String {
    let streams = cell.outputs.filter { $0.kind == .standardOutput || $0.kind == .standardError }
    let text = streams.compactMap { $0.data["text/plain"] }.map { $0.hasSuffix("\n") ? $0 : $0 + "\n" }.joined()
    guard !text.isEmpty else { return "" }
    let lines = text.dropLast().split(separator: "\n", omittingEmptySubsequences: false)
    let kept = lines.suffix(lastOutputLines)
    let title = kept.count < lines.count ? "the last \(kept.count) of \(lines.count) lines that it printed" : "it printed"
    return "\(title):\n" + kept.map { "  \(String($0).shownLines())\n" }.joined()
  }
}

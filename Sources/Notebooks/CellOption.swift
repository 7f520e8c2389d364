// The `#|` options that a code cell may have, and the rule for each value.
// SPDX-License-Identifier: Apache-2.0

/// An option line of a cell: `#| key: value`.
package enum CellOption: String, Sendable, CaseIterable {
  /// Names the cell in messages and in the report.
  case label
  /// Whether the report shows the code: `true` or `false`.
  case echo
  /// `true`: the cell is expected to fail, and the next one runs all the same.
  case error
  /// How long the cell may run: `500ms`, `30s`, `5m`, `1h`.
  case timeout
  case figureCaption = "fig-cap"
  case figureAlternative = "fig-alt"
  /// A declared output that takes the cell's last table or display.
  case out
  /// SQL: the declared database file that the cell works on, or `duckdb`.
  case connection

  /// What Quarto and Jupyter say in option lines and `pipe` has no use for: no reason for a warning.
  static let ofOthers: Set<String> = [
    "tags", "metadata", "attachments", "output", "warning", "message", "include", "fig-width", "fig-height", "fig-align",
    "fig-subcap", "layout-ncol", "layout", "code-fold", "code-summary", "tbl-cap", "cache", "column", "results",
  ]

  /// The options that are part of a stage's fingerprint.
  static let decidingExecution: [CellOption] = [.error, .out, .connection]

  /// What is wrong with a value, `nil` when nothing is.
  func problem(with value: String) -> String? {
    switch self {
    case .echo, .error: value == "true" || value == "false" ? nil : "is `true` or `false`"
    case .timeout: Self.duration(value) == nil ? "is a number above 0 with a unit, such as `500ms`, `30s`, `5m` or `1h`" : nil
    case .label: value.isEmpty || value.contains(where: \.isWhitespace) ? "is one word, such as `fit-model`" : nil
    case .connection: value.isEmpty ? "is a declared database file, or `duckdb`" : nil
    case .out: value.isEmpty ? "is the path of a declared output" : nil
    case .figureCaption, .figureAlternative: nil
    }
  }

  /// Why it does nothing in cells of a language; `nil` when it does something.
  func idleness(in language: String) -> String? {
    switch self {
    case .connection: language == "sql" ? nil : "it is for SQL"
    case .figureCaption, .figureAlternative:
      ["bash", "swift"].contains(language) ? "there is nothing that such a cell displays" : nil
    case .label, .echo, .error, .timeout, .out: nil
    }
  }

  /// The time that `30s` and its like stand for; `nil` when it is not such a text, or not above zero.
  static func duration(_ text: String) -> Duration? {
    let units: [(String, Double)] = [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600)]
    for (unit, seconds) in units where text.hasSuffix(unit) {
      let digits = text.dropLast(unit.count)
      guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }), let number = Double(digits)
      else { return nil }
      let total = number * seconds
      return total > 0 && total < 1e9 ? .seconds(total) : nil
    }
    return nil
  }
}

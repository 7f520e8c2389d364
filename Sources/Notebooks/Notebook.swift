// A literate stage file as a list of cells.
// SPDX-License-Identifier: Apache-2.0

/// A stage notebook: what a person typed, nothing a machine wrote.
package struct Notebook: Sendable, Equatable {
  /// The file, relative to the project.
  package var file: String
  /// `title:` of the front matter.
  package var title: String?
  package var cells: [Cell]

  package init(file: String, title: String?, cells: [Cell]) {
    self.file = file
    self.title = title
    self.cells = cells
  }
}

/// A stretch of prose or of code.
package struct Cell: Sendable, Equatable {
  package enum Kind: Sendable, Equatable {
    case prose
    /// Code in `bash`, `sql` or `python`.
    case code(language: String)
  }

  package var kind: Kind
  /// Code without its fences and option lines, or Markdown.
  package var source: String
  /// `#|` options: `label`, `fig-cap`, `error`, `timeout`, `echo`, …
  package var options: [String: String]
  /// Line of the first line of `source` in the file, from 1.
  package var firstLine: Int

  package init(kind: Kind, source: String, options: [String: String] = [:], firstLine: Int) {
    self.kind = kind
    self.source = source
    self.options = options
    self.firstLine = firstLine
  }

  package var label: String? { options["label"] }
}

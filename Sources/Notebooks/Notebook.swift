// A notebook as a list of cells that run.
// SPDX-License-Identifier: Apache-2.0

package import Diagnostics

/// A stage notebook: what a person typed, nothing a machine wrote.
package struct Notebook: Sendable, Equatable {
  /// The file, relative to the project.
  package var file: String
  /// `title:` of the front matter.
  package var title: String?
  package var cells: [Cell]
  /// What the parser noticed that stops nothing, such as an option that it does not know.
  package var warnings: [Diagnostic]

  package init(file: String, title: String?, cells: [Cell], warnings: [Diagnostic] = []) {
    self.file = file
    self.title = title
    self.cells = cells
    self.warnings = warnings
  }

  /// The languages of its cells, sorted.
  package var languages: [String] { Set(cells.compactMap(\.language)).sorted() }

  /// All that decides what the cells do, in order: what the engine hashes. Prose, captions, labels, `echo` and
  /// `timeout` are not in it, so that editing them runs nothing.
  package var fingerprintText: [String] {
    var parts = ["pipe.notebook/1"]
    for cell in cells {
      guard case .code(let language) = cell.kind else { continue }
      parts.append(language)
      parts.append(cell.source)
      // Values of the stage take the place of these.
      if cell.isParameters { parts.append(Cell.parametersTag) }
      if cell.isInjected { parts.append(Cell.injectedTag) }
      for option in CellOption.decidingExecution {
        if let value = cell.options[option.rawValue] { parts.append("\(option.rawValue)=\(value)") }
      }
    }
    return parts
  }
}

extension Notebook {
  /// For a stage that has values of its own: what papermill or an export wrote into the file is of an earlier run, and a new
  /// cell takes its place, as with papermill. Where no cell is tagged `parameters`, it is the one.
  var withoutInjectedValues: Notebook {
    var copy = self
    var parametrised: Set<String> = []
    copy.cells = cells.compactMap { cell in
      guard let language = cell.language, cell.isParameters || cell.isInjected else { return cell }
      if cell.isParameters {
        parametrised.insert(language)
        return cell
      }
      guard parametrised.insert(language).inserted else { return nil }
      var parameters = cell
      parameters.tags = cell.tags.map { $0 == Cell.injectedTag ? Cell.parametersTag : $0 }
      return parameters
    }
    return copy
  }
}

/// A stretch of prose or of code.
package struct Cell: Sendable, Equatable {
  package enum Kind: Sendable, Equatable {
    case prose
    /// Code in one of `NotebookParser.languages`.
    case code(language: String)
  }

  package var kind: Kind
  /// Code without its fences and option lines, or Markdown.
  package var source: String
  /// `#|` options: `label`, `fig-cap`, `error`, `timeout`, `echo`, …
  package var options: [String: String]
  /// Line of the first line of `source` in the file or in `place`, from 1.
  package var firstLine: Int
  /// Of a `.ipynb`, whose cells count their own lines: how messages name the cell, `stages/fit.ipynb, cell 3`.
  package var place: String?
  /// As Jupyter has them.
  package var tags: [String] = []

  package init(kind: Kind, source: String, options: [String: String] = [:], firstLine: Int, place: String? = nil) {
    self.kind = kind
    self.source = source
    self.options = options
    self.firstLine = firstLine
    self.place = place
  }

  static let parametersTag = "parameters"
  static let injectedTag = "injected-parameters"

  /// Tagged as papermill has it: parameters of the stage take the place of what it assigns.
  package var isParameters: Bool { tags.contains(Self.parametersTag) }
  /// Written by papermill, or by an export, with the values of one run.
  var isInjected: Bool { tags.contains(Self.injectedTag) }
  package var label: String? { options["label"] }

  /// `nil` for prose.
  package var language: String? {
    if case .code(let language) = kind { return language }
    return nil
  }
}

// A notebook together with what its cells put out: the cached result that the report shows.
// SPDX-License-Identifier: Apache-2.0

/// An executed notebook. Its JSON (sorted keys) is an object of the store; the same run gives the same bytes.
package struct WovenNotebook: Codable, Sendable, Equatable {
  package static let schema = "pipe.woven/1"

  package var schema: String = Self.schema
  package var file: String
  package var title: String?
  package var cells: [WovenCell]

  package init(file: String, title: String?, cells: [WovenCell]) {
    self.file = file
    self.title = title
    self.cells = cells
  }

  /// What a cell that was not run says of it.
  package var notRunSentence: String {
    let isInterrupted = cells.contains { $0.outcome == .interrupted }
    return isInterrupted ? "Not run: the notebook was interrupted before it." : "Not run: a cell before it failed."
  }
}

package struct WovenCell: Codable, Sendable, Equatable {
  package enum Outcome: String, Codable, Sendable {
    /// Prose has no outcome of its own.
    case prose
    case done
    case failed
    /// Was stopped from outside.
    case interrupted
    /// Stands after a cell that failed or was interrupted.
    case notRun
  }

  package var outcome: Outcome
  /// `nil` for prose.
  package var language: String?
  package var source: String
  package var options: [String: String]
  /// As Jupyter has them; `nil` for none.
  package var tags: [String]?
  /// Line of the first line of `source` in the notebook, or in `place`.
  package var firstLine: Int
  /// Of a `.ipynb`: how messages name the cell.
  package var place: String?
  package var outputs: [CellOutput]

  package init(
    outcome: Outcome, language: String?, source: String, options: [String: String], firstLine: Int, place: String? = nil,
    outputs: [CellOutput]
  ) {
    self.outcome = outcome
    self.language = language
    self.source = source
    self.options = options
    self.firstLine = firstLine
    self.place = place
    self.outputs = outputs
  }
}

/// One thing that a cell put out, in order.
package struct CellOutput: Codable, Sendable, Equatable {
  package enum Kind: String, Codable, Sendable {
    /// Text on standard output; `data["text/plain"]`.
    case standardOutput
    /// Text on standard error; `data["text/plain"]`.
    case standardError
    /// A displayed value: one or more MIME types of the same thing.
    case display
    /// Why the cell failed, as text without driver frames; `data["text/plain"]`.
    case failure
  }

  package var kind: Kind
  /// MIME type → text (`image/png` as base64). Tables are `application/vnd.pipe.table+json`:
  /// `{"columns": [String], "rows": [[String?]], "totalRows": Int}`.
  package var data: [String: String]

  package init(kind: Kind, data: [String: String]) {
    self.kind = kind
    self.data = data
  }
}

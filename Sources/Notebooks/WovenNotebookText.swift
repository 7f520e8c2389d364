// A woven notebook as JSON: the same value, the same bytes.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics
package import Foundation

extension WovenNotebook {
  /// Canonical JSON: sorted keys, slashes as they are, one newline at the end.
  package func canonicalJSON() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(self) + Data("\n".utf8)
  }

  /// Reads what `canonicalJSON()` wrote.
  ///
  /// - Parameter source: how a message names the bytes.
  /// - Throws: a storage diagnostic when they are not a woven notebook of this schema.
  package init(json: Data, source: String) throws(Diagnostic) {
    do {
      self = try JSONDecoder().decode(WovenNotebook.self, from: json)
    } catch {
      throw Diagnostic(
        .storage, "\(source) is not a woven notebook", causes: ["\(error)"], hints: ["run its stage again: `pipe repro --force`"])
    }
    guard schema == Self.schema else {
      throw Diagnostic(
        .storage, "\(source) has the schema `\(schema)`, this `pipe` reads `\(Self.schema)`",
        hints: ["run its stage again: `pipe repro --force`"])
    }
  }

  /// The stored outputs under the notebook as it reads now: for prose, captions and labels that changed since the run.
  ///
  /// - Returns: `nil` when the code differs from the code that ran.
  package func rewoven(as notebook: Notebook) -> WovenNotebook? {
    let tookValues = cells.contains { $0.outputs.contains { $0.data[ParameterInjection.mime] != nil } }
    return (tookValues ? nil : outputs(under: notebook)) ?? outputs(under: notebook.withoutInjectedValues)
  }

  private func outputs(under notebook: Notebook) -> WovenNotebook? {
    var ran = cells.filter { $0.outcome != .prose }[...]
    var woven = WovenNotebook(file: notebook.file, title: notebook.title, cells: [])
    for cell in notebook.cells {
      var wovenCell = WovenCell(cell, outcome: .prose)
      if let language = cell.language {
        guard let stored = ran.popFirst(), stored.language == language, stored.source == cell.source,
          CellOption.decidingExecution.allSatisfy({ stored.options[$0.rawValue] == cell.options[$0.rawValue] })
        else { return nil }
        wovenCell.outcome = stored.outcome
        wovenCell.outputs = stored.outputs
      }
      woven.cells.append(wovenCell)
    }
    return ran.isEmpty ? woven : nil
  }
}

extension WovenCell {
  init(_ cell: Cell, outcome: Outcome, outputs: [CellOutput] = []) {
    self.init(
      outcome: outcome, language: cell.language, source: cell.source, options: cell.options, firstLine: cell.firstLine,
      place: cell.place, outputs: outputs)
    tags = cell.tags.isEmpty ? nil : cell.tags
  }
}

// Which parameters the text of cells names.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Foundation

enum ParameterScan {
  /// A bash cell that uses `$PIPE_PARAM_…` of a parameter that the stage does not declare.
  static func undeclared(in cell: Cell, context: StageNotebookContext) -> CellFailure? {
    guard cell.language == "bash" else { return nil }
    let known = context.params.keys.map(ParameterBindings.name)
    for (offset, line) in cell.source.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      guard line.first(where: { !$0.isWhitespace }) != "#" else { continue }
      // `${PIPE_PARAM_x:-5}` says itself what holds without it.
      for match in line.matches(of: #/\$\{?PIPE_PARAM_([A-Za-z0-9_]+)(:?[-+])?/#) where match.output.2 == nil {
        let name = String(match.output.1)
        if known.contains(name) { continue }
        let message = "parameter `PIPE_PARAM_\(name)` is not declared by stage `\(context.stage)`"
        let near = closestMatch(to: name, among: known.sorted()).map { "did you mean `PIPE_PARAM_\($0)`?" }
        return CellFailure(
          line: cell.firstLine + offset, message: message, isInput: true, text: message,
          hints: [near ?? "declare it under `params` of the stage in pipeline.yaml"])
      }
    }
    return nil
  }

  /// Declared parameters that no cell reads, as far as can be seen: what was read while running, and names in the text.
  static func unread(in notebook: Notebook, context: StageNotebookContext, read: Set<String>) -> [String] {
    let code = notebook.cells.filter { $0.language != nil }.map(\.source).joined(separator: "\n")
    // These read the whole context.
    if code.contains("PIPE_CONTEXT") || code.contains("pipe kit") || code.contains("pipe-kit") { return [] }
    let named = Set(code.matches(of: #/PIPE_PARAM_([A-Za-z0-9_]+)/#).map { String($0.output.1) })
    // R reads by position and by name alike, so its text is searched.
    let r = notebook.cells.filter { $0.language == "r" }.map(\.source).joined(separator: "\n")
    let readByR = context.params.keys.filter { key in
      r.contains("params$\(key.replacing(".", with: "$"))") || r.contains("\"\(key)\"")
    }
    let read = read.union(readByR)
    return context.params.keys.filter { !read.contains($0) && !named.contains(ParameterBindings.name($0)) }.sorted()
  }
}

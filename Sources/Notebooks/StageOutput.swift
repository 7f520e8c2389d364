// The option `out`: which declared output takes a cell's result.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Foundation
import Tabular

enum StageOutput {
  /// What is wrong with the `out` of a cell, `nil` when it names a declared output or a file inside one.
  static func problem(with cell: Cell, context: StageNotebookContext) -> CellFailure? {
    guard let value = cell.options[CellOption.out.rawValue] else { return nil }
    var message: String?
    var hint = "declare it under `outs` of the stage in pipeline.yaml"
    if cell.language == "bash" || cell.language == "swift" {
      message = "`out` is for SQL, Python and R cells"
      hint = "write the file in the cell, for example with `> \(value)`"
    } else if !isDeclared(value, context) {
      message = "`out: \(value)` is not an output of stage `\(context.stage)`"
      let known = context.outs.keys.sorted() + context.outs.values.sorted()
      if let near = closestMatch(to: value, among: known) { hint = "did you mean `\(near)`?" }
    } else if cell.language == "sql", !(context.outs[value] ?? value).hasSuffix(".csv") {
      message = "`out: \(value)` is not a CSV file, and SQL rows become nothing else"
      hint = "name an output that ends in `.csv`"
    }
    return message.map { CellFailure(line: cell.firstLine, message: $0, isInput: true, text: $0, hints: [hint]) }
  }

  private static func isDeclared(_ value: String, _ context: StageNotebookContext) -> Bool {
    guard context.outs[value] == nil else { return true }
    if value.split(separator: "/").contains("..") { return false }
    return context.outs.values.contains { out in
      let folder = out.hasSuffix("/") ? out : out + "/"
      return value == out || value.hasPrefix(folder)
    }
  }

  /// Absolute path of an `out` value: the path of the output of that name, or the value itself.
  static func path(of value: String, in surroundings: CellSurroundings) -> String {
    surroundings.absolute(surroundings.context.outs[value] ?? value)
  }

  /// Writes the last display of a cell in the form that the file's name asks for.
  static func write(_ outputs: [CellOutput], to value: String, in surroundings: CellSurroundings) throws(Diagnostic) {
    let file = path(of: value, in: surroundings)
    let kinds = [
      "svg": "image/svg+xml", "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "html": "text/html",
      "md": "text/markdown", "json": "application/json", "txt": "text/plain",
    ]
    let ending = (file as NSString).pathExtension.lowercased()
    guard let mime = kinds[ending] else {
      throw Diagnostic(
        .input, "a display cannot be written to `\(value)`",
        hints: ["the ending is one of \(kinds.keys.sorted().map { "`.\($0)`" }.joined(separator: ", "))"])
    }
    guard let text = outputs.last(where: { $0.kind == .display && $0.data[mime] != nil })?.data[mime] else {
      throw Diagnostic(.work, "it displayed nothing that can be written to `\(value)` (\(mime))")
    }
    let isBinary = mime == "image/png" || mime == "image/jpeg"
    let bytes = isBinary ? Data(base64Encoded: text, options: .ignoreUnknownCharacters).map(Array.init) : Array(text.utf8)
    try FileBytes.write(bytes ?? [], to: file)
  }
}

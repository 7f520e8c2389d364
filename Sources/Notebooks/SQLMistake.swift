// What stops a cell of SQL, in the same words for SQLite and DuckDB.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Tabular

struct SQLMistake: Error {
  enum Place {
    /// Where the current statement begins.
    case statement
    /// In the cell's source.
    case byte(Int)
    /// Where a table is first named in the current statement.
    case mention(of: String)
    /// Of the notebook, from 1.
    case line(Int)
  }

  var message: String
  var place = Place.statement
  var isInput = false
  var isTimeout = false
  var causes: [String] = []
  var hints: [String] = []

  static let placeholderHint = "write a parameter's full path with `_` for the dots, such as `:train_lr`"

  static func undeclared(parameter name: String, _ stage: String, _ bindings: ParameterBindings) -> SQLMistake {
    let near = closestMatch(to: name, among: bindings.values.keys.sorted())
    return SQLMistake(
      message: "parameter `:\(name)` is not declared by stage `\(stage)`", isInput: true,
      hints: [near.map { "did you mean `:\($0)`?" } ?? "declare it under `params` of the stage in pipeline.yaml"])
  }

  static func missing(table name: String, _ catalog: TableCatalog) -> SQLMistake {
    SQLMistake(message: "there is no table `\(name)`", place: .mention(of: name), hints: [catalog.hint(for: name)])
  }

  static func ambiguous(table name: String, _ files: [TableCatalog.File]) -> SQLMistake {
    SQLMistake(
      message: "table `\(name)` could be any of \(files.map { "`\($0.path)`" }.joined(separator: " and "))", isInput: true,
      hints: ["give them names in pipeline.yaml, such as `deps: {\(name)_raw: \(files.first?.path ?? "")}`"])
  }

  static func unreadable(_ file: TableCatalog.File, _ error: Diagnostic) -> SQLMistake {
    let line = error.location.flatMap(\.line).map { ":\($0)" } ?? ""
    return SQLMistake(
      message: "`\(file.path)` is not a table: \(error.message)", causes: ["\(file.path)\(line): \(error.message)"],
      hints: error.hints)
  }

  static func noRows(for out: String) -> SQLMistake {
    SQLMistake(message: "it has no rows to write to `\(out)`", hints: ["end the cell with a SELECT, or take `out` away"])
  }

  func failure(line: Int) -> CellFailure {
    CellFailure(
      line: line, message: message, isInput: isInput,
      text: ([message] + causes.map { "cause: \($0)" }).joined(separator: "\n"), causes: causes, hints: hints)
  }
}

extension CSVWriter {
  /// - Parameter out: the `out` of a cell.
  func write(toOutput out: String, in surroundings: CellSurroundings) throws(SQLMistake) {
    do throws(Diagnostic) {
      try write(to: StageOutput.path(of: out, in: surroundings))
    } catch {
      throw SQLMistake(message: error.message, causes: error.causes)
    }
  }
}

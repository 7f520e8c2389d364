// A cell as a script for DuckDB's shell: what is asked, and where the answer is to be written.
// SPDX-License-Identifier: Apache-2.0
import Foundation

struct DuckDBScript {
  /// Files of the answer.
  enum Answer: String, CaseIterable { case columns, rows, count }

  let statements: [SQLScript.Statement]
  private(set) var text: String
  let folder: String
  var file: String { "\(folder)/cell.sql" }
  let outPath: String?
  /// Whether there are rows to show.
  let hasResult: Bool

  private static let showing: Set<String> = ["SELECT", "WITH", "FROM", "VALUES", "("]
  private static let describing: Set<String> = ["DESCRIBE", "DESC", "SHOW", "SUMMARIZE", "PIVOT", "UNPIVOT", "TABLE"]

  /// - Parameters:
  ///   - folder: for the script and what it writes, absolute.
  ///   - prelude: statements that come first, a line each.
  init(
    _ statements: [SQLScript.Statement], _ cell: NumberedCell, folder: String, prelude: String
  ) throws(SQLMistake) {
    self.statements = statements
    self.folder = folder
    outPath = cell.cell.options[CellOption.out.rawValue]
    let shown = statements.lastIndex { Self.showing.contains($0.keyword) || Self.describing.contains($0.keyword) }
    hasResult = shown != nil
    if let outPath, shown == nil { throw .noRows(for: outPath) }
    // One thread: sums and groups in the same order on every run. Nothing is fetched that the cell does not ask for.
    text = "SET threads = 1;\nSET autoinstall_known_extensions = false;\nSET enable_progress_bar = false;\n" + prelude
    for (index, statement) in statements.enumerated() {
      if statement.text.hasPrefix(".") {
        throw SQLMistake(
          message: "`\(statement.text.prefix { $0 != "\n" && $0 != " " })` is for DuckDB’s own shell",
          place: .line(cell.cell.firstLine + statement.line - 1), isInput: true, hints: ["a cell has statements of SQL alone"])
      }
      // Tells how far it came.
      text += ".print \(index)\n"
      text += index == shown ? Self.keeping(statement) : statement.text
      text += "\n;\n"
    }
    guard hasResult else { return }
    text += copy("SELECT column_name, column_type FROM (DESCRIBE pipe_result)", to: .columns)
    text += copy("SELECT * FROM pipe_result\(outPath == nil ? " LIMIT \(ResultTable.shownRows)" : "")", to: .rows)
    text += copy("SELECT count(*) FROM pipe_result", to: .count)
  }

  private static func keeping(_ statement: SQLScript.Statement) -> String {
    let query = showing.contains(statement.keyword) ? statement.text : "FROM (\(statement.text)\n)"
    return "CREATE OR REPLACE TEMP TABLE pipe_result AS \(query)"
  }

  /// Every value stands in quotes, and NULL is nothing at all.
  private func copy(_ query: String, to answer: Answer) -> String {
    "COPY (\(query)) TO \(Self.literal(path(of: answer))) (FORMAT csv, HEADER false, FORCE_QUOTE *, NULLSTR '', DELIMITER ',');\n"
  }

  func path(of answer: Answer) -> String { "\(folder)/\(answer).csv" }

  // MARK: Spelling

  static func literal(_ text: String) -> String { "'\(text.replacing("'", with: "''"))'" }
  static func quoted(_ name: String) -> String { "\"\(name.replacing("\"", with: "\"\""))\"" }

  static func literal(of value: SQLiteValue) -> String {
    switch value {
    case .null, .blob: "NULL"
    case .integer(let number): "\(number)::BIGINT"
    case .real(let number): "'\(number)'::DOUBLE"
    case .text(let text): literal(text)
    }
  }
}

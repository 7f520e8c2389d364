// SQL cells for DuckDB's command line: the same tables, parameters and displays as those of SQLite.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import Foundation
import Tabular

/// One process a cell, and one database file a stage, so that tables stay from cell to cell.
final class DuckDBCells: CellInterpreter {
  private let surroundings: CellSurroundings
  private let bindings: ParameterBindings
  private(set) var parametersRead: Set<String> = []

  init(_ surroundings: CellSurroundings) {
    self.surroundings = surroundings
    bindings = ParameterBindings(surroundings.context)
  }

  func finish(within limit: Duration) -> String? { nil }

  // MARK: Which cells

  /// What a `connection` means to DuckDB.
  enum Database: Equatable {
    /// The stage's own, with its CSV files as tables: `connection: duckdb`.
    case stage
    case file(String, isReadOnly: Bool)
  }

  /// `nil` for a cell that is SQLite's.
  ///
  /// A file is DuckDB's by its first bytes or, when it is to be made, by its name.
  static func database(_ connection: String, _ surroundings: CellSurroundings) -> Database? {
    let context = surroundings.context
    let output = context.outs[connection] ?? (context.outs.values.contains(connection) ? connection : nil)
    let dependency = context.deps[connection] ?? (context.deps.values.contains(connection) ? connection : nil)
    guard let path = output ?? dependency else { return connection == "duckdb" ? .stage : nil }
    let absolute = path.hasPrefix("/") ? path : "\(surroundings.folder)/\(path)"
    let begin = FileHandle(forReadingAtPath: absolute).flatMap { try? $0.read(upToCount: 12) } ?? Data()
    let isDuck =
      begin.count == 12 ? begin.dropFirst(8) == Data("DUCK".utf8) : [".duckdb", ".ddb"].contains { path.hasSuffix($0) }
    return isDuck ? .file(absolute, isReadOnly: output == nil) : nil
  }

  // MARK: Running

  /// What stops a cell before DuckDB does.
  private struct Mistake: Error {
    var message: String
    var line: Int
    var hints: [String] = []
    var causes: [String] = []
    var isInput = true
  }

  func run(_ cell: NumberedCell, deadline: ContinuousClock.Instant?) -> CellResult {
    let name = cell.cell.options[CellOption.connection.rawValue] ?? "duckdb"
    do throws(Mistake) {
      let script = SQLScript(cell.cell.source) { "getvariable('pipe_\($0)')" }
      let database = Self.database(name, surroundings) ?? .stage
      let work = try Work(script, cell, database, self)
      return run(work, cell, database, deadline)
    } catch {
      let text = ([error.message] + error.causes.map { "cause: \($0)" }).joined(separator: "\n")
      return CellResult(
        failure: CellFailure(
          line: error.line, message: error.message, isInput: error.isInput, text: text, causes: error.causes, hints: error.hints))
    }
  }

  private func run(_ work: Work, _ cell: NumberedCell, _ database: Database, _ deadline: ContinuousClock.Instant?) -> CellResult {
    let process: InterpreterProcess
    var environment = surroundings.environment
    environment["TZ"] = "UTC"
    do throws(InterpreterStartError) {
      try? AtomicFile.makeFolder(work.folder)
      try? AtomicFile.write(work.text, to: work.file)
      for name in ["columns", "rows", "count"] { try? AtomicFile.removeAll("\(work.folder)/\(name).csv") }
      // Nobody's own settings.
      try? AtomicFile.write("", to: "\(work.folder)/empty.sql")
      var arguments = ["-batch", "-bail", "-init", "\(work.folder)/empty.sql", "-f", work.file]
      switch database {
      case .stage: arguments.append("\(surroundings.workFolder)/cells.duckdb")
      case .file(let path, let isReadOnly): arguments += (isReadOnly ? ["-readonly"] : []) + [path]
      }
      process = try InterpreterProcess("duckdb", arguments, environment: environment)
    } catch {
      var failure = startFailure(error, language: "SQL for DuckDB", package: "duckdb", cell: cell)
      failure.hints = ["install DuckDB's command line, for example `pip install duckdb-cli`"]
      return CellResult(failure: failure)
    }
    while true {
      let event = process.nextEvent(deadline: deadline, interruption: surroundings.interruption)
      switch event {
      case .message: continue
      case .ended(let end) where end.manner == .exited(0): return result(of: work, cell)
      case .ended(let end) where end.manner == .exited(1):
        return CellResult(failure: failure(process.standardError.text, work, reached: process.standardOutput.text, cell))
      default:
        var recording = CellRecording(process, surroundings)
        var result = abandoned(cell, event, process, &recording, program: "DuckDB")
        result.outputs = []
        return result
      }
    }
  }

  // MARK: What it is asked

  /// A cell as a script for DuckDB's shell.
  private struct Work {
    var text = ""
    var statements: [SQLScript.Statement]
    let folder: String
    var file: String { "\(folder)/cell.sql" }
    let outPath: String?
    /// Whether there are rows to show.
    let hasResult: Bool

    private static let showing: Set<String> = ["SELECT", "WITH", "FROM", "VALUES", "("]
    private static let describing: Set<String> = ["DESCRIBE", "DESC", "SHOW", "SUMMARIZE", "PIVOT", "UNPIVOT", "TABLE"]

    init(_ script: SQLScript, _ cell: NumberedCell, _ database: Database, _ cells: DuckDBCells) throws(Mistake) {
      statements = script.statements
      folder = "\(cells.surroundings.workFolder)/duckdb"
      outPath = cell.cell.options[CellOption.out.rawValue]
      let shown = statements.lastIndex { Self.showing.contains($0.keyword) || Self.describing.contains($0.keyword) }
      hasResult = shown != nil
      if let outPath, shown == nil {
        throw Mistake(
          message: "it has no rows to write to `\(outPath)`", line: cell.cell.firstLine,
          hints: ["end the cell with a SELECT, or take `out` away"], isInput: false)
      }
      // One thread: sums and groups in the same order on every run. Nothing is fetched from a network.
      text += "SET threads = 1;\nSET autoinstall_known_extensions = false;\nSET enable_progress_bar = false;\n"
      text += try cells.variables(statements, cell)
      if database == .stage { text += try cells.views(statements, cell) }
      for (index, statement) in statements.enumerated() {
        if statement.text.hasPrefix(".") {
          throw Mistake(
            message: "`\(statement.text.prefix { $0 != "\n" && $0 != " " })` is for DuckDB’s own shell",
            line: cell.cell.firstLine + statement.line - 1, hints: ["a cell has statements of SQL alone"])
        }
        text += ".print \(index)\n"
        if index == shown {
          let isPlain = Self.showing.contains(statement.keyword)
          text += "CREATE OR REPLACE TEMP TABLE pipe_result AS \(isPlain ? statement.text : "FROM (\(statement.text)\n)")\n;\n"
        } else {
          text += statement.text + "\n;\n"
        }
      }
      guard hasResult else { return }
      let limit = outPath == nil ? " LIMIT \(ResultTable.shownRows)" : ""
      text += copy("SELECT column_name, column_type FROM (DESCRIBE pipe_result)", to: "columns")
      text += copy("SELECT * FROM pipe_result\(limit)", to: "rows")
      text += copy("SELECT count(*) FROM pipe_result", to: "count")
    }

    private func copy(_ query: String, to name: String) -> String {
      let path = DuckDBCells.literal("\(folder)/\(name).csv")
      return "COPY (\(query)) TO \(path) (FORMAT csv, HEADER false, FORCE_QUOTE *, NULLSTR '', DELIMITER ',');\n"
    }
  }

  static func literal(_ text: String) -> String { "'\(text.replacing("'", with: "''"))'" }
  private static func quoted(_ name: String) -> String { "\"\(name.replacing("\"", with: "\"\""))\"" }

  /// The parameters that the cell names, as variables: a value never becomes part of a statement's text.
  private func variables(_ statements: [SQLScript.Statement], _ cell: NumberedCell) throws(Mistake) -> String {
    var text = ""
    for statement in statements {
      for name in statement.placeholders {
        guard let bound = bindings.values[name] else {
          let near = closestMatch(to: name, among: bindings.values.keys.sorted())
          throw Mistake(
            message: "parameter `:\(name)` is not declared by stage `\(surroundings.context.stage)`",
            line: cell.cell.firstLine + statement.line - 1,
            hints: [near.map { "did you mean `:\($0)`?" } ?? "declare it under `params` of the stage in pipeline.yaml"])
        }
        parametersRead.insert(bound.declared)
        text += "SET VARIABLE pipe_\(name) = \(Self.literal(of: bound.value));\n"
      }
    }
    return text
  }

  private static func literal(of value: SQLiteValue) -> String {
    switch value {
    case .null: "NULL"
    case .integer(let number): "\(number)::BIGINT"
    case .real(let number): "'\(number)'::DOUBLE"
    case .text(let text): literal(text)
    case .blob: "NULL"
    }
  }

  /// The stage's CSV files that the cell mentions, typed as in SQLite's cells. A table that a cell made comes first.
  private func views(_ statements: [SQLScript.Statement], _ cell: NumberedCell) throws(Mistake) -> String {
    let catalog = TableCatalog(surroundings.context, folder: surroundings.folder)
    let words = Set(
      cell.cell.source.lowercased().split { !($0.isLetter || $0.isNumber || $0 == "_") }.map(String.init))
    var text = "CREATE SCHEMA IF NOT EXISTS pipe_files;\n"
    for (key, files) in catalog.files.sorted(by: { $0.key < $1.key }) where words.contains(key) {
      guard let file = files.first else { continue }
      if files.count > 1 {
        throw Mistake(
          message: "table `\(key)` could be any of \(files.map { "`\($0.path)`" }.joined(separator: " and "))",
          line: cell.cell.firstLine, hints: ["give them names in pipeline.yaml, such as `deps: {\(key)_raw: \(file.path)}`"])
      }
      text += try view(of: file, cell)
    }
    return text + "SET search_path = 'main,pipe_files';\n"
  }

  private func view(of file: TableCatalog.File, _ cell: NumberedCell) throws(Mistake) -> String {
    let absolute = file.path.hasPrefix("/") ? file.path : "\(surroundings.folder)/\(file.path)"
    do throws(Diagnostic) {
      let types = try CSVReader.table(file: absolute).columns.map { column in
        "\(Self.literal(column.name)): '\(column.duckType)'"
      }
      return
        "CREATE OR REPLACE VIEW pipe_files.\(Self.quoted(file.table)) AS SELECT * FROM read_csv(\(Self.literal(absolute)), "
        + "auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"', nullstr = '', "
        + "columns = {\(types.joined(separator: ", "))});\n"
    } catch {
      let place = error.location.flatMap(\.line).map { ":\($0)" } ?? ""
      throw Mistake(
        message: "`\(file.path)` is not a table: \(error.message)", line: cell.cell.firstLine, hints: error.hints,
        causes: ["\(file.path)\(place): \(error.message)"], isInput: false)
    }
  }

  // MARK: What it answered

  private func result(of work: Work, _ cell: NumberedCell) -> CellResult {
    guard work.hasResult else { return CellResult() }
    guard let columns = records("columns", work), let rows = records("rows", work),
      let total = records("count", work)?.first?.first?.flatMap({ Int($0) })
    else {
      let message = "DuckDB did not write its rows where it was told to"
      return CellResult(failure: CellFailure(line: cell.cell.firstLine, message: message, text: message))
    }
    let names = columns.map { $0.first.flatMap { $0 } ?? "" }
    let types = columns.map { $0.last.flatMap { $0 } ?? "" }
    var table = ResultTable(columns: names)
    var csv = CSVWriter(header: names)
    for row in rows {
      let values = zip(row, types).map(Self.value)
      table.add(values)
      if work.outPath != nil { csv.addRow(values) }
    }
    table.totalRows = total
    if let path = work.outPath {
      do throws(Diagnostic) {
        try csv.write(to: StageOutput.path(of: path, in: surroundings))
      } catch {
        return CellResult(
          failure: CellFailure(line: cell.cell.firstLine, message: error.message, text: error.message, causes: error.causes))
      }
    }
    return CellResult(outputs: [CellOutput(kind: .display, data: table.display)])
  }

  private static func value(_ text: String?, _ type: String) -> SQLiteValue {
    guard let text else { return .null }
    if type.hasSuffix("INT") || type == "INTEGER" { return Int64(text).map { .integer($0) } ?? .text(text) }
    if type == "DOUBLE" || type == "FLOAT" || type.hasPrefix("DECIMAL") { return Double(text).map { .real($0) } ?? .text(text) }
    if type == "BOOLEAN" { return .integer(text == "true" ? 1 : 0) }
    return .text(text)
  }

  /// Rows in which every value stands in quotes, and NULL is nothing at all.
  private func records(_ name: String, _ work: Work) -> [[String?]]? {
    guard let bytes = try? AtomicFile.read("\(work.folder)/\(name).csv") else { return nil }
    var rows: [[String?]] = []
    var row: [String?] = []
    var position = 0
    while position < bytes.count {
      var field: [UInt8]?
      if bytes[position] == UInt8(ascii: "\"") {
        var content: [UInt8] = []
        position += 1
        while position < bytes.count {
          if bytes[position] == UInt8(ascii: "\"") {
            guard position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: "\"") else { break }
            position += 1
          }
          content.append(bytes[position])
          position += 1
        }
        position += 1
        field = content
      }
      row.append(field.map { String(decoding: $0, as: UTF8.self) })
      if position >= bytes.count || bytes[position] == 0x0A {
        rows.append(row)
        row = []
      }
      position += 1
    }
    return rows
  }

  // MARK: Failures

  /// The message of DuckDB at the line of the notebook: `Catalog Error: …`, then `LINE 3: …`.
  private func failure(_ said: String, _ work: Work, reached: String, _ cell: NumberedCell) -> CellFailure {
    let lines = said.split(separator: "\n").map(String.init).filter { !$0.hasPrefix("-- Loading resources from") }
    let said = lines.joined(separator: "\n")
    let message = surroundings.withoutMachinePaths(lines.first ?? "DuckDB ended with exit status 1")
    var line = cell.cell.firstLine
    if let index = reached.split(separator: "\n").last.flatMap({ Int($0) }), work.statements.indices.contains(index) {
      line += work.statements[index].line - 1
    }
    let place = lines.first { $0.hasPrefix("LINE ") }.flatMap { Int($0.dropFirst(5).prefix { $0.isNumber }) }
    if let place { line += place - 1 }
    if let name = lines.first.flatMap(Self.missingTable) { return missing(name, line) }
    let hints = lines.filter { $0.hasPrefix("Did you mean") }
    return CellFailure(line: line, message: message, text: surroundings.withoutMachinePaths(said), hints: hints)
  }

  private static func missingTable(_ message: String) -> String? {
    let begin = "Catalog Error: Table with name "
    guard message.hasPrefix(begin), let end = message.range(of: " does not exist") else { return nil }
    return String(message[..<end.lowerBound].dropFirst(begin.count))
  }

  private func missing(_ name: String, _ line: Int) -> CellFailure {
    let catalog = TableCatalog(surroundings.context, folder: surroundings.folder)
    let message = "there is no table `\(name)`"
    return CellFailure(line: line, message: message, text: message, hints: [catalog.hint(for: name)])
  }
}

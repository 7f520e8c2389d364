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
  /// Columns of the CSV files that were looked through, by path.
  private var knownColumns: [String: (stamp: FileStamp?, text: String)] = [:]

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
    guard let (path, isOutput) = surroundings.context.declared(connection) else {
      return connection == "duckdb" ? .stage : nil
    }
    let absolute = surroundings.absolute(path)
    let begin = FileHandle(forReadingAtPath: absolute).flatMap { try? $0.read(upToCount: 12) } ?? Data()
    let isDuck =
      begin.count == 12 ? begin.dropFirst(8) == Data("DUCK".utf8) : [".duckdb", ".ddb"].contains { path.hasSuffix($0) }
    return isDuck ? .file(absolute, isReadOnly: !isOutput) : nil
  }

  // MARK: Running

  func run(_ cell: NumberedCell, deadline: ContinuousClock.Instant?) -> CellResult {
    let name = cell.cell.options[CellOption.connection.rawValue] ?? "duckdb"
    do throws(SQLMistake) {
      let database = Self.database(name, surroundings) ?? .stage
      let script = try script(of: cell, for: database)
      return try run(script, cell, database, deadline)
    } catch {
      let line = if case .line(let line) = error.place { line } else { cell.cell.firstLine }
      return CellResult(failure: error.failure(line: line))
    }
  }

  private func script(of cell: NumberedCell, for database: Database) throws(SQLMistake) -> DuckDBScript {
    let source = SQLScript(cell.cell.source) { "getvariable('pipe_\($0)')" }
    if let (mark, line) = source.unclosed {
      throw SQLMistake(
        message: "what `\(mark)` opens here is not closed", place: .line(cell.cell.firstLine + line - 1),
        hints: ["it ends with `\(mark == "/*" ? "*/" : mark)`"])
    }
    var prelude = try variables(source.statements, cell)
    if database == .stage { prelude += try views(cell) }
    return try DuckDBScript(source.statements, cell, folder: "\(surroundings.workFolder)/duckdb", prelude: prelude)
  }

  private func run(
    _ script: DuckDBScript, _ cell: NumberedCell, _ database: Database, _ deadline: ContinuousClock.Instant?
  ) throws(SQLMistake) -> CellResult {
    let process: InterpreterProcess
    do throws(InterpreterStartError) {
      process = try started(script, database)
    } catch {
      var failure = startFailure(error, language: "SQL for DuckDB", package: "duckdb", cell: cell)
      if case .notFound = error {
        failure.hints = ["install DuckDB's command line, for example `pip install duckdb-cli`"]
      }
      return CellResult(failure: failure)
    }
    while true {
      let event = process.nextEvent(deadline: deadline, interruption: surroundings.interruption)
      switch event {
      case .message: continue
      case .ended(let end) where end.manner == .exited(0): return try result(of: script)
      case .ended(let end) where end.manner == .exited(1):
        return CellResult(failure: failure(process.standardError.text, script, reached: process.standardOutput.text, cell))
      default:
        var recording = CellRecording(process, surroundings)
        var result = abandoned(cell, event, process, &recording, program: "DuckDB")
        result.outputs = []
        return result
      }
    }
  }

  private func started(_ script: DuckDBScript, _ database: Database) throws(InterpreterStartError) -> InterpreterProcess {
    var environment = surroundings.environment
    environment["TZ"] = "UTC"
    try? AtomicFile.makeFolder(script.folder)
    try? AtomicFile.write(script.text, to: script.file)
    for answer in DuckDBScript.Answer.allCases { try? AtomicFile.removeAll(script.path(of: answer)) }
    // Nobody's own settings.
    try? AtomicFile.write("", to: "\(script.folder)/empty.sql")
    var arguments = ["-batch", "-bail", "-init", "\(script.folder)/empty.sql", "-f", script.file]
    switch database {
    case .stage: arguments.append("\(surroundings.workFolder)/cells.duckdb")
    case .file(let path, let isReadOnly): arguments += (isReadOnly ? ["-readonly"] : []) + [path]
    }
    return try InterpreterProcess("duckdb", arguments, environment: environment)
  }

  private func result(of script: DuckDBScript) throws(SQLMistake) -> CellResult {
    guard script.hasResult else { return CellResult() }
    guard let rows = DuckDBRows(script) else { throw SQLMistake(message: "DuckDB did not write its rows where it was told to") }
    if let path = script.outPath { try rows.csv.write(toOutput: path, in: surroundings) }
    return CellResult(outputs: [CellOutput(kind: .display, data: rows.table.display)])
  }

  // MARK: What the statements see

  /// The parameters that the cell names, as variables: a value never becomes part of a statement's text.
  private func variables(_ statements: [SQLScript.Statement], _ cell: NumberedCell) throws(SQLMistake) -> String {
    var text = ""
    for statement in statements {
      for name in statement.placeholders {
        guard let bound = bindings.values[name] else {
          var mistake = SQLMistake.undeclared(parameter: name, surroundings.context.stage, bindings)
          mistake.place = .line(cell.cell.firstLine + statement.line - 1)
          throw mistake
        }
        parametersRead.insert(bound.declared)
        text += "SET VARIABLE pipe_\(name) = \(DuckDBScript.literal(of: bound.value));\n"
      }
    }
    return text
  }

  /// The stage's CSV files that the cell mentions, typed as in SQLite's cells. A table that a cell made comes first.
  private func views(_ cell: NumberedCell) throws(SQLMistake) -> String {
    let catalog = TableCatalog(surroundings.context, folder: surroundings.folder)
    let words = Set(
      cell.cell.source.lowercased().split { !($0.isLetter || $0.isNumber || $0 == "_") }.map(String.init))
    var text = "CREATE SCHEMA IF NOT EXISTS pipe_files;\n"
    for (key, files) in catalog.files.sorted(by: { $0.key < $1.key }) where words.contains(key) {
      guard let file = files.first else { continue }
      if files.count > 1 { throw .ambiguous(table: key, files) }
      let path = surroundings.absolute(file.path)
      text +=
        "CREATE OR REPLACE VIEW pipe_files.\(DuckDBScript.quoted(file.table)) AS SELECT * FROM read_csv(\(DuckDBScript.literal(path)), "
        + "auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"', nullstr = '', "
        + "columns = {\(try columns(of: file, at: path))});\n"
    }
    return text + "SET search_path = 'main,pipe_files';\n"
  }

  /// Names and types; a file is looked through once, unless it changes.
  private func columns(of file: TableCatalog.File, at path: String) throws(SQLMistake) -> String {
    let stamp = FileStamp(path, settledAt: Date())
    if let known = knownColumns[path], let stamp, known.stamp == stamp { return known.text }
    do throws(Diagnostic) {
      let text = try CSVReader.table(file: path).columns.map { "\(DuckDBScript.literal($0.name)): '\($0.duckType)'" }
        .joined(separator: ", ")
      knownColumns[path] = (stamp, text)
      return text
    } catch {
      throw .unreadable(file, error)
    }
  }

  // MARK: Failures

  /// The message of DuckDB at the line of the notebook: `Catalog Error: …`, then `LINE 3: …`.
  private func failure(_ said: String, _ script: DuckDBScript, reached: String, _ cell: NumberedCell) -> CellFailure {
    let lines = said.split(separator: "\n").map(String.init).filter { !$0.hasPrefix("-- Loading resources from") }
    let said = lines.joined(separator: "\n")
    let message = surroundings.withoutMachinePaths(lines.first ?? "DuckDB ended with exit status 1")
    var line = cell.cell.firstLine
    if let index = reached.split(separator: "\n").last.flatMap({ Int($0) }), script.statements.indices.contains(index) {
      let statement = script.statements[index]
      let place = lines.first { $0.hasPrefix("LINE ") }.flatMap { Int($0.dropFirst(5).prefix { $0.isNumber }) } ?? 1
      // What ends too early is missed where `pipe` goes on.
      line += statement.line - 1 + min(place - 1, statement.text.count { $0 == "\n" })
    }
    if let name = lines.first.flatMap(Self.missingTable) {
      return SQLMistake.missing(table: name, TableCatalog(surroundings.context, folder: surroundings.folder)).failure(line: line)
    }
    if message.hasPrefix("Prepared statement parameters") {
      return SQLMistake(message: "a placeholder has no parameter", isInput: true, hints: [SQLMistake.placeholderHint])
        .failure(line: line)
    }
    let hints = lines.filter { $0.hasPrefix("Did you mean") }
    return CellFailure(line: line, message: message, text: surroundings.withoutMachinePaths(said), hints: hints)
  }

  private static func missingTable(_ message: String) -> String? {
    let begin = "Catalog Error: Table with name "
    guard message.hasPrefix(begin), let end = message.range(of: " does not exist") else { return nil }
    return String(message[..<end.lowerBound].dropFirst(begin.count))
  }
}

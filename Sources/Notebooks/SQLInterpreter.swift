// The SQL cells of a stage: one SQLite database, CSV files as tables, parameters bound. Some are DuckDB's.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Foundation
import Tabular

final class SQLInterpreter: CellInterpreter {
  private let surroundings: CellSurroundings
  /// By the `connection` of a cell; the stage's own has none.
  private var connections: [String: SQLiteConnection] = [:]
  private var catalog: TableCatalog
  private var loaded: [String: (file: TableCatalog.File, stamp: FileStamp?)] = [:]
  private let bindings: ParameterBindings
  private let duckDB: DuckDBCells
  private var readHere: Set<String> = []
  var parametersRead: Set<String> { readHere.union(duckDB.parametersRead) }

  init(_ surroundings: CellSurroundings) {
    self.surroundings = surroundings
    catalog = TableCatalog(surroundings.context, folder: surroundings.folder)
    bindings = ParameterBindings(surroundings.context)
    duckDB = DuckDBCells(surroundings)
  }

  func finish(within limit: Duration) -> String? {
    connections = [:]
    return nil
  }

  func run(_ cell: NumberedCell, deadline: ContinuousClock.Instant?) -> CellResult {
    if let name = cell.cell.options[CellOption.connection.rawValue], DuckDBCells.database(name, surroundings) != nil {
      return duckDB.run(cell, deadline: deadline)
    }
    var run = CellRun(cell: cell, bytes: Array(cell.cell.source.utf8) + [0])
    do throws(SQLMistake) {
      let name = cell.cell.options[CellOption.connection.rawValue]
      let connection = if let name { try opened(name) } else { try opened() }
      connection.limit(to: deadline, interruption: surroundings.interruption)
      catalog = TableCatalog(surroundings.context, folder: surroundings.folder)
      if name == nil { try forgetChangedFiles(connection) }
      try runStatements(&run, connection)
      return try result(run)
    } catch {
      let signal = surroundings.interruption?.signal
      return CellResult(failure: signal == nil ? failure(error, run) : nil, interruption: signal)
    }
  }

  // MARK: Statements

  /// A cell on its way.
  private struct CellRun {
    let cell: NumberedCell
    /// The source, ending in a zero byte.
    let bytes: [UInt8]
    /// Where the current statement begins.
    var statementStart = 0
    var table: ResultTable?
    var csv: CSVWriter?

    var connectionName: String? { cell.cell.options[CellOption.connection.rawValue] }
    var outPath: String? { cell.cell.options[CellOption.out.rawValue] }

    /// Byte of the first mention of a name in the current statement, as a whole word in any case.
    func offset(of name: String) -> Int? {
      let word = Array(name.lowercased().utf8)
      let text = bytes[statementStart...].map { (0x41...0x5A).contains($0) ? $0 + 32 : $0 }
      for start in text.indices.dropLast(word.count) where text[start...].starts(with: word) {
        if start > 0, SQLScript.isWord(text[start - 1]) { continue }
        if !SQLScript.isWord(text[start + word.count]) { return statementStart + start }
      }
      return nil
    }

    func line(at offset: Int) -> Int {
      cell.cell.firstLine + bytes.prefix(offset).reduce(0) { $0 + ($1 == 0x0A ? 1 : 0) }
    }
  }

  private func runStatements(_ run: inout CellRun, _ connection: SQLiteConnection) throws(SQLMistake) {
    var position = 0
    while true {
      position = skipBlanks(run.bytes, from: position)
      guard position < run.bytes.count - 1 else { return }
      run.statementStart = position
      let (statement, next) = try prepare(run.bytes, from: position, connection, in: run.connectionName)
      position = max(next, position + 1)
      guard let statement else { continue }
      try bind(statement)
      try step(statement, &run)
    }
  }

  /// Compiles a statement, loading the tables that it turns out to need.
  private func prepare(
    _ bytes: [UInt8], from start: Int, _ connection: SQLiteConnection, in database: String?
  ) throws(SQLMistake) -> (SQLiteStatementHandle?, Int) {
    while true {
      do throws(SQLiteError) {
        return try connection.prepare(bytes, from: start)
      } catch {
        guard let name = missingTable(error.message) else { throw mistake(error) }
        if let database {
          var missing = mistake(error)
          missing.place = .mention(of: name)
          missing.message = "there is no table `\(name)` in `\(database)`"
          missing.hints = ["CSV files of the stage are tables of cells without `connection`"]
          throw missing
        }
        try load(name, connection, orElse: error)
      }
    }
  }

  private func step(_ statement: SQLiteStatementHandle, _ run: inout CellRun) throws(SQLMistake) {
    do throws(SQLiteError) {
      let columns = statement.columnNames
      guard !columns.isEmpty else {
        while try statement.step() {}
        return
      }
      var table = ResultTable(columns: columns)
      var csv = run.outPath == nil ? nil : CSVWriter(header: columns)
      while try statement.step() {
        let values = columns.indices.map(statement.value)
        table.add(values)
        csv?.addRow(values)
      }
      (run.table, run.csv) = (table, csv)
    } catch {
      throw mistake(error)
    }
  }

  private func result(_ run: CellRun) throws(SQLMistake) -> CellResult {
    if let path = run.outPath {
      guard let csv = run.csv else { throw .noRows(for: path) }
      try csv.write(toOutput: path, in: surroundings)
    }
    let outputs = run.table.map { [CellOutput(kind: .display, data: $0.display)] } ?? []
    return CellResult(outputs: outputs)
  }

  // MARK: Tables

  /// The database of a declared file: a dependency is only read, an output is made.
  private func opened(_ name: String) throws(SQLMistake) -> SQLiteConnection {
    if let known = connections[name] { return known }
    let context = surroundings.context
    guard let (path, isOutput) = context.declared(name) else {
      let known = context.deps.keys.sorted() + context.outs.keys.sorted()
      let near = closestMatch(to: name, among: known).map { "did you mean `\($0)`?" }
      throw SQLMistake(
        message: "`connection: \(name)` is neither a dependency nor an output of stage `\(context.stage)`", isInput: true,
        hints: [
          near ?? "declare the database under `deps` or `outs` of the stage in pipeline.yaml, or write `connection: duckdb`"
        ])
    }
    do throws(SQLiteError) {
      let connection = try SQLiteConnection(path: surroundings.absolute(path), isReadOnly: !isOutput)
      try connection.execute("SELECT count(*) FROM sqlite_schema")
      connections[name] = connection
      return connection
    } catch {
      throw SQLMistake(message: "`\(path)` does not open as a database of SQLite, nor is it one of DuckDB: \(error.message)")
    }
  }

  private func opened() throws(SQLMistake) -> SQLiteConnection {
    if let connection = connections[""] { return connection }
    do throws(SQLiteError) {
      let path = "\(surroundings.workFolder)/cells.sqlite"
      try? FileManager.default.removeItem(atPath: path)
      let connection = try SQLiteConnection(path: path)
      connections[""] = connection
      return connection
    } catch {
      throw mistake(error)
    }
  }

  /// A file that a cell of another language has written anew is loaded again when it is next named.
  private func forgetChangedFiles(_ connection: SQLiteConnection) throws(SQLMistake) {
    for (key, entry) in loaded where entry.stamp == nil || FileStamp(surroundings.absolute(entry.file.path)) != entry.stamp {
      do throws(SQLiteError) {
        try connection.execute("DROP TABLE IF EXISTS \(connection.quoted(entry.file.table))")
      } catch {
        throw mistake(error)
      }
      loaded[key] = nil
    }
  }

  private func missingTable(_ message: String) -> String? {
    guard message.hasPrefix("no such table: ") else { return nil }
    let name = message.dropFirst("no such table: ".count)
    return String(name.hasPrefix("main.") ? name.dropFirst(5) : name)
  }

  private func load(_ name: String, _ connection: SQLiteConnection, orElse error: SQLiteError) throws(SQLMistake) {
    let key = name.lowercased()
    guard let files = catalog.files[key], let file = files.first, loaded[key] == nil else {
      throw .missing(table: name, catalog)
    }
    if files.count > 1 { throw .ambiguous(table: name, files) }
    let stamp = FileStamp(surroundings.absolute(file.path), settledAt: Date())
    do throws(Diagnostic) {
      let table = try CSVReader.table(file: surroundings.absolute(file.path))
      do throws(SQLiteError) { try connection.load(table, as: file.table) } catch { throw Diagnostic(.work, error.message) }
    } catch {
      if connection.mustStop { throw SQLMistake(message: "interrupted", isTimeout: true) }
      throw .unreadable(file, error)
    }
    loaded[key] = (file, stamp)
  }

  // MARK: Parameters

  private func bind(_ statement: SQLiteStatementHandle) throws(SQLMistake) {
    for (index, name) in statement.parameterNames.enumerated() {
      guard let name, name.hasPrefix(":") else {
        throw SQLMistake(
          message: "the placeholder `\(name ?? "?")` has no parameter", isInput: true, hints: [SQLMistake.placeholderHint])
      }
      guard let bound = bindings.values[String(name.dropFirst())] else {
        throw .undeclared(parameter: String(name.dropFirst()), surroundings.context.stage, bindings)
      }
      readHere.insert(bound.declared)
      do throws(SQLiteError) { try statement.bind(bound.value, at: index + 1) } catch { throw mistake(error) }
    }
  }

  // MARK: Failures

  private func mistake(_ error: SQLiteError) -> SQLMistake {
    SQLMistake(
      message: error.message, place: error.offset.map { .byte($0) } ?? .statement, isTimeout: error.isInterrupt)
  }

  private func failure(_ mistake: SQLMistake, _ run: CellRun) -> CellFailure {
    if mistake.isTimeout {
      return failure(
        .timedOut, of: run.cell, program: "SQLite", line: run.line(at: run.statementStart),
        meaningOfKill: surroundings.meaningOfKill)
    }
    let line =
      switch mistake.place {
      case .byte(let offset): run.line(at: offset)
      case .mention(let table): run.line(at: run.offset(of: table) ?? run.statementStart)
      case .line(let line): line
      case .statement: run.line(at: run.statementStart)
      }
    return mistake.failure(line: line)
  }

  /// Past spaces, semicolons and comments, so that a statement's line is the line of its first word.
  private func skipBlanks(_ bytes: [UInt8], from start: Int) -> Int {
    var index = start
    let end = bytes.count - 1
    while index < end {
      if [0x20, 0x09, 0x0A, 0x0D, 0x0C, 0x3B].contains(bytes[index]) {
        index += 1
      } else if bytes[index] == 0x2D, bytes[index + 1] == 0x2D {
        while index < end, bytes[index] != 0x0A { index += 1 }
      } else if bytes[index] == 0x2F, bytes[index + 1] == 0x2A {
        index += 2
        while index < end, !(bytes[index] == 0x2A && bytes[index + 1] == 0x2F) { index += 1 }
        index = min(index + 2, end)
      } else {
        break
      }
    }
    return index
  }
}

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
    do throws(CellMistake) {
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
      let isLetter = { (byte: UInt8) in
        byte == 0x5F || byte >= 0x80 || (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte)
      }
      for start in text.indices.dropLast(word.count) where text[start...].starts(with: word) {
        if start > 0, isLetter(text[start - 1]) { continue }
        if !isLetter(text[start + word.count]) { return statementStart + start }
      }
      return nil
    }

    func line(at offset: Int) -> Int {
      cell.cell.firstLine + bytes.prefix(offset).reduce(0) { $0 + ($1 == 0x0A ? 1 : 0) }
    }
  }

  /// What stops a cell.
  private struct CellMistake: Error {
    var message: String
    var offset: Int?
    /// A table whose first mention is the place of the mistake.
    var namedTable: String?
    var isInput = false
    var isTimeout = false
    var causes: [String] = []
    var hints: [String] = []
  }

  private func runStatements(_ run: inout CellRun, _ connection: SQLiteConnection) throws(CellMistake) {
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
  ) throws(CellMistake) -> (SQLiteStatementHandle?, Int) {
    while true {
      do throws(SQLiteError) {
        return try connection.prepare(bytes, from: start)
      } catch {
        guard let name = missingTable(error.message) else { throw mistake(error) }
        if let database {
          var missing = mistake(error)
          missing.namedTable = name
          missing.message = "there is no table `\(name)` in `\(database)`"
          missing.hints = ["CSV files of the stage are tables of cells without `connection`"]
          throw missing
        }
        try load(name, connection, orElse: error)
      }
    }
  }

  private func step(_ statement: SQLiteStatementHandle, _ run: inout CellRun) throws(CellMistake) {
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

  private func result(_ run: CellRun) throws(CellMistake) -> CellResult {
    if let path = run.outPath {
      guard let csv = run.csv else {
        throw CellMistake(
          message: "it has no rows to write to `\(path)`", hints: ["end the cell with a SELECT, or take `out` away"])
      }
      do throws(Diagnostic) {
        try csv.write(to: StageOutput.path(of: path, in: surroundings))
      } catch {
        throw CellMistake(message: error.message, causes: error.causes)
      }
    }
    let outputs = run.table.map { [CellOutput(kind: .display, data: $0.display)] } ?? []
    return CellResult(outputs: outputs)
  }

  // MARK: Tables

  /// The database of a declared file: a dependency is only read, an output is made.
  private func opened(_ name: String) throws(CellMistake) -> SQLiteConnection {
    if let known = connections[name] { return known }
    let context = surroundings.context
    let output = context.outs[name] ?? (context.outs.values.contains(name) ? name : nil)
    let dependency = context.deps[name] ?? (context.deps.values.contains(name) ? name : nil)
    guard let path = output ?? dependency else {
      let known = context.deps.keys.sorted() + context.outs.keys.sorted()
      let near = closestMatch(to: name, among: known).map { "did you mean `\($0)`?" }
      throw CellMistake(
        message: "`connection: \(name)` is neither a dependency nor an output of stage `\(context.stage)`", isInput: true,
        hints: [
          near ?? "declare the database under `deps` or `outs` of the stage in pipeline.yaml, or write `connection: duckdb`"
        ])
    }
    do throws(SQLiteError) {
      let connection = try SQLiteConnection(path: absolute(path), isReadOnly: output == nil)
      try connection.execute("SELECT count(*) FROM sqlite_schema")
      connections[name] = connection
      return connection
    } catch {
      throw CellMistake(message: "`\(path)` does not open as a SQLite database: \(error.message)")
    }
  }

  private func opened() throws(CellMistake) -> SQLiteConnection {
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
  private func forgetChangedFiles(_ connection: SQLiteConnection) throws(CellMistake) {
    for (key, entry) in loaded where entry.stamp == nil || FileStamp(absolute(entry.file.path)) != entry.stamp {
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

  private func load(_ name: String, _ connection: SQLiteConnection, orElse error: SQLiteError) throws(CellMistake) {
    let key = name.lowercased()
    guard let files = catalog.files[key], let file = files.first, loaded[key] == nil else {
      var missing = mistake(error)
      missing.namedTable = name
      missing.message = "there is no table `\(name)`"
      missing.hints = [catalog.hint(for: name)]
      throw missing
    }
    if files.count > 1 {
      throw CellMistake(
        message: "table `\(name)` could be any of \(files.map { "`\($0.path)`" }.joined(separator: " and "))", isInput: true,
        hints: ["give them names in pipeline.yaml, such as `deps: {\(name)_raw: \(file.path)}`"])
    }
    let stamp = FileStamp(absolute(file.path), settledAt: Date())
    do throws(Diagnostic) {
      let table = try CSVReader.table(file: absolute(file.path))
      do throws(SQLiteError) { try connection.load(table, as: file.table) } catch { throw Diagnostic(.work, error.message) }
    } catch {
      if connection.mustStop { throw CellMistake(message: "interrupted", isTimeout: true) }
      let place = error.location.flatMap(\.line).map { ":\($0)" } ?? ""
      throw CellMistake(
        message: "`\(file.path)` is not a table: \(error.message)", causes: ["\(file.path)\(place): \(error.message)"],
        hints: error.hints)
    }
    loaded[key] = (file, stamp)
  }

  private func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : "\(surroundings.folder)/\(path)" }

  // MARK: Parameters

  private func bind(_ statement: SQLiteStatementHandle) throws(CellMistake) {
    for (index, name) in statement.parameterNames.enumerated() {
      guard let name, name.hasPrefix(":") else {
        throw CellMistake(
          message: "the placeholder `\(name ?? "?")` has no parameter", isInput: true,
          hints: ["write a parameter's full path with `_` for the dots, such as `:train_lr`"])
      }
      guard let bound = bindings.values[String(name.dropFirst())] else {
        let stage = surroundings.context.stage
        let near = closestMatch(to: String(name.dropFirst()), among: bindings.values.keys.sorted())
        throw CellMistake(
          message: "parameter `\(name)` is not declared by stage `\(stage)`", isInput: true,
          hints: [near.map { "did you mean `:\($0)`?" } ?? "declare it under `params` of the stage in pipeline.yaml"])
      }
      readHere.insert(bound.declared)
      do throws(SQLiteError) { try statement.bind(bound.value, at: index + 1) } catch { throw mistake(error) }
    }
  }

  // MARK: Failures

  private func mistake(_ error: SQLiteError) -> CellMistake {
    CellMistake(message: error.message, offset: error.offset, isTimeout: error.isInterrupt)
  }

  private func failure(_ mistake: CellMistake, _ run: CellRun) -> CellFailure {
    if mistake.isTimeout { return failure(.timedOut, of: run.cell, program: "SQLite", line: run.line(at: run.statementStart)) }
    let mention = mistake.namedTable.flatMap { run.offset(of: $0) }
    let line = run.line(at: mistake.offset ?? mention ?? run.statementStart)
    return CellFailure(
      line: line, message: mistake.message, isInput: mistake.isInput,
      text: ([mistake.message] + mistake.causes.map { "cause: \($0)" }).joined(separator: "\n"), causes: mistake.causes,
      hints: mistake.hints)
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

/// A stage's parameters as values that SQLite binds, by their full path with `_` for all but letters and digits.
struct ParameterBindings {
  private(set) var values: [String: (value: SQLiteValue, declared: String)] = [:]

  init(_ context: StageNotebookContext) {
    for (key, value) in context.params { values[Self.name(key)] = (Self.bound(value), key) }
    for (path, leaf) in context.parameterLeaves { values[Self.name(path)] = (Self.bound(leaf.value), leaf.declared) }
  }

  /// `train.lr` → `train_lr`.
  static func name(_ path: String) -> String {
    String(path.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
  }

  private static func bound(_ value: ContextValue) -> SQLiteValue {
    switch value {
    case .null: return .null
    case .boolean(let flag): return .integer(flag ? 1 : 0)
    case .integer(let number): return .integer(number)
    case .number(let number): return .real(number)
    case .text(let text): return .text(text)
    case .list, .mapping:
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      return .text((try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "null")
    }
  }
}

// The CSV files of a stage under the names that SQL cells use.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Foundation
import Tabular

/// Which table stands for which file.
struct TableCatalog {
  /// Absolute paths by table name in lower case; two when a name is ambiguous.
  private(set) var files: [String: [File]] = [:]

  struct File: Equatable {
    /// The table's name as it is written in messages.
    var table: String
    /// Relative to the stage's folder, or absolute.
    var path: String
  }

  /// Looks at what exists now: a `.csv` file is a table under its name in `pipeline.yaml`, or else under its file name
  /// without `.csv`; of a folder each `.csv` file directly in it is a table `folder_file`.
  init(_ context: StageNotebookContext, folder: String) {
    let entries = context.deps.sorted { $0.key < $1.key } + context.outs.sorted { $0.key < $1.key }
    for (name, path) in entries {
      // Without a name in pipeline.yaml an entry has its own path for one, seen from the project's folder.
      let fileName = (path as NSString).lastPathComponent
      let isNamed = (name as NSString).lastPathComponent != fileName
      let base = isNamed ? name : (fileName as NSString).deletingPathExtension
      let absolute = path.hasPrefix("/") ? path : "\(folder)/\(path)"
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: absolute, isDirectory: &isFolder) else { continue }
      if isFolder.boolValue {
        for file in (try? FileManager.default.contentsOfDirectory(atPath: absolute).sorted()) ?? [] where file.hasSuffix(".csv") {
          add(Self.identifier("\(base)_\(file.dropLast(4))"), path: "\(path)/\(file)")
        }
      } else if path.hasSuffix(".csv") {
        add(Self.identifier(base), path: path)
      }
    }
  }

  private mutating func add(_ table: String, path: String) {
    let file = File(table: table, path: path)
    if files[table.lowercased()]?.contains(where: { $0.path == path }) != true {
      files[table.lowercased(), default: []].append(file)
    }
  }

  var names: [String] { files.values.compactMap { $0.first?.table }.sorted() }

  /// What helps who named a table that is not there.
  func hint(for name: String) -> String {
    if let near = closestMatch(to: name.lowercased(), among: files.keys.sorted()) {
      return "did you mean `\(files[near]?.first?.table ?? near)`?"
    }
    return names.isEmpty
      ? "CSV files that the stage declares as dependencies or outputs are tables; it has none that exist"
      : "the stage's CSV files are the tables \(names.map { "`\($0)`" }.joined(separator: ", "))"
  }

  /// Letters, digits and `_` as they are, all else as `_`.
  static func identifier(_ name: some StringProtocol) -> String {
    let text = String(name.unicodeScalars.map { $0.properties.isAlphabetic || ("0"..."9").contains($0) ? Character($0) : "_" })
    return text.first?.isNumber == true ? "_" + text : text
  }
}

/// What tells whether a file is still the one that was loaded.
struct FileStamp: Equatable {
  var size: Int64
  var modified: Int64
  var modifiedNanoseconds: Int
  var inode: UInt64

  /// - Parameter moment: `nil` results for a file so young then that a later write could leave the same times.
  init?(_ path: String, settledAt moment: Date? = nil) {
    var information = stat()
    guard stat(path, &information) == 0 else { return nil }
    let modified = Double(information.st_mtim.tv_sec) + Double(information.st_mtim.tv_nsec) / 1e9
    if let moment, moment.timeIntervalSince1970 - modified < 0.05 { return nil }
    size = Int64(information.st_size)
    self.modified = Int64(information.st_mtim.tv_sec)
    modifiedNanoseconds = information.st_mtim.tv_nsec
    inode = UInt64(information.st_ino)
  }
}

extension SQLiteConnection {
  /// Makes a table of a CSV file: whole numbers INTEGER, other numbers REAL, the rest TEXT; a missing value is NULL.
  func load(_ table: Table, as name: String) throws(SQLiteError) {
    let columns = table.columns.map(TypedColumn.init)
    let definitions = columns.map { "\(quoted($0.name)) \($0.type)" }.joined(separator: ", ")
    try execute("SAVEPOINT pipe_load; CREATE TABLE \(quoted(name)) (\(definitions))")
    do throws(SQLiteError) {
      try insert(columns, rows: table.rowCount, into: name)
    } catch {
      try? execute("ROLLBACK TO pipe_load; RELEASE pipe_load")
      throw error
    }
    try execute("RELEASE pipe_load")
  }

  private func insert(_ columns: [TypedColumn], rows: Int, into name: String) throws(SQLiteError) {
    let marks = columns.map { _ in "?" }.joined(separator: ",")
    let sql = Array("INSERT INTO \(quoted(name)) VALUES (\(marks))".utf8) + [0]
    guard let statement = try prepare(sql, from: 0).statement else { return }
    for row in 0..<rows {
      for (position, column) in columns.enumerated() { try statement.bind(column.value(row), at: position + 1) }
      _ = try statement.step()
      statement.reset()
      if row % 4096 == 0, mustStop { throw SQLiteError(message: "interrupted", isInterrupt: true) }
    }
  }

  func quoted(_ name: String) -> String { "\"" + name.replacing("\"", with: "\"\"") + "\"" }
}

extension Column {
  /// The type in DuckDB of what is `INTEGER`, `REAL` or `TEXT` in SQLite.
  var duckType: String { ["INTEGER": "BIGINT", "REAL": "DOUBLE"][TypedColumn(self).type] ?? "VARCHAR" }
}

/// A column of a table with its SQL type.
private struct TypedColumn {
  let name: String
  let type: String
  private let storage: Column.Storage

  init(_ column: Column) {
    name = column.name
    storage = column.storage
    switch storage {
    case .text: type = "TEXT"
    case .number(let values):
      let isWhole = values.allSatisfy { $0.isNaN || ($0 == $0.rounded() && $0.magnitude <= 9_007_199_254_740_992) }
      let isEmpty = values.allSatisfy(\.isNaN)
      type = isEmpty ? "TEXT" : isWhole ? "INTEGER" : "REAL"
    }
  }

  func value(_ row: Int) -> SQLiteValue {
    switch storage {
    case .text(let values): values[row].map { .text($0) } ?? .null
    case .number(let values): values[row].isNaN ? .null : type == "INTEGER" ? .integer(Int64(values[row])) : .real(values[row])
    }
  }
}

// What DuckDB's shell answered: the files that a script told it to write, as rows with their types.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Tabular

struct DuckDBRows {
  /// For the display; its rows are counted by DuckDB.
  private(set) var table: ResultTable
  /// All rows that were written: no more than are shown, unless the cell has an `out`.
  private(set) var csv: CSVWriter

  /// `nil` when the files are not there.
  init?(_ script: DuckDBScript) {
    guard let columns = Self.records(script.path(of: .columns)), let rows = Self.records(script.path(of: .rows)),
      let total = Self.records(script.path(of: .count))?.first?.first?.flatMap({ Int($0) })
    else { return nil }
    let names = columns.map { $0.first.flatMap { $0 } ?? "" }
    let types = columns.map { $0.last.flatMap { $0 } ?? "" }
    table = ResultTable(columns: names)
    csv = CSVWriter(header: names)
    for row in rows {
      let values = zip(row, types).map(Self.value)
      table.add(values)
      if script.outPath != nil { csv.addRow(values) }
    }
    table.totalRows = total
  }

  private static func value(_ text: String?, _ type: String) -> SQLiteValue {
    guard let text else { return .null }
    if type.hasSuffix("INT") || type == "INTEGER" { return Int64(text).map { .integer($0) } ?? .text(text) }
    if type == "DOUBLE" || type == "FLOAT" || type.hasPrefix("DECIMAL") { return Double(text).map { .real($0) } ?? .text(text) }
    if type == "BOOLEAN" { return .integer(text == "true" ? 1 : 0) }
    return .text(text)
  }

  /// Rows in which every value stands in quotes, and NULL is nothing at all.
  private static func records(_ file: String) -> [[String?]]? {
    guard let bytes = try? AtomicFile.read(file) else { return nil }
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
}

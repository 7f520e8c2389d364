// Columns of one length, in order, each with its own name.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics

/// A table in memory. Invariant: all columns have `rowCount` values, and no two have the same name.
package struct Table: Sendable {
  package private(set) var columns: [Column]
  package private(set) var rowCount: Int
  /// Where the table was read from, for messages; takes no part in equality.
  package var source: String?
  private var positions: [String: Int]

  /// A table of these columns, which must agree in length and differ in name.
  package init(_ columns: [Column] = [], source: String? = nil) {
    self.columns = []
    rowCount = columns.first?.count ?? 0
    positions = [:]
    self.source = source
    for column in columns { append(column) }
  }

  package var names: [String] { columns.map(\.name) }

  package func contains(_ name: String) -> Bool { positions[name] != nil }

  /// The column of this name; a name that is not there is a diagnostic with the nearest one as hint.
  package func column(_ name: String) throws(Diagnostic) -> Column {
    if let position = positions[name] { return columns[position] }
    throw Diagnostic(
      .input, "the table has no column `\(name)`", at: source.map { SourceLocation(file: $0, line: 1) },
      hints: closestMatch(to: name, among: names).map { ["did you mean `\($0)`?"] }
        ?? ["its columns are \(names.map { "`\($0)`" }.joined(separator: ", "))"])
  }

  /// The values of a number column, NaN where missing.
  package func numbers(_ name: String) throws(Diagnostic) -> [Double] {
    let column = try column(name)
    if case .number(let values) = column.storage { return values }
    let example = column.texts.compactMap { $0 }.first ?? ""
    throw Diagnostic(
      .input, "column `\(name)` is text, a number is wanted", at: source.map { SourceLocation(file: $0, line: 1) },
      causes: ["one of its values is `\(example)`"])
  }

  /// The values of any column as text, `nil` where missing.
  package func texts(_ name: String) throws(Diagnostic) -> [String?] { try column(name).texts }

  /// The values of a column of RFC 3339 times as seconds since 1970, `nil` where missing.
  package func times(_ name: String) throws(Diagnostic) -> [Int64?] {
    let texts = try texts(name)
    var seconds = [Int64?]()
    seconds.reserveCapacity(texts.count)
    for (row, text) in texts.enumerated() {
      guard let text else {
        seconds.append(nil)
        continue
      }
      guard let time = Timestamp.epochSeconds(text) else {
        throw Diagnostic(
          .input, "row \(row + 1), column `\(name)`: `\(text)` is not a time", at: source.map { SourceLocation(file: $0) },
          hints: ["write times as `2026-03-01T08:15:00Z`"])
      }
      seconds.append(time)
    }
    return seconds
  }

  /// Adds a column at the end, or puts it in the place of the one that has its name.
  package mutating func append(_ column: Column) {
    if columns.isEmpty { rowCount = column.count }
    precondition(column.count == rowCount, "column `\(column.name)` has \(column.count) values, the table \(rowCount) rows")
    if let position = positions[column.name] {
      columns[position] = column
    } else {
      positions[column.name] = columns.count
      columns.append(column)
    }
  }

  /// Adds the rows of a table with the same columns in the same order. Where one side took a column without any value for numbers,
  /// the other side's kind holds.
  package mutating func append(rowsOf other: Table) throws(Diagnostic) {
    guard names == other.names else {
      throw Diagnostic(
        .input, "the columns differ from those of `\(source ?? "the first table")`",
        at: other.source.map { SourceLocation(file: $0, line: 1) })
    }
    for index in columns.indices {
      switch (columns[index].storage, other.columns[index].storage) {
      case (.number(let a), .number(let b)): columns[index].storage = .number(a + b)
      default: columns[index].storage = .text(columns[index].texts + other.columns[index].texts)
      }
    }
    rowCount += other.rowCount
  }

  /// Only these rows, in this order.
  package func selecting(rows: some Sequence<Int>) -> Table {
    let rows = Array(rows)
    var table = Table(columns.map { $0.selecting(rows: rows) }, source: source)
    table.rowCount = rows.count
    return table
  }

  /// Only these columns, in this order.
  package func selecting(columns names: [String]) throws(Diagnostic) -> Table {
    var kept = [Column]()
    for name in names { kept.append(try column(name)) }
    var table = Table(kept, source: source)
    table.rowCount = rowCount
    return table
  }
}

extension Table: Equatable {
  package static func == (a: Table, b: Table) -> Bool { a.rowCount == b.rowCount && a.columns == b.columns }
}

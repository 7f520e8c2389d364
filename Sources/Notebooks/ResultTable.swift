// The rows of a query as a reader sees them: the first fifty, and how many there are.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import Tabular

struct ResultTable: Encodable {
  static let shownRows = 50
  private static let widestCell = 60

  var columns: [String]
  var rows: [[String?]] = []
  var totalRows = 0
  private var isNumeric: [Bool]

  private enum CodingKeys: String, CodingKey { case columns, rows, totalRows }

  init(columns: [String]) {
    self.columns = columns
    isNumeric = columns.map { _ in true }
  }

  mutating func add(_ values: [SQLiteValue]) {
    totalRows += 1
    guard rows.count < Self.shownRows else { return }
    rows.append(values.map(\.shown))
    for (column, value) in values.enumerated() {
      switch value {
      case .text, .blob: isNumeric[column] = false
      case .null, .integer, .real: break
      }
    }
  }

  /// The display of a cell.
  var display: [String: String] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let json = (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    return ["application/vnd.pipe.table+json": json, "text/plain": text]
  }

  /// Columns aligned, numbers to the right, with a last line that says the number of rows.
  var text: String {
    let cells = rows.map { $0.map { clipped($0 ?? "NULL") } }
    let widths = columns.indices.map { column in
      max(columns[column].count, cells.map { $0[column].count }.max() ?? 0)
    }
    func line(_ values: [String]) -> String {
      let padded = values.enumerated().map { column, value in
        let space = String(repeating: " ", count: widths[column] - value.count)
        return isNumeric[column] ? space + value : value + space
      }
      return padded.joined(separator: "  ").trimmingTrailingSpaces
    }
    let rule = widths.map { String(repeating: "-", count: $0) }.joined(separator: "  ")
    let count = totalRows == 1 ? "1 row" : rows.count < totalRows ? "\(rows.count) of \(totalRows) rows" : "\(totalRows) rows"
    return ([line(columns), rule] + cells.map(line) + ["(\(count))"]).joined(separator: "\n")
  }

  private func clipped(_ text: String) -> String {
    let flat = text.replacing("\n", with: "⏎")
    return flat.count > Self.widestCell ? flat.prefix(Self.widestCell - 1) + "…" : flat
  }
}

extension SQLiteValue {
  /// `nil` is NULL; numbers in their shortest form, bytes in hexadecimal.
  var shown: String? {
    switch self {
    case .null: nil
    case .integer(let number): "\(number)"
    case .real(let number): NumberText.text(of: number)
    case .text(let text): text
    case .blob(let bytes): "0x" + bytes.map { String(format: "%02x", $0) }.joined()
    }
  }
}

extension CSVWriter {
  mutating func addRow(_ values: [SQLiteValue]) {
    for value in values {
      switch value {
      case .integer(let number): add(number)
      case .real(let number): add(number)
      case .null, .text, .blob: add(value.shown)
      }
    }
    endRow()
  }
}

extension String {
  fileprivate var trimmingTrailingSpaces: String {
    var text = self
    while text.last == " " { text.removeLast() }
    return text
  }
}

// A table that a cell displayed.
// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The content of `application/vnd.pipe.table+json`.
struct CellTable: Decodable {
  var columns: [String]
  var rows: [[String?]]
  var totalRows: Int

  static let mostRows = 50

  init(columns: [String], rows: [[String?]], totalRows: Int) {
    (self.columns, self.rows, self.totalRows) = (columns, rows, totalRows)
  }

  /// `nil` when the text is not such a table.
  init?(json: String) {
    guard let table = try? JSONDecoder().decode(CellTable.self, from: Data(json.utf8)), !table.columns.isEmpty else { return nil }
    self = table
  }

  func blocks(caption: String) -> [Report.Block] {
    let shown = rows.prefix(Self.mostRows)
    let isNumeric = columns.indices.map { column in
      let values = shown.compactMap { column < $0.count ? $0[column] : nil }
      return !values.isEmpty && values.allSatisfy { Double($0) != nil }
    }
    let total = max(totalRows, rows.count)
    let title = total > shown.count ? "\(caption) (\(shown.count) of \(NumberText.count(total)) rows)" : caption
    return [
      .table(
        Report.Table(
          caption: title, columns: zip(columns, isNumeric).map { .init($0, $1 ? .end : .start) },
          rows: shown.map { row in
            columns.indices.map { column in
              guard column < row.count, let value = row[column] else { return [.muted("–")] }
              return [.text(value.count <= 200 ? value : value.prefix(199) + "…")]
            }
          }))
    ]
  }
}

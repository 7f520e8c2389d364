// What all figures share: captions in sentences, tables of bounded length, series with names.
// SPDX-License-Identifier: Apache-2.0
import Evaluation

/// Functions from values to a drawing with its caption and its numbers. One file a family.
package enum Figures {
  /// Rows that the table below a drawing has at most.
  static let tableRows = 20

  static func caption(_ title: String, _ sentences: [String?]) -> [Report.Inline] {
    let text = sentences.compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: " ")
    return [.strong(title + (text.isEmpty ? "" : " "))] + (text.isEmpty ? [] : [.text(text)])
  }

  /// A table of texts. A column whose name begins with `#` holds numbers.
  static func table(_ caption: String, _ columns: [String], _ rows: [[String]], of all: Int? = nil) -> Report.Table {
    let all = all ?? rows.count
    let shown = thinnedKeepingEnds(rows, to: tableRows)
    let note = shown.count < all ? " (\(NumberText.count(shown.count)) of \(NumberText.count(all)) rows)" : ""
    return Report.Table(
      caption: caption + note,
      columns: columns.map { $0.hasPrefix("#") ? .init(String($0.dropFirst()), .end) : .init($0) },
      rows: shown.map { row in row.map { [.text($0)] } })
  }

  /// All rows, for tables whose length is bounded by what they are about.
  static func wholeTable(_ caption: String, _ columns: [String], _ rows: [[String]]) -> Report.Table {
    Report.Table(
      caption: caption, columns: columns.map { $0.hasPrefix("#") ? .init(String($0.dropFirst()), .end) : .init($0) },
      rows: rows.map { row in row.map { [.text($0)] } })
  }

  private static func thinnedKeepingEnds<Item>(_ items: [Item], to most: Int) -> [Item] {
    guard items.count > most else { return items }
    return (0..<most).map { items[$0 * (items.count - 1) / (most - 1)] }
  }

  static func number(_ value: Double?, _ decimals: Int = 3) -> String {
    value.map { NumberText.fixed($0, decimals: decimals) } ?? "–"
  }

  static func percent(_ share: Double?, _ decimals: Int = 1) -> String {
    share.map { NumberText.fixed($0 * 100, decimals: decimals) + "%" } ?? "–"
  }

  /// `1.2 to 3.4`.
  static func interval(_ low: Double?, _ high: Double?) -> String {
    guard let low, let high else { return "–" }
    return "\(NumberText.plain(low)) to \(NumberText.plain(high))"
  }

  /// Every end of intervals and every value.
  static func extent(_ points: [Chart.Point]) -> [Double] {
    points.flatMap { point -> [Double] in [point.y, point.low ?? point.y, point.high ?? point.y] }
  }

  static func rows(_ count: Int) -> String { NumberText.count(count) + (count == 1 ? " row" : " rows") }

  /// ` (min)`, or nothing.
  static func inUnit(_ unit: String) -> String { unit.isEmpty ? "" : unit == "share" ? "" : " (\(unit))" }

  /// What does not fit a drawing: series beyond the eighth are left to the table, and that is said.
  static func beyondEight(_ count: Int, _ things: String) -> String? {
    count > Chart.Series.most ? "Showing \(Chart.Series.most) of \(NumberText.count(count)) \(things); the table has all." : nil
  }
}

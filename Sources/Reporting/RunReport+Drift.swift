// Tables beside earlier ones: which columns moved, how far, and how they look now.
// SPDX-License-Identifier: Apache-2.0
package import Monitoring

extension RunReport {
  /// A table that was compared with a reference.
  package struct DriftedTable: Sendable, Equatable {
    /// Its path.
    package var data: String
    /// `main`, `the previous run`, or another path.
    package var reference: String
    package var drift: TableDrift
    /// Population stability index from which on a column counts as drifted.
    package var threshold: Double
    /// Rows in all, where only some were looked at.
    package var rows: Int
    package var referenceRows: Int
    package init(data: String, reference: String, drift: TableDrift, threshold: Double, rows: Int, referenceRows: Int) {
      self.data = data
      self.reference = reference
      self.drift = drift
      self.threshold = threshold
      self.rows = rows
      self.referenceRows = referenceRows
    }

    /// Those beyond the threshold, furthest first.
    package var drifted: [ColumnDrift] { drift.columns.filter { $0.psi >= threshold } }
  }

  static func driftSection(_ input: Input) -> Report.Section? {
    guard !input.drift.isEmpty else { return nil }
    let blocks = input.drift.enumerated().flatMap { place, table -> [Report.Block] in
      let heading: [Report.Block] = input.drift.count > 1 ? [.heading(level: 1, table.data, id: nil)] : []
      return heading + driftBlocks(table, id: "drift-\(place + 1)")
    }
    return Report.Section(id: "drift", title: "Drift", priority: 64, blocks: blocks)
  }

  private static func driftBlocks(_ table: DriftedTable, id: String) -> [Report.Block] {
    var blocks: [Report.Block] = [.paragraph(driftLine(table))]
    for (names, words) in [
      (table.drift.gone, "are gone"), (table.drift.new, "are new"),
      (table.drift.changedKind, "changed from numbers to text or back"),
    ] where !names.isEmpty {
      blocks.append(.note(.caution, .message("Columns that \(words): \(names.map { "`\($0)`" }.joined(separator: ", ")).")))
    }
    if let figure = Figures.drift(
      table.drift.columns.map { column($0, table.threshold) }, baseline: table.reference, id: id)
    {
      blocks.append(.figures([figure]))
    }
    blocks.append(.table(driftTable(table)))
    blocks.append(
      .paragraph([
        .muted(
          "PSI is the population stability index over tenths of the reference, or over its values: below 0.1 small, from 0.25 large "
            + "(Siddiqi 2006). With many rows a test sees differences that matter to nobody: the index decides, not p.")
      ]))
    return blocks
  }

  /// `data/x.csv: 29,874 rows beside 30,102 of main; 2 of 14 columns drifted.`
  private static func driftLine(_ table: DriftedTable) -> [Report.Inline] {
    let drifted = table.drifted.count
    var line: [Report.Inline] = [
      .code(table.data),
      .text(
        ": \(NumberText.count(table.rows)) rows beside \(NumberText.count(table.referenceRows)) of \(table.reference); "),
      .strong("\(drifted) of \(table.drift.columns.count) columns drifted"),
      .text(" (PSI from \(NumberText.plain(table.threshold)))."),
    ]
    let looked = (table.drift.currentRows, table.drift.referenceRows)
    if looked.0 < table.rows || looked.1 < table.referenceRows {
      line.append(
        .text(" Evenly spread rows were looked at: \(NumberText.count(looked.0)) and \(NumberText.count(looked.1))."))
    } else if table.drift.sharedRows > 0 {
      line.append(.text(" \(NumberText.count(table.drift.sharedRows)) rows stand in both."))
    }
    return line
  }

  private static func column(_ drift: ColumnDrift, _ threshold: Double) -> Figures.DriftColumn {
    Figures.DriftColumn(
      name: drift.name, edges: drift.edges, categories: drift.bins.map(\.label), current: drift.currentCounts,
      baseline: drift.referenceCounts, test: "PSI", value: drift.psi, threshold: threshold, hasDrifted: drift.psi >= threshold)
  }

  private static func driftTable(_ table: DriftedTable) -> Report.Table {
    let shown = table.drift.columns.prefix(100)
    let extent = shown.count < table.drift.columns.count ? " (\(shown.count) of \(table.drift.columns.count))" : ""
    return Report.Table(
      caption: "Columns of \(table.data)" + extent,
      columns: [
        .init("Column"), .init("PSI", .end), .init("Reading"), .init("Test"), .init("Statistic", .end), .init("p", .end),
        .init("Missing before", .end), .init("now", .end),
      ],
      rows: shown.map { column in
        [
          [.code(column.name)], [.text(NumberText.fixed(column.psi, decimals: 3))],
          [column.psi >= table.threshold ? .badge(.caution, "drifted") : .muted(column.size.rawValue)], [.text(column.test)],
          [.text(NumberText.plain(column.statistic))],
          [.text(column.p < 0.001 ? "< 0.001" : NumberText.fixed(column.p, decimals: 3))],
          [.text(percent(column.missingBefore))], [.text(percent(column.missingNow))],
        ]
      })
  }

  /// For the verdict: tables in which something moved.
  static func driftNotes(_ input: Input) -> [Report.Block] {
    input.drift.filter { !$0.drifted.isEmpty }.map { table in
      let names = table.drifted.prefix(5).map { "`\($0.name)`" }.joined(separator: ", ")
      let more = table.drifted.count > 5 ? " and \(table.drifted.count - 5) more" : ""
      return .note(.caution, .message("Drift of `\(table.data)` beside \(table.reference): \(names)\(more)."))
    }
  }
}

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

    /// Those beyond the threshold, by their values or by how many have none, furthest first.
    package var drifted: [ColumnDrift] { drift.columns.filter { $0.distance >= threshold } }
    /// Columns that are not what they were, for the verdict: those that drifted, came, went or changed their kind.
    package var moved: Int { drifted.count + drift.gone.count + drift.new.count + drift.changedKind.count }
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
      blocks.append(.note(.caution, .message("Columns that \(words): \(list(names, most: 100)).")))
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
            + "(Siddiqi 2006). That of missing values is over rows with a value and rows without; the larger one decides. "
            + "With many rows a test sees differences that matter to nobody, so p does not decide.")
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
    // What decided is named: the drawing shows the values that are there.
    let isByMissing = drift.missingIndex >= threshold && drift.missingIndex > drift.psi
    return Figures.DriftColumn(
      name: drift.name, edges: drift.edges, categories: drift.bins.map(\.label), current: drift.currentCounts,
      baseline: drift.referenceCounts, test: isByMissing ? "missing PSI" : "PSI",
      value: isByMissing ? drift.missingIndex : drift.psi, threshold: threshold, hasDrifted: drift.distance >= threshold)
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
          [.text(percent(column.missingBefore))],
          column.missingIndex >= table.threshold
            ? [.text("\(percent(column.missingNow)) "), .badge(.caution, "drifted")] : [.text(percent(column.missingNow))],
        ]
      })
  }

  /// For the verdict: tables in which something moved.
  static func driftNotes(_ input: Input) -> [Report.Block] {
    input.drift.filter { $0.moved > 0 }.map { table in
      let values = table.drifted.filter { $0.psi >= table.threshold }
      let missing = table.drifted.filter { $0.missingIndex >= table.threshold }
      let parts = [
        ("", values.map(\.name)), ("gone: ", table.drift.gone), ("new: ", table.drift.new),
        ("changed between numbers and text: ", table.drift.changedKind),
      ].filter { !$1.isEmpty }.map { $0 + list($1, most: 5) }
      let shares = missing.prefix(5).map {
        "`\($0.name)` (\(percent($0.missingBefore)) → \(percent($0.missingNow)))"
      }
      let told = shares.isEmpty ? [] : ["missing values: " + shares.joined(separator: ", ") + more(missing.count - 5)]
      // Moved values come first, then values that are not there any more, then whole columns.
      let lines = values.isEmpty ? told + parts : [parts[0]] + told + parts.dropFirst()
      return .note(
        .caution, .message("Drift of `\(table.data)` beside \(table.reference): \(lines.joined(separator: "; "))."))
    }
  }

  private static func list(_ names: [String], most: Int) -> String {
    names.prefix(most).map { "`\($0)`" }.joined(separator: ", ") + more(names.count - most)
  }

  private static func more(_ count: Int) -> String { count > 0 ? " and \(count) more" : "" }

  /// `A column has drifted`, `3 columns have drifted, 1 is gone`; `nil` when all stayed as they were.
  static func driftHeadline(_ tables: [DriftedTable]) -> String? {
    func sum(_ count: (DriftedTable) -> Int) -> Int { tables.reduce(0) { $0 + count($1) } }
    var parts: [String] = []
    for (count, one, many) in [
      (sum { $0.drifted.count }, "has drifted", "have drifted"), (sum { $0.drift.gone.count }, "is gone", "are gone"),
      (sum { $0.drift.new.count }, "is new", "are new"),
      (sum { $0.drift.changedKind.count }, "has changed its kind", "have changed their kind"),
    ] where count > 0 {
      let subject = parts.isEmpty ? (count == 1 ? "A column" : "\(count) columns") : (count == 1 ? "one" : "\(count)")
      parts.append("\(subject) \(count == 1 ? one : many)")
    }
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
  }
}

// What was wrong with the data and what was done about it.
// SPDX-License-Identifier: Apache-2.0
import Evaluation
import Tracking

extension RunReport {
  static func qualitySection(_ input: Input) -> Report.Section? {
    guard let quality = input.quality else { return nil }
    let failed = quality.checks.filter { !$0.passed }
    var blocks: [Report.Block] = [.paragraph(summaryLine(quality))]
    if !failed.isEmpty {
      blocks.append(
        .note(
          .bad,
          [
            .text(
              "\(failed.count) of \(quality.checks.count) checks found more than is acceptable: \(failed.map(\.label).joined(separator: "; "))."
            )
          ]))
    }
    let found = quality.checks.filter { $0.count > 0 || !$0.passed }
    let silent = quality.checks.filter { $0.count == 0 && $0.passed }
    if !found.isEmpty { blocks.append(.table(checksTable(found, caption: "Checks that found something"))) }
    if !silent.isEmpty {
      blocks.append(
        .details(
          summary: [.text("\(silent.count) check\(silent.count == 1 ? "" : "s") that found nothing")], id: nil, open: false,
          [.table(checksTable(silent, caption: "Checks that found nothing"))]))
    }
    if !quality.splits.isEmpty { blocks.append(.table(splitsTable(quality.splits))) }
    if !quality.columns.isEmpty {
      blocks.append(
        .details(
          summary: [.text("\(quality.columns.count) columns")], id: nil, open: false,
          [.table(columnsTable(quality))]))
    }
    return Report.Section(id: "quality", title: "Data quality", priority: 65, blocks: blocks)
  }

  private static func summaryLine(_ quality: QualityDocument) -> [Report.Inline] {
    let dropped = quality.rowsIn - quality.rowsOut
    return [
      .text("Score "), .strong(NumberText.fixed(quality.score, decimals: 1)), .text(" of 100. "),
      .text("\(NumberText.count(quality.rowsIn)) rows came in, \(NumberText.count(quality.rowsOut)) went on"),
      .text(
        dropped > 0 && quality.rowsIn > 0
          ? "; \(NumberText.count(dropped)) (\(percent(Double(dropped) / Double(quality.rowsIn), decimals: 2))) were left out."
          : "."),
    ]
  }

  private static func checksTable(_ checks: [QualityDocument.Check], caption: String) -> Report.Table {
    Report.Table(
      caption: caption,
      columns: [
        .init("Check"), .init("Found", .end), .init("Share", .end), .init("Allowed", .end), .init("Rows were"), .init("Result"),
      ],
      rows: (checks.filter { !$0.passed } + checks.filter(\.passed)).map { check in
        [
          .message(check.label), [.text(NumberText.count(check.count))],
          [.text(percent(check.share, decimals: 2))],
          [.text(check.limit.map { "≤ " + NumberText.plain($0 * 100) + "%" } ?? "–")],
          [.text(check.action)],
          [check.passed ? .badge(.good, "holds") : .badge(.bad, "missed")],
        ]
      })
  }

  private static func splitsTable(_ splits: [QualityDocument.Split]) -> Report.Table {
    Report.Table(
      caption: "Splits (times in UTC)", columns: [.init("Split"), .init("Rows", .end), .init("From"), .init("To")],
      rows: splits.map {
        [
          [.text($0.name)], [.text(NumberText.count($0.rows))], [.text($0.from.map(minute) ?? "–")],
          [.text($0.to.map(minute) ?? "–")],
        ]
      })
  }

  private static func columnsTable(_ quality: QualityDocument) -> Report.Table {
    Report.Table(
      caption: "Columns",
      columns: [
        .init("Column"), .init("Kind"), .init("Missing", .end), .init("Distinct", .end), .init("Least", .end),
        .init("Greatest", .end), .init("Mean", .end), .init("Std. dev.", .end),
      ],
      rows: quality.columns.map { column in
        [
          [.code(column.name)], [.text(column.kind)], [.text(NumberText.count(column.missing))],
          [.text(NumberText.count(column.distinct))], [.text(short(column.min))], [.text(short(column.max))],
          [.text(column.mean.map(NumberText.plain) ?? "–")],
          [.text(column.standardDeviation.map(NumberText.plain) ?? "–")],
        ]
      })
  }

  private static func short(_ text: String?) -> String {
    guard let text else { return "–" }
    return text.count <= 32 ? text : text.prefix(31) + "…"
  }
}

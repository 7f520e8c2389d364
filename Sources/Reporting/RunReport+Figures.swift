// Predictions, importance and backtest as drawings.
// SPDX-License-Identifier: Apache-2.0
import Evaluation
import Tracking

extension RunReport {
  static func predictionSection(_ input: Input, _ summary: PredictionSummary?) -> Report.Section? {
    guard let summary else { return nil }
    let unit = unit(input.evaluation?.unit ?? "")
    var figures = [predictedActual(summary, unit), residualPredicted(summary, unit), residuals(summary, unit)]
    let nominal = input.evaluation?.metrics.first { $0.name.hasPrefix("coverage_") }.flatMap { MetricChange.target(of: $0.name) }
    if let figure = coverageByTenth(summary, unit, nominal: nominal) { figures.append(figure) }
    if let figure = coverageOverTime(summary, nominal: nominal) { figures.append(figure) }
    var blocks: [Report.Block] = [.figures(figures)]
    if summary.leftOut > 0 {
      blocks.append(
        .note(
          .caution, [.text("\(NumberText.count(summary.leftOut)) rows lack an actual or a predicted value and are left out.")]))
    }
    return Report.Section(id: "predictions", title: "Predictions", priority: 50, blocks: blocks)
  }

  private static func predictedActual(_ summary: PredictionSummary, _ unit: String) -> Report.Figure {
    let grid = summary.predictedActual
    return Report.Figure(
      id: "predicted-actual",
      chart: Chart(
        title: "Predicted and actual values",
        description: "Density of \(NumberText.count(summary.rows)) rows; on the dashed line prediction and truth agree.",
        x: Chart.Axis("predicted" + unit, .linear(grid.x)), y: Chart.Axis("actual" + unit, .linear(grid.y)),
        marks: [.grid(columns: PredictionSummary.gridSize, rows: PredictionSummary.gridSize, levels: grid.levels), .identity]),
      caption: [
        .strong("Predicted and actual. "),
        .text(
          "\(NumberText.count(summary.rows)) rows, binned; the stronger the colour, the more (logarithmic). On the dashed line both agree."
        ),
        .text(outside(grid.outside)),
      ],
      data: tenthsTable(summary, unit))
  }

  private static func residualPredicted(_ summary: PredictionSummary, _ unit: String) -> Report.Figure {
    let grid = summary.residualPredicted
    let means = summary.tenths.filter { $0.rows > 0 }.map { Chart.Point($0.meanPredicted, $0.meanActual - $0.meanPredicted) }
    return Report.Figure(
      id: "residual-predicted",
      chart: Chart(
        title: "Residuals over predicted values",
        description: "Density of residuals, actual less predicted; the squares are the mean of each tenth of the predictions.",
        x: Chart.Axis("predicted" + unit, .linear(grid.x)), y: Chart.Axis("actual − predicted" + unit, .linear(grid.y)),
        marks: [
          .grid(columns: PredictionSummary.gridSize, rows: PredictionSummary.gridSize, levels: grid.levels),
          .horizontalRule(0), .dots(means, .second),
        ],
        legend: [.init(.dot, .second, "mean of each tenth of the rows")]),
      caption: [
        .strong("Residuals over predicted. "),
        .text("\(NumberText.count(summary.rows)) rows, binned. Squares away from zero show where the model is biased."),
        .text(outside(grid.outside)),
      ],
      data: biasTable(summary, unit))
  }

  private static func residuals(_ summary: PredictionSummary, _ unit: String) -> Report.Figure {
    let total = Double(max(1, summary.rows))
    let shares = summary.residualCounts.map { Double($0) / total }
    let edges = summary.residualEdges
    let top = Ticks.roundedRange(from: 0, to: max(shares.max() ?? 0, 1e-6), count: 5)
    let mean = NumberText.plain(summary.meanResidual)
    return Report.Figure(
      id: "residual-histogram",
      chart: Chart(
        title: "Distribution of residuals",
        description: "Histogram of actual less predicted for \(NumberText.count(summary.rows)) rows; their mean is \(mean).",
        x: Chart.Axis("actual − predicted" + unit, .linear((edges.first ?? 0)...(edges.last ?? 1))),
        y: Chart.Axis("share of rows", .share(top)),
        marks: [.histogram(edges: edges, heights: shares), .verticalRule(0)]),
      caption: [
        .strong("Residuals. "),
        .text("\(NumberText.count(summary.rows)) rows; the mean is \(mean)\(unit.isEmpty ? "" : unit.replacingParentheses)."),
        .text(outside(summary.residualsOutside)),
      ],
      data: Report.Table(
        caption: "Rows by residual", columns: [.init("From", .end), .init("To", .end), .init("Rows", .end)],
        rows: summary.residualCounts.enumerated().map { index, count in
          [
            [.text(NumberText.plain(edges[index]))], [.text(NumberText.plain(edges[index + 1]))],
            [.text(NumberText.count(count))],
          ]
        }))
  }

  private static func coverageByTenth(_ summary: PredictionSummary, _ unit: String, nominal: Double?) -> Report.Figure? {
    let tenths = summary.tenths.filter { $0.withInterval > 0 }
    guard summary.withInterval > 0, !tenths.isEmpty else { return nil }
    let points = tenths.map { coveragePoint($0.meanPredicted, $0.covered, $0.withInterval) }
    let share = Double(summary.covered) / Double(summary.withInterval)
    return Report.Figure(
      id: "coverage-predicted",
      chart: Chart(
        title: "Share of actual values inside the interval, by prediction",
        description: "Coverage of the prediction interval by tenths of the predictions; overall \(percent(share)).",
        x: Chart.Axis("predicted" + unit, .linear(summary.residualPredicted.x)),
        y: Chart.Axis("inside the interval", .share(coverageRange(points, nominal))),
        marks: nominalRule(nominal) + [.dots(points, .first)], legend: nominalLegend(nominal)),
      caption: [
        .strong("Interval coverage by prediction. "),
        .text(
          "\(percent(share)) of \(NumberText.count(summary.withInterval)) rows are inside\(nominalWords(nominal)). Whiskers: 95% Wilson interval."
        ),
      ],
      data: Report.Table(
        caption: "Coverage by tenths of the predictions",
        columns: [.init("Mean predicted", .end), .init("Rows", .end), .init("Inside", .end)],
        rows: tenths.map {
          [
            [.text(NumberText.fixed($0.meanPredicted, decimals: 2))], [.text(NumberText.count($0.withInterval))],
            [.text(percent(Double($0.covered) / Double($0.withInterval)))],
          ]
        }))
  }

  private static func coverageOverTime(_ summary: PredictionSummary, nominal: Double?) -> Report.Figure? {
    let periods = summary.periods
    guard periods.count > 1 else { return nil }
    let points = periods.enumerated().map { coveragePoint(Double($0.offset), $0.element.covered, $0.element.rows) }
    return Report.Figure(
      id: "coverage-time",
      chart: Chart(
        title: "Share of actual values inside the interval, over time",
        description: "Coverage of the prediction interval from \(periods[0].label) to \(periods[periods.count - 1].label).",
        x: Chart.Axis(periods[0].label.count > 7 ? "day" : "month", .bands(periods.map(\.label))),
        y: Chart.Axis("inside the interval", .share(coverageRange(points, nominal))),
        marks: nominalRule(nominal) + [
          .ribbon(points, .first), .line(points, .first), .dots(points.map { Chart.Point($0.x, $0.y) }, .first),
        ], legend: nominalLegend(nominal)),
      caption: [
        .strong("Interval coverage over time. "),
        .text("\(periods.count) \(periods[0].label.count > 7 ? "days" : "months"); the band is the 95% Wilson interval of each."),
      ],
      data: Report.Table(
        caption: "Coverage over time", columns: [.init("Period"), .init("Rows", .end), .init("Inside", .end)],
        rows: periods.map {
          [[.text($0.label)], [.text(NumberText.count($0.rows))], [.text(percent(Double($0.covered) / Double(max(1, $0.rows))))]]
        }))
  }

  private static func coveragePoint(_ x: Double, _ hits: Int, _ count: Int) -> Chart.Point {
    let interval = wilsonInterval(Double(hits), of: Double(count), level: 0.95)
    return Chart.Point(x, Double(hits) / Double(max(1, count)), low: interval?.low, high: interval?.high)
  }

  private static func coverageRange(_ points: [Chart.Point], _ nominal: Double?) -> ClosedRange<Double> {
    let values = points.flatMap { [$0.low ?? $0.y, $0.high ?? $0.y] } + (nominal.map { [$0 - 0.05, $0 + 0.05] } ?? [])
    let range = Ticks.roundedRange(from: (values.min() ?? 0) * 100, to: (values.max() ?? 1) * 100, count: 6)
    return max(0, range.lowerBound / 100)...min(1, max(range.upperBound / 100, 0.01))
  }

  private static func nominalRule(_ nominal: Double?) -> [Chart.Mark] {
    nominal.map { [.horizontalRule($0)] } ?? []
  }

  private static func nominalLegend(_ nominal: Double?) -> [Chart.LegendEntry] {
    nominal.map { [.init(.dashes, .muted, "should be \(percent($0, decimals: 0))")] } ?? []
  }

  private static func nominalWords(_ nominal: Double?) -> String { nominal.map { ", nominal \(percent($0, decimals: 0))" } ?? "" }

  static func percent(_ share: Double, decimals: Int = 1) -> String { NumberText.fixed(share * 100, decimals: decimals) + "%" }

  private static func outside(_ count: Int) -> String {
    count == 0 ? "" : " \(NumberText.count(count)) rows lie outside of the frame."
  }

  private static func tenthsTable(_ summary: PredictionSummary, _ unit: String) -> Report.Table {
    Report.Table(
      caption: "By tenths of the predictions" + unit,
      columns: [
        .init("Predicted", .end), .init("Rows", .end), .init("Mean predicted", .end), .init("Mean actual", .end),
        .init("Mean |error|", .end),
      ],
      rows: summary.tenths.map { tenth in
        [
          [.text("\(NumberText.fixed(tenth.from, decimals: 2)) to \(NumberText.fixed(tenth.to, decimals: 2))")],
          [.text(NumberText.count(tenth.rows))], [.text(NumberText.fixed(tenth.meanPredicted, decimals: 3))],
          [.text(NumberText.fixed(tenth.meanActual, decimals: 3))],
          [.text(NumberText.fixed(tenth.meanAbsoluteError, decimals: 3))],
        ]
      })
  }

  private static func biasTable(_ summary: PredictionSummary, _ unit: String) -> Report.Table {
    Report.Table(
      caption: "Mean of actual − predicted, by tenths of the predictions" + unit,
      columns: [.init("Mean predicted", .end), .init("Rows", .end), .init("Mean residual", .end)],
      rows: summary.tenths.map { tenth in
        [
          [.text(NumberText.fixed(tenth.meanPredicted, decimals: 3))], [.text(NumberText.count(tenth.rows))],
          [.text(NumberText.signed(tenth.meanActual - tenth.meanPredicted, decimals: 3))],
        ]
      })
  }

  // MARK: Importance

  static func importanceSection(_ input: Input) -> Report.Section? {
    let rows = input.importance.filter { $0.share.isFinite }.sorted { ($0.share, $1.feature) > ($1.share, $0.feature) }
    guard let first = rows.first else { return nil }
    let shown = Array(rows.prefix(20))
    let rest = rows.dropFirst(20).reduce(0) { $0 + $1.share }
    let top = Ticks.roundedRange(from: 0, to: max(first.share, 0.01), count: 5)
    let figure = Report.Figure(
      id: "importance",
      chart: Chart(
        title: "Features by their share of the gain",
        description: "The first is \(first.feature) with \(percent(first.share)).",
        x: Chart.Axis("share of the gain", .share(0...top.upperBound)), y: Chart.Axis("feature", .bands(shown.map(\.feature))),
        marks: [.bars(shown.map(\.share))], height: 78 + Double(shown.count) * 22),
      caption: [
        .strong("Importance by gain. "),
        .text(
          rows.count > shown.count
            ? "The first \(shown.count) of \(rows.count) features; the others together have \(percent(rest))."
            : "\(rows.count) features."),
        .text(" Gain says what the model used, not what causes the outcome."),
      ],
      data: Report.Table(
        caption: "Share of the gain", columns: [.init("Feature"), .init("Share", .end), .init("Bar")],
        rows: rows.prefix(200).map {
          [[.code($0.feature)], [.text(percent($0.share, decimals: 2))], [.muted(bar($0.share, of: first.share))]]
        }))
    return Report.Section(id: "importance-section", title: "Importance", priority: 45, blocks: [.figures([figure])])
  }

  // MARK: Backtest

  static func backtestSection(_ input: Input) -> Report.Section? {
    guard let backtest = input.backtest, let first = backtest.windows.first else { return nil }
    let figures = first.metrics.prefix(4).enumerated().compactMap { backtestFigure($1, backtest, number: $0 + 1) }
    var blocks: [Report.Block] = [
      .paragraph([
        .text("Walk-forward: \(backtest.windows.count) windows, each trained on what came before it and tested on what followed.")
      ])
    ]
    if !figures.isEmpty { blocks.append(.figures(figures)) }
    blocks.append(.table(backtestTable(backtest)))
    return Report.Section(id: "backtest", title: "Backtest", priority: 70, blocks: blocks)
  }

  private static func backtestFigure(_ metric: MetricEstimate, _ backtest: BacktestDocument, number: Int) -> Report.Figure? {
    let found = backtest.windows.map { window in window.metrics.first { $0.name == metric.name } }
    let points = found.enumerated().compactMap { index, estimate in
      estimate.flatMap { $0.value.isFinite ? Chart.Point(Double(index), $0.value, low: $0.low, high: $0.high) : nil }
    }
    guard let low = points.map({ $0.low ?? $0.y }).min(), let high = points.map({ $0.high ?? $0.y }).max() else { return nil }
    let isShare = metric.unit == "share"
    let factor = isShare ? 100.0 : 1
    let rounded = Ticks.roundedRange(from: low * factor, to: high * factor, count: 5)
    let range = (rounded.lowerBound / factor)...(rounded.upperBound / factor)
    let hasBand = points.contains { $0.low != nil }
    let nominal = metric.better == "target" ? MetricChange.target(of: metric.name) : nil
    var marks: [Chart.Mark] = hasBand ? [.ribbon(points, .first)] : []
    marks += [.line(points, .first), .dots(points.map { Chart.Point($0.x, $0.y) }, .first)]
    if let nominal { marks.append(.horizontalRule(nominal)) }
    let level = EstimateText.level(found.compactMap { $0?.level }.first)
    return Report.Figure(
      id: "backtest-\(number)-" + PlainText.slug(metric.name),
      chart: Chart(
        title: "\(metric.label) by window",
        description:
          "\(metric.label) in \(points.count) windows, from \(EstimateText.value(low, unit: metric.unit, decimals: 2)) to \(EstimateText.value(high, unit: metric.unit, decimals: 2)).",
        x: Chart.Axis("window", .bands(backtest.windows.map(\.label))),
        y: Chart.Axis(metric.label + unit(metric.unit), isShare ? .share(range) : .linear(range)), marks: marks,
        legend: nominalLegend(nominal)),
      caption: [
        .strong("\(metric.label) over time. "), .text(hasBand ? "The band is the \(level)." : "No interval was computed."),
      ],
      data: Report.Table(
        caption: "\(metric.label) by window", columns: [.init("Window"), .init(metric.label, .end), .init("Interval", .end)],
        rows: zip(backtest.windows, found).map { window, estimate in
          [
            [.text(window.label)], [.text(estimate.map { EstimateText.value($0) } ?? "–")],
            [.text(estimate.flatMap(EstimateText.interval) ?? "–")],
          ]
        }))
  }

  private static func backtestTable(_ backtest: BacktestDocument) -> Report.Table {
    let metrics = backtest.windows.first?.metrics ?? []
    return Report.Table(
      caption: "Windows",
      columns: [.init("Window"), .init("Trained on", .end), .init("Tested on", .end)] + metrics.map { .init($0.label, .end) },
      rows: backtest.windows.map { window in
        [
          [.text(window.label), .lineBreak, .muted("\(window.testFrom.prefix(10)) to \(window.testTo.prefix(10))")],
          [.text(NumberText.count(window.trainRows))], [.text(NumberText.count(window.testRows))],
        ]
          + metrics.map { metric in window.metrics.first { $0.name == metric.name }.map(estimateCell) ?? [.muted("–")] }
      })
  }

  private static func estimateCell(_ metric: MetricEstimate) -> [Report.Inline] {
    var cell: [Report.Inline] = [.text(EstimateText.value(metric))]
    if let interval = EstimateText.interval(metric) { cell += [.lineBreak, .muted(interval)] }
    return cell
  }
}

extension String {
  /// ` (min)` as it stands after a number: ` min`.
  fileprivate var replacingParentheses: String { filter { $0 != "(" && $0 != ")" } }
}

// How far predicted numbers are from what came: clouds, residuals, quantiles.
// SPDX-License-Identifier: Apache-2.0
package import Evaluation

extension Figures {
  /// Truth over prediction; on the diagonal they agree.
  package static func predictedActual(_ grid: EvaluationFigures.Grid, unit: String = "", id: String = "predicted-actual")
    -> Report.Figure?
  {
    gridFigure(
      grid, title: "Predicted and actual", x: "predicted" + inUnit(unit), y: "actual" + inUnit(unit), id: id, marks: [.identity],
      words: "On the dashed line both agree.")
  }

  /// Truth less prediction, over prediction.
  package static func residualFitted(_ grid: EvaluationFigures.Grid, unit: String = "", id: String = "residual-fitted") -> Report
    .Figure?
  {
    gridFigure(
      grid, title: "Residuals over predicted", x: "predicted" + inUnit(unit), y: "actual − predicted" + inUnit(unit), id: id,
      marks: [.horizontalRule(0), .line(means(grid), .second)],
      words: "The line is the mean of each column: where it leaves zero, the model is biased.",
      legend: [.init(.line, .second, "mean")])
  }

  private static func gridFigure(
    _ grid: EvaluationFigures.Grid, title: String, x: String, y: String, id: String, marks: [Chart.Mark], words: String,
    legend: [Chart.LegendEntry] = []
  ) -> Report.Figure? {
    let (columns, rows) = (grid.xEdges.count - 1, grid.yEdges.count - 1)
    guard columns > 0, rows > 0, grid.counts.count == columns * rows, let left = grid.xEdges.first, let right = grid.xEdges.last,
      let low = grid.yEdges.first, let high = grid.yEdges.last, left < right, low < high
    else { return nil }
    return Report.Figure(
      id: id,
      chart: Chart(
        title: title, description: "\(title): density of \(Figures.rows(grid.rows)).", x: .init(x, .linear(left...right)),
        y: .init(y, .linear(low...high)),
        marks: [.grid(columns: columns, rows: rows, levels: PointBudget.levels(grid.counts))] + marks,
        legend: [PointBudget.densityLegend(grid.counts)] + legend, height: 320),
      caption: caption(
        title + ".",
        [
          "\(Figures.rows(grid.rows)), binned; the stronger the colour, the more (logarithmic).", words,
          grid.outside > 0 ? "\(Figures.rows(grid.outside)) outside of the frame." : nil,
        ]),
      data: table(
        title, ["#" + x, "#Rows", "#Mean of \(y)"],
        (0..<columns).compactMap { column -> [String]? in
          let (count, mean) = columnMean(grid, column)
          guard count > 0 else { return nil }
          return [
            "\(NumberText.plain(grid.xEdges[column])) to \(NumberText.plain(grid.xEdges[column + 1]))", NumberText.count(count),
            NumberText.plain(mean),
          ]
        }))
  }

  private static func means(_ grid: EvaluationFigures.Grid) -> [Chart.Point] {
    (0..<max(0, grid.xEdges.count - 1)).compactMap { column in
      let (count, mean) = columnMean(grid, column)
      // A handful of rows says nothing of the mean.
      return count >= max(5, grid.rows / 1_000) ? .init((grid.xEdges[column] + grid.xEdges[column + 1]) / 2, mean) : nil
    }
  }

  /// From the middles of the cells.
  private static func columnMean(_ grid: EvaluationFigures.Grid, _ column: Int) -> (count: Int, mean: Double) {
    let columns = grid.xEdges.count - 1
    var count = 0
    var sum = 0.0
    for row in 0..<(grid.yEdges.count - 1) {
      let cell = grid.counts[row * columns + column]
      count += cell
      sum += Double(cell) * (grid.yEdges[row] + grid.yEdges[row + 1]) / 2
    }
    return (count, count > 0 ? sum / Double(count) : 0)
  }

  /// Share of the truths that lie in their interval, over what was predicted.
  package static func coverage(_ coverage: EvaluationFigures.Coverage, unit: String = "", id: String = "coverage") -> Report
    .Figure?
  {
    let parts = coverage.byPrediction
    let rows = parts.reduce(0) { $0 + $1.rows }
    guard rows > 0 else { return nil }
    let points = parts.map { coveragePoint($0.prediction, $0) }
    let share = Double(parts.reduce(0) { $0 + $1.covered }) / Double(rows)
    return Report.Figure(
      id: id,
      chart: Chart(
        title: "Coverage of the interval by prediction",
        description: "\(percent(share)) of the actual values lie in the interval, by tenths of the predictions.",
        x: .init("predicted" + inUnit(unit), .holding(points.map(\.x))),
        y: .init("inside the interval", .holdingShares(extent(points) + [coverage.nominal])),
        marks: [.horizontalRule(coverage.nominal), .dots(points, .first)], legend: nominalLegend(coverage)),
      caption: caption(
        "Coverage by prediction.",
        [
          "\(percent(share)) of \(Figures.rows(rows)) are inside, nominal \(percent(coverage.nominal, 0)).",
          "Whiskers: \(percent(coverage.level, 0)) Wilson interval.",
        ]),
      data: coverageTable("Coverage by tenths of the predictions", "Predicted", parts))
  }

  /// The same along time.
  package static func coverageOverTime(_ coverage: EvaluationFigures.Coverage, id: String = "coverage-time") -> Report.Figure? {
    let parts = coverage.byTime
    guard parts.count > 1 else { return nil }
    let points = parts.enumerated().map { coveragePoint(Double($0.offset), $0.element) }
    return Report.Figure(
      id: id,
      chart: Chart(
        title: "Coverage of the interval over time",
        description: "Coverage from \(parts[0].label) to \(parts[parts.count - 1].label).",
        x: .init(coverage.unit, .bands(parts.map(\.label))),
        y: .init("inside the interval", .holdingShares(extent(points) + [coverage.nominal])),
        marks: [.horizontalRule(coverage.nominal), .ribbon(points, .first), .line(points, .first)],
        legend: nominalLegend(coverage)),
      caption: caption(
        "Coverage over time.",
        ["By \(coverage.unit); the band is the \(percent(coverage.level, 0)) Wilson interval of each."]),
      data: coverageTable("Coverage over time", coverage.unit.prefix(1).uppercased() + coverage.unit.dropFirst(), parts))
  }

  private static func coveragePoint(_ x: Double, _ part: EvaluationFigures.Coverage.Part) -> Chart.Point {
    .init(x, Double(part.covered) / Double(max(1, part.rows)), low: part.low, high: part.high)
  }

  private static func nominalLegend(_ coverage: EvaluationFigures.Coverage) -> [Chart.LegendEntry] {
    [.init(.dashes, .muted, "should be \(percent(coverage.nominal, 0))")]
  }

  private static func coverageTable(_ title: String, _ first: String, _ parts: [EvaluationFigures.Coverage.Part]) -> Report.Table
  {
    table(
      title, [first, "#Rows", "#Inside"],
      parts.map { [$0.label, NumberText.count($0.rows), percent(Double($0.covered) / Double(max(1, $0.rows)))] })
  }

  /// Sorted residuals against the quantiles of the normal law.
  package static func residualQuantiles(_ plot: EvaluationFigures.QuantilePlot, unit: String = "", id: String = "residual-qq")
    -> Report.Figure?
  {
    guard let first = plot.points.first, let last = plot.points.last, plot.points.count > 2 else { return nil }
    let ends = [first, last].map { Chart.Point($0.normal, plot.mean + plot.deviation * $0.normal) }
    return Report.Figure(
      id: id,
      chart: Chart(
        title: "Quantiles of the residuals", description: "Sorted residuals over the quantiles of the normal law.",
        x: .init("quantile of the normal law", .holding(plot.points.map(\.normal), count: 6)),
        y: .init("actual − predicted" + inUnit(unit), .holding(plot.points.map(\.residual) + ends.map(\.y), count: 6)),
        marks: [.segment(ends[0], ends[1]), .dots(plot.points.map { .init($0.normal, $0.residual) }, .first)]),
      caption: caption(
        "Quantiles of the residuals.",
        [
          "On the dashed line they would be normal; ends that bend away are heavy tails.",
          PointBudget.showing(plot.points.count, of: plot.pointsInAll, "points"),
        ]),
      data: table(
        "Quantiles of the residuals", ["#Normal", "#Residual"],
        plot.points.map { [number($0.normal, 2), NumberText.plain($0.residual)] },
        of: plot.pointsInAll))
  }
}

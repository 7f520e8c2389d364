// Values along time, rounds and rows: backtests, learning curves, sparklines.
// SPDX-License-Identifier: Apache-2.0
package import Evaluation

extension Figures {
  /// Truth, prediction and the interval's band along time.
  package static func timeline(_ timeline: EvaluationFigures.Timeline, unit: String = "", id: String = "timeline") -> Report
    .Figure?
  {
    let buckets = timeline.buckets
    guard let first = buckets.first, let last = buckets.last, buckets.count > 1, first.start < last.start else { return nil }
    let hasBand = buckets.contains { $0.low != nil && $0.high != nil }
    let values = buckets.map(\.truth) + buckets.map(\.prediction) + buckets.compactMap(\.low) + buckets.compactMap(\.high)
    let range = first.start...last.start
    let each = timeline.bucket == "row" ? "" : " by \(timeline.bucket)"
    let covered = buckets.compactMap(\.covered).reduce(0, +)
    let counted = buckets.filter { $0.covered != nil }.reduce(0) { $0 + $1.rows }
    return Report.Figure(
      id: id,
      chart: Chart(
        title: "Actual and predicted over time",
        description: "Means\(each) of \(rows(timeline.rows)), from \(first.label) to \(last.label).",
        x: .init("", timeline.isCalendar ? .time(range) : .linear(range)), y: .init("value" + inUnit(unit), .holding(values)),
        marks: (hasBand ? [.ribbon(buckets.map { .init($0.start, $0.prediction, low: $0.low, high: $0.high) }, .second)] : [])
          + [
            .line(buckets.map { .init($0.start, $0.truth) }, .first),
            .line(buckets.map { .init($0.start, $0.prediction) }, .second),
          ],
        legend: [.init(.line, .first, "actual"), .init(.line, .second, "predicted")]
          + (hasBand ? [.init(.area, .second, "prediction interval")] : []), width: 460),
      caption: caption(
        "Actual and predicted over time.",
        [
          timeline.bucket == "row" ? "\(rows(timeline.rows))." : "Means\(each) of \(rows(timeline.rows)).",
          counted > 0 ? "\(percent(Double(covered) / Double(counted))) of the actual values lie in the interval." : nil,
        ]),
      data: table(
        "Actual and predicted over time", ["Time", "#Rows", "#Actual", "#Predicted", "#Interval", "#Mean |error|"],
        buckets.map {
          [
            $0.label, NumberText.count($0.rows), NumberText.plain($0.truth), NumberText.plain($0.prediction),
            interval($0.low, $0.high),
            NumberText.plain($0.absoluteError),
          ]
        }))
  }

  /// One metric in the windows of a backtest, in their order.
  package static func windows(
    _ windows: [EvaluationWindow], metric name: String, nominal: Double? = nil, id: String
  ) -> Report.Figure? {
    let found = windows.map { window in window.metrics.first { $0.name == name } }
    guard let metric = found.compactMap({ $0 }).first else { return nil }
    let points = found.enumerated().compactMap { index, one in
      one.flatMap { $0.value.isFinite ? Chart.Point(Double(index), $0.value, low: $0.low, high: $0.high) : nil }
    }
    guard !points.isEmpty else { return nil }
    let values = extent(points) + (nominal.map { [$0] } ?? [])
    let hasBand = points.contains { $0.low != nil }
    return Report.Figure(
      id: id,
      chart: Chart(
        title: "\(metric.label) by window", description: "\(metric.label) in \(points.count) windows.",
        x: .init("window", .bands(windows.map(\.label))),
        y: .init(metric.label + inUnit(metric.unit), metric.unit == "share" ? .holdingShares(values) : .holding(values)),
        marks: (hasBand ? [.ribbon(points, .first)] : []) + [
          .line(points, .first), .dots(points.map { .init($0.x, $0.y) }, .first),
        ]
          + (nominal.map { [.horizontalRule($0)] } ?? []),
        legend: nominal.map { [.init(.dashes, .muted, "should be \(percent($0, 0))")] } ?? []),
      caption: caption("\(metric.label) by window.", [hasBand ? "The band is the confidence interval of each." : nil]),
      data: table(
        "\(metric.label) by window", ["Window", "#Rows", "#" + metric.label, "#Interval"],
        zip(windows, found).map { window, one in
          [
            window.label, NumberText.count(window.rows), one.map { EstimateText.value($0) } ?? "–",
            one.flatMap(EstimateText.interval) ?? "–",
          ]
        }))
  }

  /// A line of a learning curve: `train`, `validation`.
  package struct NamedLine: Sendable, Equatable {
    package var name: String
    package var points: [Chart.Point]
    package init(_ name: String, _ points: [Chart.Point]) {
      self.name = name
      self.points = points
    }
  }

  /// A loss or a score over rounds or over rows trained on; the first line's best round of the last one is marked.
  ///
  /// - Parameter better: `lower` or `higher`: which end of the last line is marked.
  package static func learningCurves(
    _ lines: [NamedLine], x: String, y: String, better: String? = "lower", isLogarithmic: Bool = false,
    id: String = "learning-curves"
  ) -> Report.Figure? {
    let shown = lines.prefix(Chart.Series.most).map { NamedLine($0.name, $0.points.filter { $0.x.isFinite && $0.y.isFinite }) }
    let all = shown.flatMap(\.points)
    guard let low = all.map(\.x).min(), let high = all.map(\.x).max(), let last = shown.last(where: { !$0.points.isEmpty }) else {
      return nil
    }
    let values = extent(all)
    let best = better.flatMap { better in last.points.min { better == "lower" ? $0.y < $1.y : $0.y > $1.y } }
    let isLog = isLogarithmic && values.allSatisfy { $0 > 0 }
    let scale: Chart.Scale = isLog ? .log((values.min() ?? 1) / 1.3...(values.max() ?? 1) * 1.3) : .holding(values)
    let areFew = all.count <= 30
    return Report.Figure(
      id: id,
      chart: Chart(
        title: "Learning curves", description: "\(y) over \(x): \(shown.map(\.name).joined(separator: ", ")).",
        x: .init(x, .linear(low < high ? low...high : low - 1...high + 1)), y: .init(y, scale),
        marks: shown.enumerated().flatMap { index, line -> [Chart.Mark] in
          let hasBand = line.points.contains { $0.low != nil }
          return (hasBand ? [.ribbon(line.points, .nth(index))] : []) + [.line(line.points, .nth(index))]
            + (areFew ? [.dots(line.points.map { .init($0.x, $0.y) }, .nth(index))] : [])
        } + (best.map { [.verticalRule($0.x)] } ?? []),
        legend: shown.enumerated().map { .init(areFew ? .lineDot : .line, .nth($0.offset), $0.element.name) }
          + (best.map { [.init(.dashes, .muted, "best \(last.name): \(NumberText.plain($0.y)) at \(NumberText.plain($0.x))")] }
            ?? [])),
      caption: caption(
        "Learning curves.",
        [
          best.map { "\(last.name) is best at \(x) \(NumberText.plain($0.x)) with \(NumberText.plain($0.y))." },
          PointBudget.lineNote(shown.map(\.points.count).max() ?? 0), beyondEight(lines.count, "lines"),
        ]),
      data: table(
        y, ["Line", "#" + x, "#" + y],
        lines.flatMap { line in line.points.map { [line.name, NumberText.plain($0.x), NumberText.plain($0.y)] } }))
  }

  /// A line of the size of a word, its last value marked; no axes.
  package static func sparkline(_ values: [Double], title: String) -> Chart? {
    let points = values.enumerated().filter { $0.element.isFinite }.map { Chart.Point(Double($0.offset), $0.element) }
    guard let low = points.map(\.y).min(), let high = points.map(\.y).max(), let last = points.last, points.count > 1 else {
      return nil
    }
    let room = max((high - low) * 0.15, abs(high) * 1e-9, 1e-12)
    return Chart(
      title: title,
      description:
        "\(values.count) values from \(NumberText.plain(low)) to \(NumberText.plain(high)); the last is \(NumberText.plain(last.y)).",
      x: .init("", .linear(points[0].x...last.x), look: .none), y: .init("", .linear(low - room...high + room), look: .none),
      marks: [.line(points, .first), .dots([last], .second)], width: 140, height: 44)
  }

  /// Several short histories under each other, each with its last value.
  package static func sparklines(_ lines: [(name: String, values: [Double])], id: String = "sparklines") -> Report.Figure? {
    let shown = lines.filter { $0.values.filter(\.isFinite).count > 1 }
    guard !shown.isEmpty else { return nil }
    let panels = shown.compactMap { line -> Chart.Panel? in
      guard var panel = sparkline(line.values, title: line.name)?.panels.first else { return nil }
      panel.title = line.name
      return panel
    }
    return Report.Figure(
      id: id,
      chart: Chart(
        title: "Short histories", description: shown.map(\.name).joined(separator: ", "), panels: panels, columns: 3, width: 440,
        height: 64),
      caption: caption("Short histories.", ["The mark is the last value."]),
      data: wholeTable(
        "Short histories", ["Name", "#Values", "#First", "#Lowest", "#Highest", "#Last"],
        shown.map { line in
          let finite = line.values.filter(\.isFinite)
          return [
            line.name, NumberText.count(line.values.count), NumberText.plain(finite.first ?? 0),
            NumberText.plain(finite.min() ?? 0),
            NumberText.plain(finite.max() ?? 0), NumberText.plain(finite.last ?? 0),
          ]
        }))
  }
}

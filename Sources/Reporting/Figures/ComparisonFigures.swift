// This beside that: metrics against a reference, columns against their baseline, trials against one another.
// SPDX-License-Identifier: Apache-2.0
package import Evaluation

extension Figures {
  /// Differences of metrics to the reference with their intervals; the label says how each is read after Holm's correction.
  package static func forest(_ rows: [EvaluationFigures.ForestRow], reference: String = "the reference", id: String = "forest")
    -> Report.Figure?
  {
    let all = rows.filter { $0.difference.isFinite && $0.low.isFinite && $0.high.isFinite }
    guard let first = all.first else { return nil }
    // One unit needs no common measure; several are shown as shares of the reference.
    let isAbsolute = all.allSatisfy { $0.unit == first.unit } || all.allSatisfy { $0.relative == nil }
    let shown = isAbsolute ? all : all.filter { $0.relative != nil && $0.relativeLow != nil && $0.relativeHigh != nil }
    let points = shown.enumerated().map { index, row in
      isAbsolute
        ? Chart.Point(row.difference, Double(index), low: row.low, high: row.high)
        : Chart.Point(row.relative ?? 0, Double(index), low: row.relativeLow, high: row.relativeHigh)
    }
    let values = points.map(\.x) + points.compactMap(\.low) + points.compactMap(\.high) + [0]
    let kinds: [(reading: ChangeReading?, series: Chart.Series, name: String)] = [
      (.better, .third, "better"), (.worse, .second, "worse"), (.moved, .first, "moved"),
      (.noEvidence, .muted, "no evidence of change"),
      (.same, .muted, "the same"), (nil, .muted, "not tested"),
    ]
    let present = kinds.filter { kind in shown.contains { $0.reading == kind.reading } }
    let isShare = !isAbsolute || first.unit == "share"
    return Report.Figure(
      id: id,
      chart: Chart(
        title: "Differences to \(reference)",
        description: shown.map { "\($0.label): \(readingWords($0.reading))" }.joined(separator: "; "),
        x: .init(
          isAbsolute ? "difference\(inUnit(first.unit))" : "difference, as a share of the value of \(reference)",
          isShare ? .holdingShares(values) : .holding(values)),
        y: .init("", .bands(shown.map { "\($0.label): \(shortReading($0.reading))" })),
        marks: [.verticalRule(0)]
          + present.map { kind in .intervals(zip(shown, points).filter { $0.0.reading == kind.reading }.map(\.1), kind.series) },
        legend: present.filter { $0.series != .muted }.map { .init(.dot, $0.series, $0.name) },
        height: 60 + Double(shown.count) * 30),
      caption: caption(
        "Differences to \(reference).",
        [
          "This run less \(reference), with intervals. The reading is after Holm’s correction for all metrics together.",
          shown.count < rows.count ? "\(rows.count - shown.count) metrics have no common measure and stand in the table." : nil,
        ]),
      data: wholeTable(
        "Differences to \(reference)", ["Metric", "#Difference", "#Interval", "#Relative", "Better", "Reading"],
        rows.map {
          [
            $0.label, NumberText.plain($0.difference) + unitText($0.unit),
            "\(NumberText.plain($0.low)) to \(NumberText.plain($0.high))",
            percent($0.relative), $0.better, readingWords($0.reading),
          ]
        }))
  }

  private static func unitText(_ unit: String) -> String { unit.isEmpty || unit == "share" ? "" : " " + unit }

  private static func shortReading(_ reading: ChangeReading?) -> String {
    reading == .noEvidence ? "no evidence" : readingWords(reading)
  }

  private static func readingWords(_ reading: ChangeReading?) -> String {
    switch reading {
    case .better: "better"
    case .worse: "worse"
    case .moved: "moved"
    case .noEvidence: "no evidence of change"
    case .same: "the same"
    case nil: "not tested"
    }
  }

  /// A column's distribution now and at the baseline.
  package struct DriftColumn: Sendable, Equatable {
    package var name: String
    /// Ends of numeric bins; empty for names.
    package var edges: [Double]
    /// Names of the bars where there are no edges.
    package var categories: [String]
    package var current: [Int]
    package var baseline: [Int]
    /// `PSI`, `KS`, `χ²`, `JS`.
    package var test: String
    package var value: Double
    package var threshold: Double
    package var hasDrifted: Bool
    package init(
      name: String, edges: [Double] = [], categories: [String] = [], current: [Int], baseline: [Int], test: String, value: Double,
      threshold: Double, hasDrifted: Bool
    ) {
      self.name = name
      self.edges = edges
      self.categories = categories
      self.current = current
      self.baseline = baseline
      self.test = test
      self.value = value
      self.threshold = threshold
      self.hasDrifted = hasDrifted
    }
  }

  static let driftPanels = 12
  /// Values of a column of text that a panel has room for.
  static let driftCategories = 8

  /// A small panel a column, drifted ones first.
  package static func drift(_ columns: [DriftColumn], baseline: String = "the baseline", id: String = "drift") -> Report.Figure? {
    let sorted = columns.sorted { ($0.hasDrifted ? 0 : 1, -$0.value, $0.name) < ($1.hasDrifted ? 0 : 1, -$1.value, $1.name) }
    let shown = Array(sorted.prefix(driftPanels))
    guard !shown.isEmpty else { return nil }
    let drifted = columns.filter(\.hasDrifted).count
    return Report.Figure(
      id: id,
      chart: Chart(
        title: "Distribution of columns", description: "\(drifted) of \(columns.count) columns drifted.",
        panels: shown.map(driftPanel),
        columns: 2,
        legend: [.init(.area, .muted, baseline), .init(.line, .first, "now")], width: 460, height: 140),
      caption: caption(
        "Distribution of columns, now and in \(baseline).",
        [
          "\(drifted) of \(NumberText.count(columns.count)) columns drifted.", "Shares of rows; ✗ is above the threshold.",
          PointBudget.showing(shown.count, of: columns.count, "columns"),
        ]),
      data: wholeTable(
        "Drift by column", ["Column", "Test", "#Value", "#Threshold", "Drifted"],
        sorted.prefix(200).map { [$0.name, $0.test, number($0.value), number($0.threshold), $0.hasDrifted ? "✗ yes" : "✓ no"] }))
  }

  private static func driftPanel(_ column: DriftColumn) -> Chart.Panel {
    func shares(_ counts: [Int]) -> [Double] {
      let total = Double(max(1, counts.reduce(0, +)))
      return counts.map { Double($0) / total }
    }
    let (now, then) = (shares(column.current), shares(column.baseline))
    let title = "\(column.hasDrifted ? "✗" : "✓") \(column.name): \(column.test) \(number(column.value, 2))"
    if let low = column.edges.first, let high = column.edges.last, low < high {
      return .init(
        title: title, x: .init("", .linear(low...high)), y: .init("", .holdingShares(now + then, fromZero: true)),
        marks: [
          .steps(edges: column.edges, heights: then, .muted, isOutlined: true),
          .steps(edges: column.edges, heights: now, .first, isOutlined: true),
        ])
    }
    // What finds no room counts all the same.
    let isFolded = column.categories.count > driftCategories
    let kept = isFolded ? driftCategories - 1 : column.categories.count
    func drawn(_ shares: [Double]) -> [Double] { shares.prefix(kept) + (isFolded ? [shares.dropFirst(kept).reduce(0, +)] : []) }
    let edges = (0...max(1, drawn(now).count)).map { Double($0) - 0.5 }
    return .init(
      title: title, x: .init("", .bands(column.categories.prefix(kept) + (isFolded ? ["all others"] : [])), look: .labels),
      y: .init("", .holdingShares(drawn(now) + drawn(then), fromZero: true)),
      marks: [
        .steps(edges: edges, heights: drawn(then), .muted, isOutlined: true),
        .steps(edges: edges, heights: drawn(now), .first, isOutlined: true),
      ])
  }

  /// A parameter or a metric of trials.
  package struct ParallelAxis: Sendable, Equatable {
    package var name: String
    /// One for each trial; not finite where a trial has none.
    package var values: [Double]
    package init(_ name: String, _ values: [Double]) {
      self.name = name
      self.values = values
    }
  }

  static let parallelLines = 200

  /// A line a trial through all axes; the trials named in `highlighted` are drawn over the others.
  package static func parallel(
    _ axes: [ParallelAxis], trials: [String], highlighted: [Int] = [0], id: String = "parallel"
  ) -> Report.Figure? {
    let ranges = axes.map { axis -> ClosedRange<Double>? in
      let finite = axis.values.filter(\.isFinite)
      return finite.min().flatMap { low in finite.max().map { low...$0 } }
    }
    guard axes.count > 1, !trials.isEmpty, ranges.allSatisfy({ $0 != nil }) else { return nil }
    func line(_ trial: Int) -> [Chart.Point] {
      axes.enumerated().map { index, axis in
        let range = ranges[index] ?? 0...1
        let width = range.upperBound - range.lowerBound
        let value = trial < axis.values.count ? axis.values[trial] : .nan
        return .init(Double(index), width > 0 ? (value - range.lowerBound) / width : value.isFinite ? 0.5 : .nan)
      }
    }
    let chosen = Array(highlighted.filter { $0 < trials.count }.prefix(Chart.Series.most))
    let others = PointBudget.thinned(trials.indices.filter { !chosen.contains($0) }, to: parallelLines)
    var marks: [Chart.Mark] = axes.indices.map { .axisLine(x: Double($0), from: 0, to: 1) }
    marks += others.map { .faintLine(line($0), .muted) }
    marks += chosen.enumerated().map { .line(line($0.element), .nth($0.offset)) }
    for (index, range) in ranges.enumerated() {
      guard let range else { continue }
      marks.append(.text(NumberText.plain(range.upperBound), x: Double(index), y: 1.09, .middle))
      marks.append(.text(NumberText.plain(range.lowerBound), x: Double(index), y: -0.09, .middle))
    }
    return Report.Figure(
      id: id,
      chart: Chart(
        title: "Trials", description: "\(trials.count) trials over \(axes.map(\.name).joined(separator: ", ")).",
        x: .init("", .bands(axes.map(\.name)), look: .labels), y: .init("", .linear(-0.15...1.15), look: .none), marks: marks,
        legend: chosen.enumerated().map { .init(.line, .nth($0.offset), trials[$0.element]) }
          + (others.isEmpty ? [] : [.init(.faintLine, .muted, "others")]), width: 460, height: 280),
      caption: caption(
        "Trials.",
        [
          "\(NumberText.count(trials.count)) trials, each a line through its values; numbers are the ends of each axis.",
          PointBudget.showing(others.count + chosen.count, of: trials.count, "trials"),
        ]),
      data: table(
        "Trials", ["Trial"] + axes.map { "#" + $0.name },
        trials.indices.map { trial in
          [trials[trial]] + axes.map { trial < $0.values.count ? NumberText.plain($0.values[trial]) : "–" }
        }))
  }
}

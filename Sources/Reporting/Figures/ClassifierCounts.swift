// What scores and decisions come to: calibration, histogram of scores, thresholds, confusion.
// SPDX-License-Identifier: Apache-2.0
package import Evaluation

extension Figures {
  /// Share that came true over the mean score of each bin, above how many rows the bins have.
  package static func calibration(_ all: [EvaluationFigures.Calibration], id: String = "calibration") -> Report.Figure? {
    let shown = Array(all.prefix(4))
    guard let first = shown.first, !first.bins.isEmpty else { return nil }
    let most = first.bins.map(\.rows).max() ?? 1
    let dots = shown.enumerated().flatMap { index, one -> [Chart.Mark] in
      let points = one.bins.map { Chart.Point($0.meanScore, $0.share, low: $0.low, high: $0.high) }
      return shown.count == 1
        ? [.line(points, .first), .dots(points, .first)] : [.line(points, .nth(index)), .dots(points, .nth(index))]
    }
    let edges = first.bins.map(\.from) + [first.bins[first.bins.count - 1].to]
    let isSolid = zip(first.bins, first.bins.dropFirst()).allSatisfy { abs($0.to - $1.from) < 1e-9 }
    let counts =
      isSolid
      ? [Chart.Mark.steps(edges: edges, heights: first.bins.map { Double($0.rows) }, .muted, isOutlined: false)]
      : first.bins.map { .steps(edges: [$0.from, $0.to], heights: [Double($0.rows)], .muted, isOutlined: false) }
    return Report.Figure(
      id: id,
      chart: Chart(
        title: "Calibration",
        description: "Share of positives over the mean score of each bin; expected error \(number(first.error)).",
        panels: [
          .init(
            x: .init("mean score", .share(0...1)), y: .init("came true", .share(0...1)), marks: [.identity] + dots),
          .init(
            x: .init("score", .share(0...1)),
            y: .init("rows", .linear(Chart.Scale.range([0, Double(most)], count: 4, fromZero: true))),
            marks: counts),
        ], columns: 2,
        legend: shown.count > 1
          ? shown.enumerated().map { .init(.lineDot, .nth($0.offset), "\($0.element.name): error \(number($0.element.error))") }
          : [],
        width: 460, height: 250),
      caption: caption(
        "Calibration.",
        [
          "On the dashed line a score of 30% comes true 30 times in 100. Whiskers: 95% Wilson interval.",
          shown.count == 1 ? "Expected calibration error \(number(first.error))." : "Counts are those of \(first.name).",
          PointBudget.showing(shown.count, of: all.count, "classes"),
        ]),
      data: table(
        "Calibration", ["Scores", "#Rows", "#Mean score", "#Came true", "#95% interval"],
        shown.flatMap { one in
          one.bins.map {
            [
              (one.name.isEmpty ? "" : one.name + ", ") + "\(number($0.from, 2)) to \(number($0.to, 2))",
              NumberText.count($0.rows),
              number($0.meanScore), percent($0.share), "\(percent($0.low)) to \(percent($0.high))",
            ]
          }
        }))
  }

  /// Shares of rows over bins; several series lie over each other.
  package static func histogram(
    _ histogram: EvaluationFigures.Histogram, title: String, axis: String, unit: String = "", id: String, rule: Double? = nil
  ) -> Report.Figure? {
    let shown = Array(histogram.series.prefix(Chart.Series.most))
    guard let low = histogram.edges.first, let high = histogram.edges.last, low < high, !shown.isEmpty else { return nil }
    let heights = shown.map { one in
      let total = Double(max(1, one.counts.reduce(0, +)))
      return one.counts.map { Double($0) / total }
    }
    let isShare = low >= 0 && high <= 1 && unit.isEmpty
    let outside = histogram.below + histogram.above
    return Report.Figure(
      id: id,
      chart: Chart(
        title: title, description: "\(title): \(rows(histogram.rows)), mean \(NumberText.plain(histogram.mean)).",
        x: .init(axis + inUnit(unit), isShare ? .share(low...high) : .linear(low...high)),
        y: .init(
          shown.count > 1 ? "share of the rows of the class" : "share of rows",
          .holdingShares(heights.flatMap { $0 }, fromZero: true)),
        marks: heights.enumerated().map {
          .steps(edges: histogram.edges, heights: $0.element, .nth($0.offset), isOutlined: shown.count > 1)
        } + (rule.map { [.verticalRule($0)] } ?? []),
        legend: shown.count > 1
          ? shown.enumerated().map {
            .init(.area, .nth($0.offset), "\($0.element.name) (\(NumberText.count($0.element.counts.reduce(0, +))))")
          } : [], height: 260),
      caption: caption(
        title + ".",
        [
          "\(rows(histogram.rows)), binned; mean \(NumberText.plain(histogram.mean))\(unit.isEmpty ? "" : " " + unit).",
          outside > 0 ? "\(rows(outside)) outside of the frame." : nil, beyondEight(histogram.series.count, "classes"),
        ]),
      data: table(
        title, ["#From", "#To"] + shown.map { "#" + ($0.name.isEmpty ? "Rows" : $0.name) },
        zip(histogram.edges, histogram.edges.dropFirst()).enumerated().map { index, edge in
          [NumberText.plain(edge.0), NumberText.plain(edge.1)]
            + shown.map { index < $0.counts.count ? NumberText.count($0.counts[index]) : "–" }
        }))
  }

  /// Scores of each true class.
  package static func scores(_ histogram: EvaluationFigures.Histogram, threshold: Double? = nil, id: String = "scores") -> Report
    .Figure?
  {
    self.histogram(histogram, title: "Scores by true class", axis: "score", id: id, rule: threshold)
  }

  /// Precision, recall, F1 and the share called positive over the threshold.
  package static func thresholds(_ sweep: EvaluationFigures.ThresholdSweep, id: String = "thresholds") -> Report.Figure? {
    guard let best = sweep.points.max(by: { $0.f1 < $1.f1 }), sweep.points.count > 1 else { return nil }
    let lines: [(String, [Chart.Point])] = [
      ("precision", sweep.points.map { .init($0.threshold, $0.precision ?? .nan) }),
      ("recall", sweep.points.map { .init($0.threshold, $0.recall) }),
      ("F1", sweep.points.map { .init($0.threshold, $0.f1) }),
      ("called positive", sweep.points.map { .init($0.threshold, $0.flagged) }),
    ]
    return Report.Figure(
      id: id,
      chart: Chart(
        title: "Threshold sweep", description: "Precision, recall, F1 and the share called positive over the threshold.",
        x: .init("called positive from a score of", .share(0...1)), y: .init("", .share(0...1)),
        marks: lines.enumerated().map { .line($0.element.1, .nth($0.offset)) } + (sweep.chosen.map { [.verticalRule($0)] } ?? []),
        legend: lines.enumerated().map { .init(.line, .nth($0.offset), $0.element.0) }
          + (sweep.chosen.map { [.init(.dashes, .muted, "in use: \(number($0, 2))")] } ?? [])),
      caption: caption(
        "Threshold sweep.",
        [
          "\(rows(sweep.rows)).",
          "F1 is highest at \(number(best.threshold, 2)), with \(number(best.f1)): a choice made on these rows flatters itself on them.",
        ]),
      data: table(
        "Threshold sweep", ["#Threshold", "#Precision", "#Recall", "#Specificity", "#F1", "#Accuracy", "#Called positive"],
        sweep.points.map {
          [
            number($0.threshold, 2), percent($0.precision), percent($0.recall), percent($0.specificity), number($0.f1),
            percent($0.accuracy), percent($0.flagged),
          ]
        }))
  }

  /// Counts of truth against prediction with the share of each row.
  package static func confusion(_ matrix: EvaluationFigures.ConfusionMatrix, id: String = "confusion") -> Report.Figure? {
    guard !matrix.classes.isEmpty, matrix.counts.count == matrix.classes.count else { return nil }
    let sums = matrix.counts.map { $0.reduce(0, +) }
    let most =
      matrix.counts.enumerated().flatMap { row, counts in counts.map { Double($0) / Double(max(1, sums[row])) } }.max() ?? 1
    let cells = matrix.counts.enumerated().flatMap { row, counts in
      counts.enumerated().map { column, count in
        let share = sums[row] > 0 ? Double(count) / Double(sums[row]) : 0
        return Chart.Cell(
          column: column, row: row, level: cellLevel(share / max(most, 1e-9)),
          text: sums[row] > 0 ? [NumberText.count(count), percent(share, share > 0 && share < 0.1 ? 1 : 0)] : [])
      }
    }
    let right = matrix.counts.enumerated().reduce(0) { $0 + $1.element[$1.offset] }
    let size = matrix.classes.count
    return Report.Figure(
      id: id,
      chart: Chart(
        title: "Confusion matrix",
        description:
          "Counts of truth, down, against prediction, across; \(percent(Double(right) / Double(max(1, matrix.rows)))) lie on the diagonal.",
        x: .init("predicted", .bands(matrix.classes), look: .labels), y: .init("actual", .bands(matrix.classes), look: .labels),
        marks: [.cells(cells)], height: min(460, 78 + Double(size) * (size <= 4 ? 56 : size <= 9 ? 38 : 22))),
      caption: caption(
        "Confusion matrix.",
        [
          "\(rows(matrix.rows)). Colour and per cent are shares of the row: of what is so, how much was called what.",
          matrix.merged > 0
            ? "\(NumberText.count(matrix.merged)) rare classes stand together in “\(matrix.classes.last ?? "")”." : nil,
        ]),
      data: wholeTable(
        "Rows by actual and predicted class", ["Actual"] + matrix.classes.map { "#" + $0 },
        zip(matrix.classes, matrix.counts).map { [$0] + $1.map(NumberText.count) }))
  }

  /// 0...1 to a level of a cell; what is there at all is seen.
  static func cellLevel(_ share: Double) -> Int {
    share <= 0 ? 0 : min(Chart.Cell.levels, 1 + Int(share * Double(Chart.Cell.levels) * (1 - 1e-12)))
  }
}

// Values for every figure, drawn with a seed; edge cases beside the plain ones.
// SPDX-License-Identifier: Apache-2.0
import Evaluation
import TestSupport

@testable import Reporting

/// One of each figure, by family.
enum FigureSamples {
  typealias F = EvaluationFigures

  static let all: [Report.Figure] = (classifier + regression + explanation + timelines + comparison + odd).compactMap { $0 }

  // MARK: Values

  /// The sum of twelve draws is near enough to normal.
  static func normal(_ random: inout SeededGenerator) -> Double {
    (0..<12).reduce(-6.0) { sum, _ in sum + Double.random(in: 0..<1, using: &random) }
  }

  static func curve(_ name: String, _ power: Double, count: Int = 200) -> F.Curve {
    let points = (0...count).map { index -> F.Curve.Point in
      let x = Double(index) / Double(count)
      var y = x
      for _ in 0..<Int(power) {
        let rest: Double = 1 - y * 0.55
        y = 1 - (1 - y) * rest
      }
      return .init(x: x, y: min(1, y), threshold: 1 - x)
    }
    return .init(name: name, points: points, pointsInAll: 9_214, rows: 12_000, positives: 3_120, area: 0.5 + 0.09 * power)
  }

  static func precision(_ name: String, _ slope: Double) -> F.Curve {
    let points = (0...150).map { index -> F.Curve.Point in
      let x = Double(index) / 150
      return .init(x: x, y: 1 - slope * x * x, threshold: 1 - x)
    }
    return .init(name: name, points: points, pointsInAll: 151, rows: 12_000, positives: 3_120, area: 1 - slope / 3)
  }

  static let classes = ["bicycle", "car", "delivery van (long wheelbase)", "on foot", "scooter"]

  static func matrix(_ classes: [String], seed: UInt64) -> F.ConfusionMatrix {
    var random = SeededGenerator(seed: seed)
    let counts = classes.indices.map { row in
      classes.indices.map { $0 == row ? Int.random(in: 400...1_900, using: &random) : Int.random(in: 0...260, using: &random) }
    }
    return .init(classes: classes, counts: counts, merged: 0, rows: counts.joined().reduce(0, +))
  }

  static var calibration: F.Calibration {
    let bins = (0..<10).map { index -> F.Calibration.Bin in
      let middle = Double(index) / 10 + 0.05
      let share = min(0.97, middle * 0.9 + 0.02)
      let rows = [4_000, 2_400, 1_500, 900, 600, 420, 380, 500, 700, 600][index]
      let half = 1.2 / Double(rows).squareRoot()
      return .init(
        from: Double(index) / 10, to: Double(index + 1) / 10, rows: rows, meanScore: middle, share: share, low: share - half,
        high: min(1, share + half))
    }
    return .init(name: "", bins: bins, rows: 12_000, error: 0.031)
  }

  static var scores: F.Histogram {
    let edges = (0...20).map { Double($0) / 20 }
    return .init(
      edges: edges,
      series: [
        .init(name: "late", counts: (0..<20).map { 40 + $0 * $0 * 3 }),
        .init(name: "on time", counts: (0..<20).map { 1_500 - $0 * 74 }),
      ], rows: 24_000, mean: 0.37)
  }

  static var sweep: F.ThresholdSweep {
    let points = (0...50).map { index -> F.ThresholdSweep.Point in
      let t = Double(index) / 50
      let recall = 1 - t * t
      let precision = 0.3 + 0.68 * t
      let f1: Double = 2 * precision * recall / (precision + recall)
      let accuracy: Double = 0.6 + 0.3 * t * (1 - t)
      let flagged: Double = (1 - t) * (1 - t)
      return .init(
        threshold: t, precision: t > 0.98 ? nil : precision, recall: recall, specificity: t, f1: f1, accuracy: accuracy,
        flagged: flagged)
    }
    return .init(points: points, chosen: 0.62, rows: 12_000)
  }

  static var gain: F.Gain {
    let points = (0...100).map { index -> F.Gain.Point in
      let looked = Double(index) / 100
      let rest: Double = 1 - looked
      let found: Double = 1 - rest * rest * rest
      return .init(looked: looked, found: found, lift: looked > 0 ? found / looked : 3)
    }
    return .init(name: "", points: points, pointsInAll: 12_000, rows: 12_000, positives: 3_120)
  }

  static func grid(residual: Bool) -> F.Grid {
    var random = SeededGenerator(seed: 3)
    var counts = [Int](repeating: 0, count: 1_600)
    var outside = 0
    for _ in 0..<41_203 {
      let predicted = 20 + 6 * normal(&random)
      let bend: Double = (predicted - 20) * (predicted - 20) / 50
      let actual: Double = predicted + 2.5 * normal(&random) + bend
      let (x, y) = (predicted, residual ? actual - predicted + 20 : actual)
      let (column, row) = (Int(x), Int(y))
      if (0..<40).contains(column), (0..<40).contains(row) { counts[row * 40 + column] += 1 } else { outside += 1 }
    }
    let xs = (0...40).map { Double($0) }
    return .init(xEdges: xs, yEdges: residual ? xs.map { $0 - 20 } : xs, counts: counts, rows: 41_203, outside: outside)
  }

  static var quantiles: F.QuantilePlot {
    let points = (0..<120).map { index -> F.QuantilePlot.Point in
      let z = -2.8 + 5.6 * Double(index) / 119
      let cube: Double = z * z * z
      return .init(normal: z, residual: 0.2 + 2.1 * z + 0.11 * cube)
    }
    return .init(points: points, pointsInAll: 41_203, rows: 41_203, mean: 0.2, deviation: 2.6)
  }

  static func timeline(days: Int, from: CivilDate) -> F.Timeline {
    var random = SeededGenerator(seed: 8)
    let buckets = (0..<days).map { index -> F.Timeline.Bucket in
      let start = from.seconds + Double(index) * 86_400
      let date = CivilDate(daysSince1970: Int(start / 86_400))
      let weekly = [0.0, 1, 2, 1, 4, 7, 5][index % 7]
      let truth = 24 + weekly + normal(&random) + Double(index) / 40
      let predicted = 24.5 + weekly * 0.9 + Double(index) / 42
      return .init(
        start: start, label: "\(date.year)-\(date.month)-\(date.day)", rows: 120, truth: truth, prediction: predicted,
        low: predicted - 3,
        high: predicted + 3.4, absoluteError: abs(truth - predicted), covered: 108)
    }
    return .init(bucket: "day", buckets: buckets, isCalendar: true, rows: days * 120)
  }

  // MARK: Figures

  static var classifier: [Report.Figure?] {
    [
      Figures.roc([curve("", 3)], reference: [curve("", 2)]),
      Figures.roc(classes.enumerated().map { curve($0.element, Double($0.offset % 4 + 1), count: 50) }, id: "roc-classes"),
      Figures.precisionRecall([precision("", 0.7)], reference: [precision("", 0.78)]),
      Figures.calibration([calibration]),
      Figures.scores(scores, threshold: 0.62),
      Figures.thresholds(sweep),
      Figures.gain([gain]),
      Figures.confusion(matrix(["late", "on time"], seed: 1), id: "confusion-binary"),
      Figures.confusion(matrix(classes, seed: 2)),
      Figures.confusion(matrix((0..<20).map { "class \($0)" }, seed: 3), id: "confusion-many"),
    ]
  }

  static var regression: [Report.Figure?] {
    [
      Figures.predictedActual(grid(residual: false), unit: "min"), Figures.residualFitted(grid(residual: true), unit: "min"),
      Figures.residualQuantiles(quantiles, unit: "min"),
      Figures.histogram(
        .init(
          edges: (0...32).map { Double($0) * 0.5 - 8 },
          series: [.init(name: "", counts: (0..<32).map { 900 - ($0 - 15) * ($0 - 15) * 3 })],
          rows: 21_000, below: 12, above: 40, mean: -0.13), title: "Errors", axis: "predicted − actual", unit: "min",
        id: "errors", rule: 0),
    ]
  }

  static let features = [
    "distance_km", "courier_speed_of_the_last_seven_days_mean", "hour", "weather=snow", "restaurant_preparation_time_p90",
    "weekday",
    "orders_in_the_last_30_min", "temperature_c",
  ]

  static var explanation: [Report.Figure?] {
    var random = SeededGenerator(seed: 11)
    let swarm = features.enumerated().map { index, name -> Figures.SwarmFeature in
      let values = (0..<3_000).map { _ in normal(&random) }
      let size = 3 / Double(index + 1)
      let impacts = values.map { value -> Double in
        let noise: Double = 0.2 * normal(&random)
        return (value * 0.6 + noise) * size
      }
      return .init(name, impacts: impacts, values: values)
    }
    let bars = features.enumerated().map { index, name -> Figures.FeatureImportance in
      let value = 2.4 / Double(index + 1)
      return .init(name, value, low: value * 0.8, high: value * 1.25)
    }
    let curve = (0...30).map { step -> Chart.Point in
      let x = Double(step)
      return Chart.Point(x / 3, 12 + x * 0.9, low: 11 + x * 0.8, high: 13 + x)
    }
    let cold = (0...20).map { Chart.Point(Double($0) * 2 - 10, 4 - Double($0) * 0.3) }
    let rows = (0..<5_200).map { _ -> Chart.Point in
      let t: Double = 10 + 8 * normal(&random)
      return Chart.Point(t, 2.5 - t * 0.15 + normal(&random))
    }
    return [
      Figures.importance(bars, measure: "MAE without the feature, min more"), Figures.swarm(swarm, outcome: "the time"),
      Figures.dependence(.init("distance_km", curve: curve), id: "dependence"),
      Figures.dependence(.init("temperature_c", curve: cold, rows: rows, measure: "SHAP value"), id: "dependence-rows"),
    ]
  }

  static var timelines: [Report.Figure?] {
    var random = SeededGenerator(seed: 5)
    let windows = (1...8).map { index -> EvaluationWindow in
      let value = 2.1 + Double(index % 3) * 0.1
      let metric = MetricEstimate(
        name: "mae", label: "MAE", value: value, low: value - 0.1, high: value + 0.15, level: 0.95, better: "lower", unit: "min")
      let month = "2026-0\(index)"
      return EvaluationWindow(label: month, rows: 3_000, from: month + "-01", to: month + "-28", metrics: [metric])
    }
    let train = (1...300).map { step -> Chart.Point in
      let x = Double(step)
      return Chart.Point(x, 3 / x.squareRoot() + 0.4)
    }
    let validation = (1...300).map { step -> Chart.Point in
      let x = Double(step)
      return Chart.Point(x, 3 / x.squareRoot() + 0.7 + x * x / 150_000)
    }
    let falling = (0..<12).map { Chart.Point(Double($0), [7.0, 0.7, 0.07, 0.007][$0 % 4]) }
    let maes = (0..<24).map { _ in 2 + normal(&random) * 0.1 }
    let rmses = (0..<24).map { 3 + Double($0) * 0.02 }
    return [
      Figures.timeline(timeline(days: 90, from: CivilDate(2025, 12, 10)), unit: "min"),
      Figures.timeline(timeline(days: 400, from: CivilDate(2024, 11, 3)), unit: "min", id: "timeline-long"),
      Figures.windows(windows, metric: "mae", id: "windows-mae"),
      Figures.learningCurves([.init("train", train), .init("validation", validation)], x: "round", y: "MAE (min)"),
      Figures.learningCurves(
        [.init("loss", falling)], x: "epoch", y: "loss", isLogarithmic: true,
        id: "learning-log"),
      Figures.sparklines([
        ("mae", maes), ("rmse", rmses), ("coverage_90", [0.88, 0.9, 0.91, 0.89]),
      ]),
      Figures.gantt([
        .init("simulate", from: 0, to: 12.4, outcome: .ran), .init("prepare", from: 12.4, to: 15, outcome: .restored),
        .init("features", from: 15, to: 31, outcome: .ran), .init("train@seed=1", from: 31, to: 92, outcome: .ran),
        .init("train@seed=2", from: 31, to: 77, outcome: .failed), .init("evaluate", from: 92, to: 95.5, outcome: .interrupted),
      ]),
    ]
  }

  static var comparison: [Report.Figure?] {
    func row(_ label: String, _ d: Double, _ half: Double, _ unit: String, _ base: Double, _ reading: ChangeReading?)
      -> F.ForestRow
    {
      .init(
        metric: label, label: label, unit: unit, better: "lower", difference: d, low: d - half, high: d + half,
        relative: d / base,
        relativeLow: (d - half) / base, relativeHigh: (d + half) / base, reading: reading)
    }
    var random = SeededGenerator(seed: 21)
    let counts = (0..<20).map { 1_000 - ($0 - 9) * ($0 - 9) * 8 }
    let weather = Figures.DriftColumn(
      name: "weather", categories: ["clear", "heavy rain", "rain", "snow"], current: [500, 80, 200, 20],
      baseline: [400, 90, 260, 60], test: "χ²",
      value: 0.04, threshold: 0.1, hasDrifted: false)
    var drift = [weather]
    for (index, name) in ["distance_km", "temperature_c", "hour"].enumerated() {
      let width = [0.5, 2, 1.2][index]
      let current = counts.map { count -> Int in index == 0 ? count + Int.random(in: 0...900, using: &random) : count }
      drift.append(
        .init(
          name: name, edges: (0...20).map { Double($0) * width }, current: current, baseline: counts, test: "PSI",
          value: [0.31, 0.02, 0.01][index], threshold: 0.2, hasDrifted: index == 0))
    }
    let axes = ["learning rate", "depth", "rounds", "subsample", "MAE"].map { name -> Figures.ParallelAxis in
      .init(name, (0..<60).map { _ in Double.random(in: 1...9, using: &random) })
    }
    return [
      Figures.forest(
        [
          row("MAE", -0.21, 0.12, "min", 2.3, .better), row("RMSE", 0.05, 0.2, "min", 3.1, .noEvidence),
          row("R²", -0.02, 0.01, "", 0.8, .worse),
          row("within 5 min", 0.01, 0.02, "share", 0.9, nil),
        ], reference: "v3"),
      Figures.drift(drift),
      Figures.parallel(axes, trials: (0..<60).map { "trial-\($0)" }, highlighted: [7, 12]),
    ]
  }

  /// What is not usual: eight lines, dots of eight shapes, hours, log axes, long names below, dense lines.
  static var odd: [Report.Figure?] { [eight, dense, hours, longNames, large] }

  private static func figure(
    _ id: String, _ title: String, _ x: Chart.Axis, _ y: Chart.Axis, _ marks: [Chart.Mark], _ legend: [Chart.LegendEntry] = []
  ) -> Report.Figure {
    let chart = Chart(title: title, description: title + ".", x: x, y: y, marks: marks, legend: legend)
    return Report.Figure(id: id, chart: chart, caption: Figures.caption(title + ".", []), data: Figures.table(title, ["x"], []))
  }

  private static var eight: Report.Figure {
    var marks: [Chart.Mark] = []
    var legend: [Chart.LegendEntry] = []
    for index in 0..<8 {
      let points = (0...20).map { step -> Chart.Point in
        let x = Double(step)
        return Chart.Point(x, Double(index) + x * x / 120)
      }
      marks.append(.line(points, .nth(index)))
      marks.append(.dots(stride(from: 0, through: 20, by: 4).map { points[$0] }, .nth(index)))
      legend.append(.init(.lineDot, .nth(index), "series number \(index + 1)"))
    }
    return figure("eight", "Eight lines", .init("step", .linear(0...20)), .init("value", .linear(0...12)), marks, legend)
  }

  private static var dense: Report.Figure {
    var random = SeededGenerator(seed: 31)
    let wave = (0..<4_000).map { step -> Chart.Point in
      let peak: Double = step == 1_777 ? 9 : 0
      return Chart.Point(Double(step), normal(&random) + peak)
    }
    return figure(
      "dense", "A dense line", .init("step", .linear(0...4_000)), .init("value", .linear(-6...10)), [.line(wave, .first)])
  }

  private static var hours: Report.Figure {
    let start = CivilDate(2026, 3, 14).seconds + 18_000
    let points = (0...30).map { step -> Chart.Point in
      let fourth = Double(step * step * step * step)
      return Chart.Point(start + Double(step) * 3_600, 100 + fourth * 3)
    }
    return figure(
      "hours", "Hours", .init("", .time(start...start + 108_000)), .init("requests", .log(20...3_000_000)),
      [.line(points, .first)])
  }

  private static var longNames: Report.Figure {
    let names = (1...14).map { "a rather long category \($0)" }
    let points = names.indices.map { Chart.Point(Double($0), Double($0 % 5) / 13) }
    return figure(
      "names", "Long names", .init("category", .bands(names)), .init("share", .share(0...0.4)), [.dots(points, .first)])
  }

  private static var large: Report.Figure {
    let points = [Chart.Point(0, 0), Chart.Point(9_000_000, 0.000004)]
    return figure(
      "large", "Large and small", .init("count", .linear(0...9_000_000)), .init("rate", .linear(0...0.0000042)),
      [.line(points, .third)])
  }
}

// Evaluations as a whole: intervals, slices, gates, comparisons, figures, and what is said of them.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Foundation
import TestSupport
import Testing

@testable import Evaluation

private func table(_ text: String, _ request: EvaluationRequest) throws -> PredictionTable {
  try PredictionReader.table(bytes: Array(text.utf8), named: "p.csv", for: request)
}

private func evaluate(
  _ text: String, _ task: EvaluationTask, against reference: String? = nil, _ change: (inout EvaluationRequest) -> Void = { _ in }
) throws -> EvaluationResult {
  var request = EvaluationRequest(name: "e", task: task)
  request.bootstrap.resamples = 200
  change(&request)
  return try Evaluator(request).evaluate(table(text, request), against: reference.map { try table($0, request) })
}

/// Rows of a classifier whose score is as good as `skill` says, in 0...1.
private func classifier(_ rows: Int, skill: Double, noise: UInt64, seed: UInt64 = 1) -> String {
  var (random, other) = (SeededGenerator(seed: seed), SeededGenerator(seed: noise))
  var text = "id,y_true,y_score,slice_half\n"
  for row in 0..<rows {
    let label = Double.random(in: 0...1, using: &random) < 0.3 ? 1 : 0
    let score = skill * Double(label) + (1 - skill) * Double.random(in: 0...1, using: &other)
    text += "\(row),\(label),\(score),\(row % 2 == 0 ? "even" : "odd")\n"
  }
  return text
}

/// Truths 0, 1, 2, … with predictions that are off by a random part of `spread`.
private func forecast(_ rows: Int, spread: Double, noise: UInt64, isTimed: Bool = true) -> String {
  var random = SeededGenerator(seed: noise)
  var text = "id,time,y_true,y_pred\n"
  for row in 0..<rows {
    text += "\(row),\(row),\(row),\(Double(row) + Double.random(in: -spread...spread, using: &random))\n"
  }
  return text
}

@Suite struct EvaluatorTests {
  @Test func `coverage is counted by tenths of the predictions and by day`() throws {
    // 40 rows over two days; the interval misses each fourth row of the first day and no other.
    var text = "id,time,y_true,y_pred,y_low,y_high\n"
    for row in 0..<40 {
      let isMissed = row < 20 && row % 4 == 0
      text += "\(row),2026-01-0\(row < 20 ? 1 : 2)T00:00:00Z,\(isMissed ? row + 9 : row),\(row),\(row - 1),\(row + 1)\n"
    }
    let coverage = try #require(try evaluate(text, .regression) { $0.intervalLevel = 0.8 }.figures.coverage)
    #expect(coverage.nominal == 0.8 && coverage.unit == "day")
    #expect(coverage.byPrediction.map(\.rows) == [4, 4, 4, 4, 4, 4, 4, 4, 4, 4])
    #expect(coverage.byPrediction.map(\.covered) == [3, 3, 3, 3, 3, 4, 4, 4, 4, 4])
    #expect(coverage.byPrediction[0].label == "0 to 3" && coverage.byPrediction[0].prediction == 1.5)
    #expect(coverage.byTime.map(\.label) == ["2026-01-01", "2026-01-02"])
    #expect(coverage.byTime.map(\.covered) == [15, 20])
    // Wilson's interval of 15 in 20, from its closed form by hand: 0.5313 to 0.8881.
    let first = try #require(coverage.byTime.first)
    #expect(abs(first.low - 0.53130) < 1e-4 && abs(first.high - 0.88814) < 1e-4)
    #expect(try evaluate("id,y_true,y_pred\n1,1,1\n2,2,3\n", .regression).figures.coverage == nil)
  }

  // MARK: One table

  @Test func `each metric has the interval that suits it, and says which`() throws {
    let result = try evaluate(classifier(400, skill: 0.3, noise: 2), .binary)
    let methods = Dictionary(uniqueKeysWithValues: result.document.metrics.map { ($0.name, $0.method ?? "none") })
    #expect(methods["auc"] == "DeLong" && methods["accuracy"] == "Wilson" && methods["recall"] == "Wilson")
    #expect(methods["log_loss"] == "stratified percentile bootstrap, 200 resamples")
    for metric in result.document.metrics {
      let (low, high) = (try #require(metric.low), try #require(metric.high))
      #expect(low <= metric.value && metric.value <= high && metric.level == 0.95, "\(metric.name)")
    }
  }

  /// Twelve rows; a naive Mann-Whitney covariance in numpy gives the error 0.11338934190276817.
  @Test func `the interval of AUC is DeLong's`() throws {
    let result = try evaluate(
      "y_true,y_score\n0,0.1\n1,0.9\n0,0.4\n1,0.4\n1,0.75\n0,0.3\n0,0.4\n1,0.35\n0,0.05\n0,0.6\n1,0.8\n0,0.2\n", .binary)
    let auc = try #require(result.document.metrics.first { $0.name == "auc" })
    #expect(abs((auc.low ?? 0) - (0.8571428571428571 - 1.959963984540054 * 0.11338934190276817)) < 1e-12)
    #expect(auc.high == 1)
  }

  /// Resampled gaps between score and share are larger than the gaps themselves: their interval would lie too high.
  @Test func `the interval of the calibration error lies about its value`() throws {
    var random = SeededGenerator(seed: 11)
    var text = "y_true,y_score\n"
    for _ in 0..<2000 {
      let score = Double.random(in: 0...1, using: &random)
      text += "\(Double.random(in: 0...1, using: &random) < score ? 1 : 0),\(score)\n"
    }
    let metric = try #require(try evaluate(text, .binary).document.metrics.first { $0.name == "ece" })
    let (low, high) = (try #require(metric.low), try #require(metric.high))
    #expect(abs((low + high) / 2 - metric.value) < 0.2 * (high - low))
    #expect(metric.method == "stratified percentile bootstrap, 200 resamples, less their bias")
  }

  @Test func `the same rows give the same result, and another seed other intervals`() throws {
    let text = classifier(200, skill: 0.3, noise: 2)
    #expect(try evaluate(text, .binary) == evaluate(text, .binary))
    let other = try evaluate(text, .binary) { $0.bootstrap.seed = 7 }
    #expect(try evaluate(text, .binary).document.metrics.map(\.value) == other.document.metrics.map(\.value))
    #expect(try evaluate(text, .binary).document.metrics.map(\.low) != other.document.metrics.map(\.low))
  }

  @Test func `slices tell the primary metric with its rows`() throws {
    let result = try evaluate(classifier(101, skill: 0.3, noise: 2), .binary) { $0.primary = "accuracy" }
    #expect(
      result.document.slices.map { "\($0.column)=\($0.value) \($0.rows) \($0.metric.name)" } == [
        "half=even 51 accuracy", "half=odd 50 accuracy",
      ])
  }

  @Test func `gates are judged on metrics that nobody asked to see`() throws {
    let result = try evaluate(forecast(50, spread: 2, noise: 3), .regression) {
      $0.metrics = ["mae"]
      $0.gates = [GateRule(metric: "rmse", atMost: 0.1)]
    }
    #expect(result.document.metrics.map(\.name) == ["mae", "rmse"])
    #expect(result.document.gates?.passed == false)
  }

  @Test func `a metric that the task does not have is a mistake with the nearest one as hint`() throws {
    let error = #expect(throws: Diagnostic.self) {
      try evaluate(forecast(5, spread: 2, noise: 3), .regression) { $0.metrics = ["rsme"] }
    }
    #expect(error?.message == "evaluation `e` has no metric `rsme`" && error?.hints == ["did you mean `rmse`?"])
  }

  @Test func `a metric that these rows do not have is left out and said to be`() throws {
    let result = try evaluate("y_true,y_score\n1,0.5\n1,0.25\n", .binary)
    #expect(!result.document.metrics.contains { $0.name == "auc" || $0.name == "specificity" })
    #expect(result.notes.contains { $0.hasPrefix("not defined on these rows: `auc`") })
  }

  @Test func `a large table gets its intervals from batches, near those of resamples`() throws {
    let text = forecast(20_000, spread: 3, noise: 5)
    let small = try evaluate(text, .regression) { $0.bootstrap.resamples = 400 }
    let large = try evaluate(text, .regression) { $0.bootstrap.resamples = 1_000_000 }
    let (a, b) = (small.document.metrics[0], large.document.metrics[0])
    #expect(b.method == "batch means, 100 batches of about 200 rows" && a.value == b.value)
    let ratio = ((b.high ?? 0) - (b.low ?? 0)) / ((a.high ?? 0) - (a.low ?? 0))
    #expect(0.7 < ratio && ratio < 1.4)
  }

  @Test func `a document without gates and groups has the bytes that it always had`() throws {
    let metric = MetricEstimate(name: "mae", label: "MAE", value: 2.5, better: "lower", unit: "min")
    let document = EvaluationDocument(task: "regression", model: "eta", unit: "min", rows: 4, metrics: [metric])
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let bytes = try encoder.encode(document)
    #expect(
      String(decoding: bytes, as: UTF8.self) == """
        {"metrics":[{"better":"lower","label":"MAE","name":"mae","unit":"min","value":2.5}],"model":"eta","rows":4,\
        "schema":"pipe.evaluation\\/1","slices":[],"task":"regression","unit":"min"}
        """)
    #expect(try JSONDecoder().decode(EvaluationDocument.self, from: bytes) == document)
  }

  // MARK: Two tables

  @Test func `a model that is plainly better is called so, by the test that suits each metric`() throws {
    let result = try evaluate(
      classifier(600, skill: 0.4, noise: 2), .binary, against: classifier(600, skill: 0.1, noise: 3)
    ) { $0.metrics = ["auc", "accuracy", "log_loss"] }
    #expect(result.pairing == Pairing(shared: 600, onlyCurrent: 0, onlyReference: 0))
    #expect(result.paired.map(\.test) == ["DeLong", "exact McNemar", "paired bootstrap"])
    #expect(result.paired.map(\.reading) == [.better, .better, .better])
    #expect(result.paired[2].crossChecks.map(\.test) == ["paired t", "Wilcoxon signed-rank"])
    #expect(result.figures.forest.count == 3 && result.referenceFigures != nil)
    for paired in result.paired {
      #expect(paired.difference == (paired.current ?? 0) - (paired.reference ?? 0))
      #expect((paired.p ?? 1) <= (paired.adjusted ?? 0))
    }
  }

  /// Twelve rows, two scores; a naive Mann-Whitney covariance in numpy.
  @Test func `two areas are compared as DeLong does`() throws {
    let labels = [0, 1, 0, 1, 1, 0, 0, 1, 0, 0, 1, 0]
    let first = [0.1, 0.9, 0.4, 0.4, 0.75, 0.3, 0.4, 0.35, 0.05, 0.6, 0.8, 0.2]
    let second = [0.2, 0.6, 0.5, 0.3, 0.9, 0.1, 0.45, 0.5, 0.3, 0.55, 0.35, 0.4]
    let text = { (scores: [Double]) in
      "id,y_true,y_score\n" + labels.indices.map { "\($0),\(labels[$0]),\(scores[$0])\n" }.joined()
    }
    let paired = try evaluate(text(first), .binary, against: text(second)) { $0.metrics = ["auc"] }.paired[0]
    #expect(abs(paired.difference - 0.1428571428571428) < 1e-12)
    #expect(abs((paired.p ?? 0) - 0.3429023410072921) < 1e-12)
    #expect(paired.reading == .noEvidence && paired.reason == "the interval holds 0")
  }

  @Test func `one model against itself is the same`() throws {
    let text = classifier(100, skill: 0.3, noise: 2)
    let result = try evaluate(text, .binary, against: text)
    #expect(result.paired.allSatisfy { $0.reading == .same && $0.difference == 0 && $0.p == 1 })
  }

  @Test func `rows are matched by id, whatever their order and company`() throws {
    let current = "id,y_true,y_pred\na,1,2\nb,2,2\nc,3,5\nd,9,9\n"
    let reference = "id,y_true,y_pred\nx,0,0\nc,3,3\na,1,1\nb,2,4\n"
    let result = try evaluate(current, .regression, against: reference) { $0.metrics = ["mae"] }
    #expect(result.pairing == Pairing(shared: 3, onlyCurrent: 1, onlyReference: 1))
    #expect(result.paired[0].current == 1 && abs((result.paired[0].reference ?? 0) - 2.0 / 3) < 1e-12)
    #expect(result.document.metrics[0].value == 0.75)
  }

  @Test(arguments: [
    ("y_true,y_pred\n1,2\n", "unpaired, no test: the reference's table has no ids"),
    ("id,y_true,y_pred\nz,1,2\n", "unpaired, no test: the tables share no id"),
    ("id,y_true,y_pred\na,7,2\n", "unpaired, no test: 1 of 1 shared rows have another truth"),
  ])
  func `what cannot be paired is not tested, and says why`(reference: String, refusal: String) throws {
    let result = try evaluate("id,y_true,y_pred\na,1,2\nb,2,2\n", .regression, against: reference)
    #expect(result.paired.isEmpty && result.pairing?.refusal == refusal)
    #expect(result.document.baseline?.metrics.isEmpty == false)
  }

  @Test func `a difference smaller than the tolerance is no evidence`() throws {
    let (a, b) = (forecast(500, spread: 2, noise: 4), forecast(500, spread: 3, noise: 5))
    let strict = try evaluate(a, .regression, against: b) { $0.metrics = ["mae"] }.paired[0]
    let lenient = try evaluate(a, .regression, against: b) {
      $0.metrics = ["mae"]
      $0.tolerance = ["mae": MetricTolerance(relative: 0.9)]
    }.paired[0]
    #expect(strict.reading == .better)
    #expect(lenient.reading == .noEvidence && lenient.reason == "smaller than the tolerance")
  }

  private static let readings: [(Double, Double, Double, String, Double?, ChangeReading)] = [
    (0, 0, 0, "lower", nil, .same), (-1, -2, 0.5, "lower", nil, .noEvidence), (-1, -2, -0.5, "lower", nil, .better),
    (1, 0.5, 2, "lower", nil, .worse), (1, 0.5, 2, "higher", nil, .better), (-1, -2, -0.5, "higher", nil, .worse),
    (1, 0.5, 2, "target", 6, .better), (1, 0.5, 2, "target", 0, .worse), (1, 0.5, 2, "target", nil, .moved),
  ]

  @Test(arguments: 0..<9)
  func `a difference reads as its interval and its direction say`(place: Int) {
    let (difference, low, high, better, target, expected) = Self.readings[place]
    var paired = PairedDifference(metric: "m", difference: difference, low: low, high: high, level: 0.95, rows: 9, method: "")
    (paired.current, paired.reference, paired.adjusted) = (4 + difference, 4, 0.01)
    #expect(PairedEvaluation.reading(paired, better: better, target: target, tolerance: nil).0 == expected)
    if expected == .better || expected == .worse {
      paired.adjusted = 0.06
      #expect(PairedEvaluation.reading(paired, better: better, target: target, tolerance: nil).0 == .noEvidence)
    }
  }

  // MARK: Backtests

  @Test func `a backtest draws blocks, tests with Diebold and Mariano, and has windows`() throws {
    let result = try evaluate(
      forecast(300, spread: 2, noise: 4), .backtest, against: forecast(300, spread: 4, noise: 5)
    ) { $0.metrics = ["mae"] }
    #expect(result.document.metrics[0].method == "moving block bootstrap, 200 resamples of blocks of 7 rows")
    #expect(result.paired[0].test == "Diebold-Mariano, HLN-corrected, horizon 1" && result.paired[0].reading == .better)
    #expect(result.windows.count == 10 && result.windows.map(\.rows).reduce(0, +) == 300)
    #expect(result.windows[1].from == "30" && result.windows[1].to == "59")
    #expect(result.figures.timeline?.buckets.count == 300 && result.figures.timeline?.bucket == "row")
  }

  @Test func `windows follow the calendar`() throws {
    var text = "time,y_true,y_pred\n"
    for month in 1...12 {
      for day in [1, 15, 28] { text += "2025-\(month < 10 ? "0" : "")\(month)-\(day < 10 ? "0" : "")\(day),1,2\n" }
    }
    let result = try evaluate(text, .backtest)
    #expect(result.windows.map(\.label) == (1...12).map { "2025-\($0 < 10 ? "0" : "")\($0)" })
    #expect(result.windows[1].from == "2025-02-01T00:00:00Z" && result.windows[1].rows == 3)
  }

  // MARK: Figures

  @Test func `figures are of bounded size, keep the ends and count every row`() throws {
    let result = try evaluate(classifier(5000, skill: 0.3, noise: 2), .binary)
    let figures = result.figures
    let roc = try #require(figures.roc.first)
    #expect(roc.points.count <= 400 && roc.pointsInAll > 4000 && roc.rows == 5000)
    #expect(roc.points.first?.x == 0 && roc.points.first?.y == 0 && roc.points.last?.x == 1 && roc.points.last?.y == 1)
    #expect(zip(roc.points, roc.points.dropFirst()).allSatisfy { $0.x <= $1.x && $0.y <= $1.y })
    #expect(abs((roc.area ?? 0) - (result.document.metrics.first { $0.name == "auc" }?.value ?? 1)) < 1e-12)
    let curve = try #require(figures.precisionRecall.first)
    #expect(curve.points.count <= 400 && curve.points.last?.x == 1)
    #expect(figures.scores?.series.flatMap(\.counts).reduce(0, +) == 5000)
    #expect(figures.calibration.first?.bins.map(\.rows).reduce(0, +) == 5000)
    #expect(figures.confusion?.counts.flatMap { $0 }.reduce(0, +) == 5000)
    #expect(figures.thresholds?.points.count == 101 && figures.gain.first?.points.last?.found == 1)
  }

  @Test func `the sweep's figures are those of the threshold itself`() throws {
    let text = "y_true,y_score\n1,0.29\n0,0.29\n1,0.57\n0,0.1\n1,1\n"
    let points = try #require(try evaluate(text, .binary).figures.thresholds).points
    #expect(points[29].flagged == 0.8 && points[30].flagged == 0.4 && points[57].flagged == 0.4 && points[58].flagged == 0.2)
    #expect(points[100].precision == 1 && points[0].recall == 1 && points[30].specificity == 1)
  }

  @Test func `grids and histograms count every row, inside or out`() throws {
    let figures = try evaluate(forecast(3000, spread: 2, noise: 4), .regression).figures
    for grid in [figures.predictedActual, figures.residualFitted] {
      let grid = try #require(grid)
      #expect(grid.counts.reduce(0, +) + grid.outside == 3000 && grid.xEdges.count == 41 && grid.counts.count == 1600)
    }
    let errors = try #require(figures.errors)
    #expect(errors.series[0].counts.reduce(0, +) + errors.below + errors.above == 3000)
    let plot = try #require(figures.residualQuantiles)
    #expect(plot.points.count <= 400 && plot.pointsInAll == 3000)
    #expect(zip(plot.points, plot.points.dropFirst()).allSatisfy { $0.normal < $1.normal && $0.residual <= $1.residual })
  }

  @Test func `many classes stand together in one that says so`() throws {
    var text = "y_true,y_pred\n"
    for label in 0..<30 { for _ in 0...(30 - label) { text += "c\(label),c\((label * 7) % 30)\n" } }
    let confusion = try #require(try evaluate(text, .multiclass).figures.confusion)
    #expect(confusion.classes.count == 20 && confusion.classes.last == "(other)" && confusion.merged == 11)
    #expect(confusion.counts.flatMap { $0 }.reduce(0, +) == confusion.rows)
  }
}

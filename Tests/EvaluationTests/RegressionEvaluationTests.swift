// Metrics against scikit-learn and numpy, intervals against what theory says of them.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import TestSupport
import Testing

@testable import Evaluation

/// Eight rows; a truth of 0 is among them. Expected values below are scikit-learn 1.5 and numpy on these numbers.
private let truths: [Double] = [12.5, 30, 0, 18.25, 44, 25.5, 9, 61.75]
private let predictions: [Double] = [14, 27.5, 1.5, 18, 51, 25.25, 7.75, 55]
private let rows = PredictedRows(
  truths: truths, predictions: predictions, lows: predictions.map { $0 - 4 }, highs: predictions.map { $0 + 3.5 },
  baseline: [20, 20, 20, 20, 30, 30, 30, 30])
private let evaluation = RegressionEvaluation(
  unit: "min", tolerance: 5, intervalLevel: 0.9, bootstrap: Bootstrap(seed: 1, resamples: 200))

private func close(_ a: Double?, _ b: Double, _ tolerance: Double = 1e-9) -> Bool { abs((a ?? .nan) - b) <= tolerance }

@Suite struct RegressionEvaluationTests {
  @Test(arguments: [
    ("mae", 2.625), ("rmse", 3.6571847095819483), ("r2", 0.9620500088668203), ("mape", 0.09058963198706191),
    ("bias", -0.125), ("within_5", 0.75), ("coverage_90", 0.75), ("interval_width", 7.5), ("abs_error_p50", 1.5),
    ("abs_error_p90", 6.825), ("abs_error_p95", 6.9125), ("improvement", 0.8099547511312217),
  ])
  func `metrics equal scikit-learn's`(name: String, expected: Double) {
    let metric = evaluation.evaluate(rows).metrics.first { $0.name == name }
    #expect(close(metric?.value, expected))
  }

  @Test func `the baseline is measured on the same rows`() {
    let baseline = evaluation.evaluate(rows).baseline
    #expect(baseline.map(\.name) == ["mae", "rmse", "within_5"])
    #expect(close(baseline[0].value, 13.8125))
    #expect(close(baseline[1].value, 16.67567464902095))
    #expect(close(baseline[2].value, 0.25))
  }

  @Test func `a metric that these rows do not have is left out`() {
    let zeros = PredictedRows(truths: [0, 0], predictions: [1, 2], lows: [0, 0], highs: [3, 3])
    let names = evaluation.evaluate(zeros).metrics.map(\.name)
    #expect(!names.contains("mape"))
    #expect(!names.contains("r2"))
    #expect(names.contains("mae"))
  }

  @Test func `slices come in the order of their values, numbers by size`() {
    let slices = evaluation.slices(rows, by: "hour", values: ["10", "9", nil, "10", "9", "x", "x", "10"])
    #expect(slices.map(\.value) == ["9", "10", "(missing)", "x"])
    #expect(slices.map(\.rows) == [2, 3, 1, 2])
    // (2.5 + 7)/2, (1.5 + 0.25 + 6.75)/3, 1.5, (0.25 + 1.25)/2
    #expect(zip(slices, [4.75, 2.8333333333333335, 1.5, 0.75]).allSatisfy { close($0.metric.value, $1) })
  }
}

@Suite struct BootstrapTests {
  @Test func `the interval of a mean is as wide as the normal law says`() {
    // Uniform on 0..<1: standard deviation sqrt(1/12), so for n = 800 the 95 % interval is 2 · 1.95996 · 0.0102062
    // = 0.040008 wide. The bootstrap's own noise with 1,000 resamples is a few per cent.
    var random = SeededGenerator(seed: 3)
    let truths = (0..<800).map { _ in Double.random(in: 0..<1, using: &random) }
    let zero = [Double](repeating: 0, count: 800)
    let result = RegressionEvaluation(
      unit: "", tolerance: 0.5, intervalLevel: 0.9, bootstrap: Bootstrap(seed: 9, resamples: 1000)
    ).evaluate(PredictedRows(truths: truths, predictions: zero, lows: zero, highs: zero))
    let mae = result.metrics[0]
    #expect(close((mae.high ?? 0) - (mae.low ?? 0), 0.040008, 0.0040))
    #expect((mae.low ?? 1) < mae.value && mae.value < (mae.high ?? 0))
  }

  @Test func `nine in ten 90 % intervals hold the true mean`() {
    // 200 samples of 60 uniform values; binomial standard deviation of the share is 0.021.
    var random = SeededGenerator(seed: 4)
    let bootstrap = Bootstrap(seed: 5, resamples: 200, level: 0.9)
    let hits = (0..<200).count { _ in
      let terms = (0..<60).map { _ in SIMD16<Double>(repeating: Double.random(in: 0..<1, using: &random)) }
      let bounds = bootstrap.interval(of: bootstrap.sums(of: terms).map { $0[0] / 60 })
      return (bounds?.low ?? 1) <= 0.5 && 0.5 <= (bounds?.high ?? 0)
    }
    #expect(abs(Double(hits) / 200 - 0.9) < 0.07)
  }

  @Test func `the same seed gives the same sums, another seed others`() {
    let terms = (0..<50).map { SIMD16<Double>(repeating: Double($0)) }
    let first = Bootstrap(seed: 1, resamples: 20).sums(of: terms)
    #expect(first == Bootstrap(seed: 1, resamples: 20).sums(of: terms))
    #expect(first != Bootstrap(seed: 2, resamples: 20).sums(of: terms))
    #expect(first[0] == Bootstrap(seed: 1, resamples: 1).sums(of: terms)[0])
    #expect(Set(first.map { $0[0] }).count > 10)
  }

  /// `numpy.quantile([1, 3, 4, 20], share)`.
  @Test(arguments: [(0, 1), (0.25, 2.5), (0.5, 3.5), (0.9, 15.2), (1, 20)])
  func `quantiles equal numpy's`(share: Double, expected: Double) {
    #expect(close(quantile(share, ofSorted: [1, 3, 4, 20]), expected))
  }

  @Test func `a paired comparison sees a small difference that is always there`() {
    var random = SeededGenerator(seed: 6)
    let second = (0..<400).map { _ in Double.random(in: 0..<10, using: &random) }
    let first = second.map { $0 - 0.05 + Double.random(in: -0.01...0.01, using: &random) }
    let found = PairedComparison(first: first, second: second, bootstrap: Bootstrap(resamples: 500))
    #expect(abs(found.difference - -0.05) < 0.002)
    #expect(found.low < found.high && found.high < -0.045)
    #expect(close(found.p, 2.0 / 501))
  }

  @Test func `a paired comparison of models that win by turns finds nothing`() {
    let first = (0..<400).map { Double($0 % 2) }
    let found = PairedComparison(first: first, second: first.map { 1 - $0 }, bootstrap: Bootstrap(resamples: 500))
    #expect(found.difference == 0)
    // Differences are ±1, so the standard error is 0.05 and the 95 % interval about ±0.098.
    #expect(abs(found.low - -0.098) < 0.02 && abs(found.high - 0.098) < 0.02)
    #expect(found.p > 0.5)
  }
}

@Suite struct GateRuleTests {
  private let metrics = [
    MetricEstimate(name: "mae", label: "MAE", value: 3, better: "lower", unit: "min"),
    MetricEstimate(name: "coverage_90", label: "coverage", value: 0.93, better: "target", unit: "share"),
  ]

  @Test func `a bound itself passes, and one missed gate decides`() throws {
    let document = try GateRule.judge(
      [GateRule(metric: "mae", atMost: 3), GateRule(metric: "coverage_90", atLeast: 0.88, atMost: 0.92)], metrics: metrics)
    #expect(document.gates.map(\.passed) == [true, false])
    #expect(!document.passed)
    #expect(document.gates.map(\.label) == ["MAE is at most 3 min", "coverage is between 88 % and 92 %"])
    #expect(document.gates[1].sentence == "coverage is between 88 % and 92 %: missed, it is 93 %")
  }

  @Test func `a gate on an unknown metric or without bounds is the user's mistake`() {
    let unknown = #expect(throws: Diagnostic.self) {
      try GateRule.judge([GateRule(metric: "coverage_9", atLeast: 0)], metrics: metrics)
    }
    #expect(unknown?.category == .input)
    #expect(unknown?.hints == ["did you mean `coverage_90`?"])
    let boundless = #expect(throws: Diagnostic.self) { try GateRule.judge([GateRule(metric: "mae")], metrics: metrics) }
    #expect(boundless?.message == "the gate on `mae` has no bound")
  }

  @Test func `a value that is not a number meets no gate`() throws {
    let broken = [MetricEstimate(name: "mae", label: "MAE", value: .nan, better: "lower", unit: "min")]
    #expect(try GateRule.judge([GateRule(metric: "mae", atMost: 3)], metrics: broken).passed == false)
  }
}

// A regression model's metrics, its baseline's, and its slices', each with a confidence interval.
// SPDX-License-Identifier: Apache-2.0

/// Turns predicted rows into the figures of `evaluation.json`.
package struct RegressionEvaluation: Sendable {
  /// Unit of the target, e.g. `min`.
  package var unit: String
  /// Error that still counts as good, in the target's unit.
  package var tolerance: Double
  /// Nominal coverage of the interval, in 0...1.
  package var intervalLevel: Double
  package var bootstrap: Bootstrap

  package init(unit: String, tolerance: Double, intervalLevel: Double, bootstrap: Bootstrap) {
    self.unit = unit
    self.tolerance = tolerance
    self.intervalLevel = intervalLevel
    self.bootstrap = bootstrap
  }

  package struct Result: Sendable, Equatable {
    /// `mae`, `rmse`, `r2`, `mape`, `bias`, `within_5`, `coverage_90`, `interval_width`, `abs_error_p50`…; with a
    /// baseline also `improvement`.
    package var metrics: [MetricEstimate]
    /// The baseline's `mae`, `rmse`, `within_5`; empty without one.
    package var baseline: [MetricEstimate]
  }

  /// All metrics from one pass of resamples. A metric that is not a number for these rows is left out.
  package func evaluate(_ rows: PredictedRows) -> Result {
    let terms = RegressionMetric.terms(of: rows, tolerance: tolerance)
    let total = terms.reduce(SIMD16<Double>(), +)
    let sums = bootstrap.sums(of: terms)
    func estimates(_ metrics: [RegressionMetric]) -> [MetricEstimate] {
      metrics.compactMap { estimate($0, total: total, sums: sums) }
    }
    var metrics = estimates([.mae, .rmse, .r2, .mape, .bias, .within, .coverage, .intervalWidth])
    metrics += errorQuantiles(rows)
    guard rows.baseline != nil else { return Result(metrics: metrics, baseline: []) }
    return Result(
      metrics: metrics + estimates([.improvement]), baseline: estimates([.baselineMAE, .baselineRMSE, .baselineWithin]))
  }

  /// The mean absolute error on the rows of each value of a column, in the order of the values.
  ///
  /// - Parameter values: one per row; `nil` is missing and reported as `(missing)`.
  package func slices(_ rows: PredictedRows, by column: String, values: [String?]) -> [SliceEstimate] {
    precondition(values.count == rows.count, "each row has a value of the slice column")
    let groups = Dictionary(grouping: values.indices) { values[$0] ?? "(missing)" }
    return groups.sorted { Self.precedes($0.key, $1.key) }.compactMap { value, members in
      let terms = RegressionMetric.terms(of: rows.selecting(rows: members), tolerance: tolerance)
      let total = terms.reduce(SIMD16<Double>(), +)
      guard let metric = estimate(.mae, total: total, sums: bootstrap.sums(of: terms)) else { return nil }
      return SliceEstimate(column: column, value: value, rows: members.count, metric: metric)
    }
  }

  /// Numbers by size, then text by its bytes.
  private static func precedes(_ a: String, _ b: String) -> Bool {
    switch (Double(a), Double(b)) {
    case (let x?, let y?) where x != y: x < y
    case (.some, nil): true
    case (nil, .some): false
    default: a.utf8.lexicographicallyPrecedes(b.utf8)
    }
  }

  private func estimate(
    _ metric: RegressionMetric, total: SIMD16<Double>, sums: [SIMD16<Double>]
  ) -> MetricEstimate? {
    let value = metric.value(total)
    guard value.isFinite else { return nil }
    let interval = bootstrap.interval(of: sums.map(metric.value))
    let words = words(for: metric)
    return MetricEstimate(
      name: words.name, label: words.label, value: value, low: interval?.low, high: interval?.high,
      level: interval == nil ? nil : bootstrap.level, method: interval == nil ? nil : bootstrap.method,
      better: words.better, unit: words.unit)
  }

  /// Half, nine tenths and nineteen twentieths of all errors are below these. Without intervals: they are no sums.
  private func errorQuantiles(_ rows: PredictedRows) -> [MetricEstimate] {
    let errors = zip(rows.truths, rows.predictions).map { abs($0 - $1) }.sorted()
    return [50, 90, 95].map { percent in
      MetricEstimate(
        name: "abs_error_p\(percent)",
        label: percent == 50 ? "median absolute error" : "\(percent)th percentile of the absolute error",
        value: quantile(Double(percent) / 100, ofSorted: errors), better: "lower", unit: unit)
    }
  }

  private func words(for metric: RegressionMetric) -> (name: String, label: String, better: String, unit: String) {
    let near = "within \(Self.plain(tolerance)) \(unit)"
    let nearName = "within_\(Self.plain(tolerance))"
    let percent = Self.plain(intervalLevel * 100)
    switch metric {
    case .mae, .baselineMAE: return ("mae", "MAE", "lower", unit)
    case .rmse, .baselineRMSE: return ("rmse", "RMSE", "lower", unit)
    case .r2: return ("r2", "R²", "higher", "")
    case .mape: return ("mape", "MAPE", "lower", "share")
    case .bias: return ("bias", "bias", "target", unit)
    case .within, .baselineWithin: return (nearName, near, "higher", "share")
    case .coverage: return ("coverage_\(percent)", "coverage of the \(percent) % interval", "target", "share")
    case .intervalWidth: return ("interval_width", "mean width of the \(percent) % interval", "lower", unit)
    case .improvement: return ("improvement", "less error than the baseline", "higher", "share")
    }
  }

  /// A number as a reader writes it: no `.0`, at most six decimals.
  package static func plain(_ value: Double) -> String {
    let rounded = (value * 1e6).rounded() / 1e6
    return rounded == rounded.rounded() && abs(rounded) < 1e15 ? "\(Int(rounded))" : "\(rounded)"
  }
}

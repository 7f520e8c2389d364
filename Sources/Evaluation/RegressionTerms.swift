// What one row adds to every metric at once, so that all of them come from the same resamples.
// SPDX-License-Identifier: Apache-2.0

/// Truths with what was predicted for them. Invariant: all lists have the same length, at least one row, finite values.
package struct PredictedRows: Sendable, Equatable {
  package let truths: [Double]
  package let predictions: [Double]
  /// Interval bounds.
  package let lows: [Double]
  package let highs: [Double]
  /// A reference's predictions for the same rows.
  package let baseline: [Double]?

  package init(truths: [Double], predictions: [Double], lows: [Double], highs: [Double], baseline: [Double]? = nil) {
    let counts = [predictions.count, lows.count, highs.count, baseline?.count ?? truths.count]
    precondition(!truths.isEmpty && counts.allSatisfy { $0 == truths.count }, "each row has a truth and a prediction")
    self.truths = truths
    self.predictions = predictions
    self.lows = lows
    self.highs = highs
    self.baseline = baseline
  }

  package var count: Int { truths.count }

  package func selecting(rows: [Int]) -> PredictedRows {
    PredictedRows(
      truths: rows.map { truths[$0] }, predictions: rows.map { predictions[$0] }, lows: rows.map { lows[$0] },
      highs: rows.map { highs[$0] }, baseline: baseline.map { all in rows.map { all[$0] } })
  }
}

/// A regression metric: a function of sums over rows, and so of the sums over any resample of them.
package enum RegressionMetric: String, Sendable, CaseIterable {
  /// Mean |truth - prediction|.
  case mae
  /// Root of the mean squared error.
  case rmse
  /// 1 - squared error over the truths' squared deviation from their mean; NaN when all truths are equal.
  case r2
  /// Mean |truth - prediction| / |truth| over the rows whose truth is not 0; the others have no relative error and are
  /// left out. NaN when no row is left.
  case mape
  /// Mean (prediction - truth): above 0 when predictions are late.
  case bias
  /// Share of rows whose error is at most the tolerance.
  case within
  /// Share of rows whose truth lies in the interval, its bounds included.
  case coverage
  /// Mean width of the interval.
  case intervalWidth = "interval_width"
  case baselineMAE = "baseline_mae"
  case baselineRMSE = "baseline_rmse"
  case baselineWithin = "baseline_within"
  /// 1 - MAE / MAE of the baseline: the share of the reference's error that the model takes away.
  case improvement

  static func terms(of rows: PredictedRows, tolerance: Double) -> [SIMD16<Double>] {
    rows.truths.indices.map { row in
      let truth = rows.truths[row]
      let error = rows.predictions[row] - truth
      var term = SIMD16<Double>()
      term[0] = abs(error)
      term[1] = error * error
      term[2] = error
      if truth != 0 { (term[3], term[4]) = (abs(error) / abs(truth), 1) }
      term[5] = abs(error) <= tolerance ? 1 : 0
      term[6] = rows.lows[row] <= truth && truth <= rows.highs[row] ? 1 : 0
      term[7] = rows.highs[row] - rows.lows[row]
      (term[8], term[9]) = (truth, truth * truth)
      if let baseline = rows.baseline {
        let error = baseline[row] - truth
        (term[10], term[11], term[12]) = (abs(error), error * error, abs(error) <= tolerance ? 1 : 0)
      }
      term[13] = 1
      return term
    }
  }

  /// The metric from the sums of some rows' terms.
  func value(_ sums: SIMD16<Double>) -> Double {
    let rows = sums[13]
    switch self {
    case .mae: return sums[0] / rows
    case .rmse: return (sums[1] / rows).squareRoot()
    case .r2:
      let deviation = sums[9] - sums[8] * sums[8] / rows
      return deviation > 1e-12 * sums[9] ? 1 - sums[1] / deviation : .nan
    case .mape: return sums[4] > 0 ? sums[3] / sums[4] : .nan
    case .bias: return sums[2] / rows
    case .within: return sums[5] / rows
    case .coverage: return sums[6] / rows
    case .intervalWidth: return sums[7] / rows
    case .baselineMAE: return sums[10] / rows
    case .baselineRMSE: return (sums[11] / rows).squareRoot()
    case .baselineWithin: return sums[12] / rows
    case .improvement: return sums[10] > 0 ? 1 - sums[0] / sums[10] : .nan
    }
  }
}

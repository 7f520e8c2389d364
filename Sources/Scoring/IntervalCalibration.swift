// How far the truth was from predictions like this one: a prediction interval and a confidence.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics

/// Split conformal prediction in bins of the predicted value, from rows that training never saw.
///
/// Within a bin, the signed residual `truth - prediction` of a new row falls between the bin's two quantiles with at
/// least the nominal probability, as long as new rows come from the same law as the calibration rows.
///
/// Source: Vovk, Gammerman and Shafer, "Algorithmic learning in a random world", 2005, sections 2.2 and 4.5 (Mondrian).
package struct IntervalCalibration: Codable, Sendable, Equatable {
  package struct Bin: Codable, Sendable, Equatable {
    /// Predictions from here on belong to the bin; `nil` for the first one, which has no lower end.
    package var from: Double?
    /// Calibration rows in the bin.
    package var rows: Int
    /// What to add to a prediction for the interval's lower and upper bound.
    package var low: Double
    package var high: Double
    /// Chance that the truth is within `tolerance` of the prediction: (hits + 1) / (rows + 2).
    package var confidence: Double
  }

  /// Nominal coverage of the interval, in 0...1.
  package var level: Double
  /// What `confidence` is about, in the target's unit: the truth is at most this far away.
  package var tolerance: Double
  /// Rising by `from`; at least one.
  package var bins: [Bin]

  package init(level: Double, tolerance: Double, bins: [Bin]) {
    self.level = level
    self.tolerance = tolerance
    self.bins = bins
  }

  /// The bin of a prediction.
  package func bin(of prediction: Double) -> Bin {
    var found = bins[0]
    for bin in bins.dropFirst() {
      guard let from = bin.from, prediction >= from else { break }
      found = bin
    }
    return found
  }
}

extension IntervalCalibration {
  /// Fits bins of about equal size to calibration rows.
  ///
  /// The two quantiles are the order statistics with ranks ⌊(n + 1)(1 − level)/2⌋ and ⌈(n + 1)(1 + level)/2⌉, from 1
  /// to n, which makes the stated coverage hold for finite n.
  ///
  /// - Parameters:
  ///   - predictions: n finite values.
  ///   - truths: n finite values.
  ///   - level: nominal coverage, in 0..<1.
  ///   - tolerance: see `tolerance`; above 0.
  ///   - binCount: wished number of bins; fewer are made when a bin would have under `minimumRows` rows.
  ///   - minimumRows: at least 1.
  /// - Throws: an `input` diagnostic when there are too few rows for any interval of this level.
  package static func fit(
    predictions: [Double], truths: [Double], level: Double, tolerance: Double, binCount: Int, minimumRows: Int = 200
  ) throws(Diagnostic) -> IntervalCalibration {
    precondition(predictions.count == truths.count, "each prediction has its truth")
    let needed = Int((2 / (1 - level) - 1e-9).rounded(.up))
    guard predictions.count >= needed else {
      throw Diagnostic(
        .input, "the calibrate split has \(predictions.count) rows, an interval of level \(level) needs at least \(needed)",
        hints: ["give the calibrate split more rows, or lower the level of the interval"])
    }
    let order = predictions.indices.sorted { (predictions[$0], $0) < (predictions[$1], $1) }
    let wished = max(1, min(binCount, order.count / max(minimumRows, needed)))
    var bins: [Bin] = []
    var start = 0
    for number in 1...wished where start < order.count {
      guard order.count * number / wished - start >= needed || number == wished else { continue }
      var end = max(start + 1, order.count * number / wished)
      if order.count - end < needed { end = order.count }
      // Equal predictions stay together, since a bin is found by value.
      while end < order.count, predictions[order[end]] == predictions[order[end - 1]] { end += 1 }
      let rows = order[start..<end]
      let residuals = rows.map { truths[$0] - predictions[$0] }.sorted()
      let from = bins.isEmpty ? nil : predictions[order[start]]
      bins.append(Bin(residuals: residuals, from: from, level: level, tolerance: tolerance))
      start = end
    }
    return IntervalCalibration(level: level, tolerance: tolerance, bins: bins)
  }
}

extension IntervalCalibration.Bin {
  /// - Parameter residuals: rising, not empty.
  fileprivate init(residuals: [Double], from: Double?, level: Double, tolerance: Double) {
    let count = residuals.count
    let slots = Double(count + 1)
    // The small number absorbs the rounding of products such as 20 × 0.05, which are whole on paper.
    let lowRank = Int((slots * (1 - level) / 2 + 1e-9).rounded(.down))
    let highRank = Int((slots * (1 + level) / 2 - 1e-9).rounded(.up))
    self.init(
      from: from, rows: count, low: residuals[max(lowRank, 1) - 1], high: residuals[min(highRank, count) - 1],
      confidence: Double(residuals.filter { abs($0) <= tolerance }.count + 1) / Double(count + 2))
  }
}

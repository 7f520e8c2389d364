// Whether one model is better than another on the same rows.
// SPDX-License-Identifier: Apache-2.0

/// The difference of two mean losses over the same rows, with its uncertainty.
package struct PairedComparison: Codable, Sendable, Equatable {
  /// Mean of `first - second`: below 0 when the first loses less.
  package var difference: Double
  /// Bounds of the confidence interval of the difference.
  package var low: Double
  package var high: Double
  package var level: Double
  /// Chance of a difference at least this far from 0 if there were none: twice the smaller share of resamples on
  /// either side of 0, never below 2 / (resamples + 1).
  package var p: Double

  /// Draws rows, and so pairs of losses, with replacement.
  ///
  /// - Parameters:
  ///   - first: n finite losses, n at least 1.
  ///   - second: the losses of the other model on the same rows.
  package init(first: [Double], second: [Double], bootstrap: Bootstrap) {
    precondition(first.count == second.count && !first.isEmpty, "both models have a loss on each row")
    let terms = zip(first, second).map { a, b in
      var term = SIMD16<Double>()
      term[0] = a - b
      return term
    }
    let count = Double(terms.count)
    let values = bootstrap.sums(of: terms).map { $0[0] / count }
    difference = terms.reduce(0) { $0 + $1[0] } / count
    (low, high) = bootstrap.interval(of: values) ?? (difference, difference)
    level = bootstrap.level
    let (below, above) = (values.count { $0 <= 0 }, values.count { $0 >= 0 })
    p = min(1, 2 * Double(min(below, above) + 1) / Double(values.count + 1))
  }
}

// What may be said of one metric of two models on the same rows.
// SPDX-License-Identifier: Apache-2.0

/// Did a metric move, and is that good?
package enum ChangeReading: String, Sendable, Codable {
  /// The values are the same number.
  case same
  /// The interval of the difference holds zero, the test does not see it, or it is smaller than anyone cares about.
  case noEvidence = "no-evidence"
  case better, worse
  /// It moved, and there is no telling which way is good.
  case moved
}

/// A difference between two models on the same rows, with its interval and its test.
package struct PairedDifference: Codable, Sendable, Equatable {
  /// Another test of the same question, for those who want a second opinion; it decides nothing.
  package struct CrossCheck: Codable, Sendable, Equatable {
    /// `paired t`, `Wilcoxon signed-rank`.
    package var test: String
    package var p: Double
    package init(test: String, p: Double) {
      self.test = test
      self.p = p
    }
  }

  /// Name of the metric.
  package var metric: String
  /// This run less the reference.
  package var difference: Double
  package var low: Double
  package var high: Double
  package var level: Double
  /// Rows that both tables have; groups for a ranking.
  package var rows: Int
  /// How the interval was made, in words.
  package var method: String
  /// The metric of either side on the shared rows.
  package var current: Double?
  package var reference: Double?
  /// `exact McNemar`, `DeLong`, `paired bootstrap`, `Diebold-Mariano (HLN)`, …; `nil` where none was made.
  package var test: String?
  /// Chance of a difference at least this far from 0 if there were none.
  package var p: Double?
  /// The same after Holm's correction for all metrics that were tested together.
  package var adjusted: Double?
  package var reading: ChangeReading?
  /// Why there is no evidence, where there is none: `the interval holds 0`, `smaller than the tolerance 0.05 min`, …
  package var reason: String?
  package var crossChecks: [CrossCheck] = []

  /// The reason of one that its test, corrected, does not bear out.
  static let heldByHolm = "not significant after Holm's correction"
  var isHeldByHolm: Bool { adjusted.map { $0 > 1 - level } ?? false }

  package init(
    metric: String, difference: Double, low: Double, high: Double, level: Double, rows: Int, method: String
  ) {
    self.metric = metric
    self.difference = difference
    self.low = low
    self.high = high
    self.level = level
    self.rows = rows
    self.method = method
  }
}

// A task's metrics as functions of how often each row was drawn.
// SPDX-License-Identifier: Apache-2.0

/// What a metric is called, and which way is good.
struct MetricWords: Sendable, Equatable {
  var name: String
  var label: String
  /// `lower`, `higher` or `target`.
  var better: String
  var unit: String
  /// What a metric of the kind `target` should hit.
  var target: Double?
  /// Whether resamples lie above the value for no other reason than being resamples, as sums of absolute gaps do.
  var isBiased = false

  init(_ name: String, _ label: String, _ better: String, _ unit: String, target: Double? = nil, isBiased: Bool = false) {
    self.name = name
    self.label = label
    self.better = better
    self.unit = unit
    self.target = target
    self.isBiased = isBiased
  }

  /// A number as a reader writes it, and as names have it: `5`, `2.5`.
  static func plain(_ value: Double) -> String { RegressionEvaluation.plain(value) }
}

/// How often each unit was drawn.
typealias DrawnCounts = UnsafeBufferPointer<UInt32>

/// All metrics of a task on some rows. Every metric is a function of how often each unit was drawn, so that all metrics, and both
/// sides of a comparison, come from the same resamples.
protocol MetricSet {
  /// In the order of `values`; also those that these rows do not have.
  var words: [MetricWords] { get }
  /// Things that are drawn: rows, or the groups of a ranking.
  var units: Int { get }
  /// NaN for what these rows do not have.
  ///
  /// - Parameter drawn: one count per unit; `nil` is once each.
  func values(_ drawn: DrawnCounts?) -> [Double]
  /// The values of each part of the units by itself.
  func values(of parts: RowParts) -> [[Double]]
  /// Hits and rows of a metric that is a share of unweighted rows.
  func share(_ metric: Int) -> (hits: Double, rows: Double)?
  /// What each unit contributes to a metric's distance from its expectation, in the units' order; `nil` where no such law is known.
  ///
  /// The sum over units of the squares, stratum by stratum, is the metric's variance.
  func influences(_ metric: Int) -> RowValues<Double>?
  /// The loss of each unit whose mean is the metric, or a rising function of it; `nil` for other metrics.
  func losses(_ metric: Int) -> RowValues<Double>?
}

extension MetricSet {
  func share(_ metric: Int) -> (hits: Double, rows: Double)? { nil }
  func influences(_ metric: Int) -> RowValues<Double>? { nil }
  func losses(_ metric: Int) -> RowValues<Double>? { nil }

  func place(of name: String) -> Int? { words.firstIndex { $0.name == name } }
}

/// Adds terms in blocks, so that the error of a sum of ten million is that of a sum of thousands.
struct BlockSum {
  private var total = SIMD16<Double>()
  private var block = SIMD16<Double>()
  private var rows = 0

  @inline(__always)
  mutating func add(_ term: SIMD16<Double>) {
    block += term
    rows += 1
    if rows & 4095 == 0 {
      total += block
      block = SIMD16<Double>()
    }
  }

  var sum: SIMD16<Double> { total + block }
}

/// The value that half of the weight lies below: as if each value stood there as often as its weight says.
///
/// - Parameters:
///   - count: of values.
///   - value: by rising value.
///   - weight: of a value, at least 0.
func weightedMedian(_ count: Int, total: Double, value: (Int) -> Double, weight: (Int) -> Double) -> Double {
  let half = total / 2
  var below = 0.0
  var place = 0
  while place < count {
    below += weight(place)
    if below > half { return value(place) }
    if below == half {
      var next = place + 1
      while next < count, weight(next) == 0 { next += 1 }
      return next < count ? (value(place) + value(next)) / 2 : value(place)
    }
    place += 1
  }
  return count > 0 ? value(count - 1) : .nan
}

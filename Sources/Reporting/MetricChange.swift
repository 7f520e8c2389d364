// Is a metric better, worse, or is there no evidence that it moved?
// SPDX-License-Identifier: Apache-2.0
package import Evaluation

/// The difference between two estimates of one metric, and what may be said of it.
package struct MetricChange: Sendable, Equatable {
  /// `current − reference`, in the metric's unit.
  package var difference: Double
  package var low: Double?
  package var high: Double?
  /// Confidence level of the interval, in 0...1.
  package var level: Double?
  /// Was the difference taken row by row on the same rows?
  package var isPaired: Bool
  /// `nil` without an interval to judge by.
  package var reading: ChangeReading?

  /// From two separate estimates with their intervals.
  ///
  /// The interval is that of independent estimates; on the same rows it is wider than need be, so that it never
  /// claims a change that a paired comparison would not.  Levels that differ give no interval.
  ///
  /// Source: Zou & Donner, "Construction of confidence limits about effect measures", 2008 (MOVER).
  package init(_ current: MetricEstimate, against reference: MetricEstimate) {
    difference = current.value - reference.value
    isPaired = false
    if let a = current.low, let b = current.high, let c = reference.low, let d = reference.high,
      let level = current.level, level == reference.level
    {
      let down = current.value - a
      let up = b - current.value
      low = difference - (down * down + (d - reference.value) * (d - reference.value)).squareRoot()
      high = difference + (up * up + (reference.value - c) * (reference.value - c)).squareRoot()
      self.level = level
    }
    reading = judge(current, reference: reference.value)
  }

  /// From a comparison that was made row by row.
  package init(_ current: MetricEstimate, paired: PairedDifference) {
    difference = paired.difference
    low = paired.low
    high = paired.high
    level = paired.level
    isPaired = true
    reading = paired.reading ?? judge(current, reference: current.value - paired.difference)
  }

  private func judge(_ current: MetricEstimate, reference: Double) -> ChangeReading? {
    guard difference != 0 else { return .same }
    guard let low, let high else { return nil }
    if low <= 0, high >= 0 { return .noEvidence }
    switch current.better {
    case "lower": return difference < 0 ? .better : .worse
    case "higher": return difference > 0 ? .better : .worse
    default:
      guard let target = Self.target(of: current.name) else { return .moved }
      let (now, then) = (abs(current.value - target), abs(reference - target))
      return now == then ? .moved : now < then ? .better : .worse
    }
  }

  /// What a metric should hit: 0.9 for `coverage_90`, 0 for `bias`.
  static func target(of name: String) -> Double? {
    if name == "bias" { return 0 }
    guard let digits = name.split(separator: "_").last, let percent = Int(digits), (1...99).contains(percent) else { return nil }
    return Double(percent) / 100
  }
}

/// Values of a metric in words.
enum EstimateText {
  static func value(_ value: Double, unit: String, decimals: Int) -> String {
    NumberText.fixed(value * factor(unit), decimals: decimals) + suffix(unit)
  }

  static func value(_ estimate: MetricEstimate) -> String {
    value(estimate.value, unit: estimate.unit, decimals: decimals(estimate))
  }

  /// `2.081–2.127`, without the unit.
  static func interval(_ estimate: MetricEstimate) -> String? {
    guard let low = estimate.low, let high = estimate.high else { return nil }
    return range(low, high, unit: estimate.unit, decimals: decimals(estimate))
  }

  /// `[−0.041, −0.002]` for differences, with signs.
  static func signedInterval(_ low: Double, _ high: Double, unit: String, decimals: Int) -> String {
    "[\(NumberText.signed(low * factor(unit), decimals: decimals)),\u{A0}\(NumberText.signed(high * factor(unit), decimals: decimals))]"
  }

  static func signed(_ value: Double, unit: String, decimals: Int) -> String {
    // A difference of shares is in percentage points.
    NumberText.signed(value * factor(unit), decimals: decimals) + (unit == "share" || unit == "%" ? "\u{A0}pp" : suffix(unit))
  }

  static func range(_ low: Double, _ high: Double, unit: String, decimals: Int) -> String {
    let (a, b) = (
      NumberText.fixed(low * factor(unit), decimals: decimals), NumberText.fixed(high * factor(unit), decimals: decimals)
    )
    return a.hasPrefix("−") || b.hasPrefix("−") ? "\(a)\u{A0}to\u{A0}\(b)" : "\(a)–\(b)"
  }

  /// Two digits of the interval's width, or four of the value where there is no interval.
  static func decimals(_ estimate: MetricEstimate) -> Int {
    let factor = factor(estimate.unit)
    if let low = estimate.low, let high = estimate.high, high > low {
      return min(4, NumberText.decimals(forStep: (high - low) * factor, digits: 2))
    }
    return min(4, NumberText.decimals(forStep: abs(estimate.value) * factor, digits: 4))
  }

  static func level(_ level: Double?) -> String {
    level.map { NumberText.plain(($0 * 100 * 100).rounded() / 100) + "% CI" } ?? "CI"
  }

  static func factor(_ unit: String) -> Double { unit == "share" ? 100 : 1 }

  static func suffix(_ unit: String) -> String {
    switch unit {
    case "": ""
    case "share", "%": "%"
    default: "\u{A0}" + unit
    }
  }
}

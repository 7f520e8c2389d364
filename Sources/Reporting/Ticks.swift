// Round numbers along an axis.
// SPDX-License-Identifier: Apache-2.0

/// Ticks at multiples of 1, 2 or 5 times a power of ten.
///
/// Source: Heckbert, "Nice numbers for graph labels", Graphics Gems, 1990.
package struct Ticks: Sendable, Equatable {
  /// Ascending, all inside the range they were made for.
  package var values: [Double]
  package var step: Double
  /// Decimals that tell neighbouring ticks apart.
  package var decimals: Int

  /// - Parameters:
  ///   - low: finite; with `high` in either order.
  ///   - count: about how many intervals are wanted; the result has at most that many, unless there is only one tick.
  package init(from low: Double, to high: Double, count: Int) {
    let (a, b) = low <= high ? (low, high) : (high, low)
    guard Self.isDivisible(a, b) else {
      values = a.isFinite && b.isFinite ? [a] : []
      step = 1
      decimals = NumberText.decimals(forStep: abs(a), digits: 3)
      return
    }
    let step = Self.niceStep(atLeast: (b - a) / Double(max(1, count)))
    // A hair of slack, so that 0.3 counts as a multiple of 0.1.
    let first = Int((a / step - 1e-9).rounded(.up))
    let last = Int((b / step + 1e-9).rounded(.down))
    values = first <= last ? (first...last).map { Self.multiple($0, of: step) } : []
    self.step = step
    decimals = NumberText.decimals(forStep: step, digits: 1)
  }

  /// The range widened to whole steps.
  package static func roundedRange(from low: Double, to high: Double, count: Int) -> ClosedRange<Double> {
    guard low.isFinite, high.isFinite else { return 0...1 }
    guard isDivisible(low, high) else { return low < high ? low...high : (low - 1)...(low + 1) }
    let step = niceStep(atLeast: (high - low) / Double(max(1, count)))
    let a = (low / step + 1e-9).rounded(.down)
    let b = (high / step - 1e-9).rounded(.up)
    return multiple(Int(a), of: step)...multiple(Int(b), of: step)
  }

  package func label(_ value: Double) -> String { NumberText.fixed(value, decimals: decimals) }

  /// From a million on, a label says `M` or `G` instead of writing the noughts; very small steps have powers of ten.
  func shortLabel(_ value: Double) -> String {
    let largest = values.map { abs($0) }.max() ?? 0
    for (unit, name) in [(1e9, "G"), (1e6, "M")] where largest >= unit && largest < 1e15 {
      return value == 0
        ? "0" : NumberText.fixed(value / unit, decimals: NumberText.decimals(forStep: step / unit, digits: 1)) + name
    }
    guard largest < 1e15, step >= 1e-4 || largest == 0 else { return NumberText.scientific(value, step: step) }
    return label(value)
  }

  /// Finite, as their distance, apart, and far enough apart for their size that the steps between can be counted.
  private static func isDivisible(_ low: Double, _ high: Double) -> Bool {
    low.isFinite && high.isFinite && high > low && (high - low).isFinite && max(abs(low), abs(high)) / (high - low) < 1e9
  }

  private static func niceStep(atLeast rough: Double) -> Double {
    var power = 1.0
    while power * 10 <= rough { power *= 10 }
    while power > rough { power /= 10 }
    let slack = rough * (1 - 1e-9)
    for factor in [1.0, 2, 5] where factor * power >= slack { return factor * power }
    return 10 * power
  }

  /// `k * step` without the drift of steps below one.
  private static func multiple(_ k: Int, of step: Double) -> Double {
    step < 1 ? Double(k) / (1 / step).rounded() : Double(k) * step
  }
}

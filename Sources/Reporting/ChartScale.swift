// Where a value stands along an axis, and which values are written beside it.
// SPDX-License-Identifier: Apache-2.0

/// A place along an axis that has a label.
struct AxisTick: Equatable {
  /// In the axis's unit.
  var value: Double
  var label: String
  /// What the label belongs to, on a line below: the day of an hour, the year of a month.
  var context: String?
}

extension Chart.Scale {
  var bandNames: [String]? {
    if case .bands(let names) = self { return names }
    return nil
  }

  /// Position along the axis in 0...1, held at the ends.
  func share(_ value: Double) -> Double {
    switch self {
    case .linear(let range), .share(let range), .time(let range):
      let width = range.upperBound - range.lowerBound
      return width > 0 ? min(1, max(0, (value - range.lowerBound) / width)) : 0.5
    case .log(let range):
      guard range.lowerBound > 0, value > 0 else { return 0 }
      let low = Logarithm.base10(range.lowerBound)
      let width = Logarithm.base10(range.upperBound) - low
      return width > 0 ? min(1, max(0, (Logarithm.base10(value) - low) / width)) : 0.5
    case .bands(let names):
      return names.isEmpty ? 0.5 : min(1, max(0, (value + 0.5) / Double(names.count)))
    }
  }

  /// Is the value between the ends?
  func contains(_ value: Double) -> Bool {
    switch self {
    case .linear(let range), .share(let range), .log(let range), .time(let range): value.isFinite && range.contains(value)
    case .bands(let names): value >= -0.5 && value < Double(names.count)
    }
  }

  /// - Parameter count: about how many are wanted at most; bands have all of theirs.
  func ticks(_ count: Int) -> [AxisTick] {
    switch self {
    case .linear(let range):
      let ticks = Ticks(from: range.lowerBound, to: range.upperBound, count: count)
      return ticks.values.map { AxisTick(value: $0, label: ticks.shortLabel($0)) }
    case .share(let range):
      let ticks = Ticks(from: range.lowerBound * 100, to: range.upperBound * 100, count: count)
      return ticks.values.map { AxisTick(value: $0 / 100, label: ticks.label($0) + "%") }
    case .log(let range): return LogTicks.ticks(range, count: count)
    case .time(let range): return TimeTicks.ticks(range, count: count)
    case .bands(let names): return names.enumerated().map { AxisTick(value: Double($0.offset), label: $0.element) }
    }
  }

  /// A scale that holds the values, its ends at round numbers; a range that begins near zero begins at zero.
  package static func holding(_ values: [Double], count: Int = 5, fromZero: Bool = false) -> Chart.Scale {
    .linear(range(values, count: count, fromZero: fromZero))
  }

  package static func holdingShares(_ values: [Double], fromZero: Bool = false) -> Chart.Scale {
    let range = range(values.map { $0 * 100 }, count: 5, fromZero: fromZero)
    return .share(range.lowerBound / 100...range.upperBound / 100)
  }

  static func range(_ values: [Double], count: Int = 5, fromZero: Bool = false) -> ClosedRange<Double> {
    let finite = values.filter(\.isFinite)
    guard var low = finite.min(), var high = finite.max() else { return 0...1 }
    if fromZero || (low > 0 && low < high / 3) { low = min(0, low) }
    if fromZero { high = max(0, high) }
    if low == high {
      return low == 0 ? 0...1 : Ticks.roundedRange(from: low - abs(low) / 2, to: high + abs(high) / 2, count: count)
    }
    return Ticks.roundedRange(from: low, to: high, count: count)
  }
}

/// Powers of ten, with their twos and fives where there is room.
enum LogTicks {
  static func ticks(_ range: ClosedRange<Double>, count: Int) -> [AxisTick] {
    guard range.lowerBound > 0, range.upperBound.isFinite else { return [] }
    let first = Int(Logarithm.base10(range.lowerBound).rounded(.down))
    let last = Int(Logarithm.base10(range.upperBound).rounded(.up))
    for factors in [[1.0, 2, 5], [1.0, 3], [1.0]] {
      let all = (first...max(first, last)).flatMap { power in factors.map { ($0, power) } }
        .filter { range.contains(value($0.0, $0.1)) }
      if all.count <= max(2, count) { return all.map(tick) }
    }
    var every = 2
    while (last - first) / every + 1 > max(2, count) { every += 1 }
    return stride(from: first, through: last, by: every).map { (1.0, $0) }.filter { range.contains(value($0.0, $0.1)) }.map(tick)
  }

  private static func value(_ factor: Double, _ power: Int) -> Double {
    power >= 0 ? factor * NumberText.powerOfTen(power) : factor / NumberText.powerOfTen(-power)
  }

  private static func tick(_ factor: Double, _ power: Int) -> AxisTick {
    let value = value(factor, power)
    guard power < -4 || power > 5 else { return AxisTick(value: value, label: NumberText.fixed(value, decimals: max(0, -power))) }
    let digits = Array("⁰¹²³⁴⁵⁶⁷⁸⁹")
    let raised = (power < 0 ? "⁻" : "") + String(String(power.magnitude).compactMap { $0.wholeNumberValue.map { digits[$0] } })
    return AxisTick(value: value, label: (factor == 1 ? "" : "\(Int(factor))·") + "10" + raised)
  }
}

/// Logarithms by plain arithmetic, so that every machine finds the same.
enum Logarithm {
  /// - Parameter value: above zero.
  static func natural(_ value: Double) -> Double {
    guard value > 0, value.isFinite else { return 0 }
    var mantissa = value.significand
    var exponent = Double(value.exponent)
    if mantissa > 1.4142135623730951 {
      mantissa /= 2
      exponent += 1
    }
    // ln m = 2 artanh((m - 1) / (m + 1)); the argument is below 0.172.
    let ratio = (mantissa - 1) / (mantissa + 1)
    let square = ratio * ratio
    var term = ratio
    var sum = ratio
    for odd in stride(from: 3.0, through: 25, by: 2) {
      term *= square
      sum += term / odd
    }
    return 2 * sum + exponent * 0.6931471805599453
  }

  static func base10(_ value: Double) -> Double { natural(value) / 2.302585092994046 }
}

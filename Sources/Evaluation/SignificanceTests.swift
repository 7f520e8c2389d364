// Tests of whether two models differ on the same rows, and the correction for asking often.
// SPDX-License-Identifier: Apache-2.0

/// Wilson's interval of a share.
///
/// - Parameters:
///   - hits: in 0...count.
///   - count: `nil` comes back for 0.
///   - level: of confidence, in 0..<1.
///
/// Source: Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
package func wilsonInterval(_ hits: Double, of count: Double, level: Double) -> (low: Double, high: Double)? {
  guard count > 0 else { return nil }
  let z = NormalLaw.quantile((1 + level) / 2)
  let share = hits / count
  let centre = (share + z * z / (2 * count)) / (1 + z * z / count)
  let half = z / (1 + z * z / count) * (share * (1 - share) / count + z * z / (4 * count * count)).squareRoot()
  return (hits == 0 ? 0 : max(0, centre - half), hits == count ? 1 : min(1, centre + half))
}

/// Tests on pairs. Each gives the chance of what was seen, or more, if there were no difference.
enum PairedTests {
  /// Exact McNemar test: rows that only one of two classifiers got right.
  ///
  /// Source: McNemar, "Note on the sampling error of the difference between correlated proportions", 1947.
  static func mcnemar(onlyFirst: Int, onlySecond: Int) -> Double {
    min(1, 2 * fairCoin(atMost: min(onlyFirst, onlySecond), of: onlyFirst + onlySecond))
  }

  /// Student's test of a mean difference of 0; `nil` for fewer than two pairs or when all differences are equal.
  static func student(_ differences: [Double]) -> Double? {
    let count = Double(differences.count)
    guard count > 1 else { return nil }
    let mean = differences.reduce(0, +) / count
    let squares = differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    guard squares > 0 else { return nil }
    return StudentLaw.twoSided(mean / (squares / (count - 1) / count).squareRoot(), freedom: count - 1)
  }

  /// Wilcoxon's signed-rank test by the normal law with correction for ties; differences of 0 are left out. `nil` when none is left.
  ///
  /// Source: Wilcoxon, "Individual comparisons by ranking methods", 1945.
  static func wilcoxon(_ differences: [Double]) -> Double? {
    let sorted = differences.filter { $0 != 0 }.sorted { abs($0) < abs($1) }
    guard !sorted.isEmpty else { return nil }
    let count = Double(sorted.count)
    var (positive, ties) = (0.0, 0.0)
    var start = 0
    while start < sorted.count {
      var end = start
      while end < sorted.count, abs(sorted[end]) == abs(sorted[start]) { end += 1 }
      let rank = Double(start + end + 1) / 2
      positive += rank * Double(sorted[start..<end].count { $0 > 0 })
      let tied = Double(end - start)
      ties += tied * (tied * tied - 1)
      start = end
    }
    let rest = count * (count + 1) / 2 - positive
    let mean = count * (count + 1) / 4
    let variance = (count * (count + 1) * (2 * count + 1) - ties / 2) / 24
    return variance > 0 ? NormalLaw.twoSided((min(positive, rest) - mean) / variance.squareRoot()) : 1
  }

  /// Diebold and Mariano's test of equal mean loss, corrected for small samples.
  ///
  /// - Parameters:
  ///   - differences: of the losses, in order of time.
  ///   - horizon: steps ahead that were forecast, at least 1: losses nearer than that are correlated.
  /// - Returns: `nil` for too few losses, or when they do not vary.
  ///
  /// Source: Harvey, Leybourne and Newbold, "Testing the equality of prediction mean squared errors", 1997.
  static func dieboldMariano<Losses: RandomAccessCollection>(_ differences: Losses, horizon: Int) -> Double?
  where Losses.Element == Double, Losses.Index == Int {
    let count = differences.count
    guard count > horizon, count > 1 else { return nil }
    let n = Double(count)
    let h = Double(horizon)
    let mean = differences.reduce(0, +) / n
    var variance = 0.0
    for lag in 0..<horizon {
      var sum = 0.0
      for row in lag..<count { sum += (differences[row] - mean) * (differences[row - lag] - mean) }
      variance += (lag == 0 ? 1 : 2) * sum / n
    }
    guard variance > 0 else { return horizon > 1 ? dieboldMariano(differences, horizon: 1) : nil }
    let correction = (n + 1 - 2 * h + h * (h - 1) / n) / n
    guard correction > 0 else { return nil }
    return StudentLaw.twoSided(mean / (variance / n).squareRoot() * correction.squareRoot(), freedom: n - 1)
  }

  /// Holm's step-down correction, in the order given.
  ///
  /// Source: Holm, "A simple sequentially rejective multiple test procedure", 1979.
  static func holm(_ chances: [Double]) -> [Double] {
    var adjusted = chances
    var largest = 0.0
    let order = chances.indices.sorted { (chances[$0], $0) < (chances[$1], $1) }
    for (step, place) in order.enumerated() {
      largest = max(largest, min(1, Double(chances.count - step) * chances[place]))
      adjusted[place] = largest
    }
    return adjusted
  }
}

// How much a figure would change had other rows been drawn: percentile bootstrap, the same on every run.
// SPDX-License-Identifier: Apache-2.0

/// Resamples rows with replacement. Draw i of resample r is a function of (seed, r, i) alone.
///
/// Source: Efron and Tibshirani, "An introduction to the bootstrap", 1993, chapter 13.
package struct Bootstrap: Sendable, Equatable {
  package var seed: UInt64
  package var resamples: Int
  /// Of the confidence interval, in 0..<1.
  package var level: Double

  package init(seed: UInt64 = 42, resamples: Int = 2000, level: Double = 0.95) {
    precondition(resamples >= 1 && level > 0 && level < 1, "at least one resample and a level within 0...1")
    self.seed = seed
    self.resamples = resamples
    self.level = level
  }

  /// What an interval is called in a document.
  package var method: String { "percentile bootstrap, \(resamples) resamples" }

  /// The sums of the rows' terms in every resample.
  ///
  /// - Parameter terms: at least one row.
  /// - Complexity: O(rows × resamples); 30,000 rows and 2,000 resamples take about half a second.
  package func sums(of terms: [SIMD16<Double>]) -> [SIMD16<Double>] {
    precondition(!terms.isEmpty, "there are rows to draw from")
    let count = UInt64(terms.count)
    return terms.withUnsafeBufferPointer { terms in
      (0..<resamples).map { resample in
        // SplitMix64 in its counter form: a Weyl sequence, mixed.
        var state = Self.mix(seed &+ Self.mix(UInt64(resample) &+ 1))
        var sum = SIMD16<Double>()
        for _ in 0..<terms.count {
          state &+= 0x9E37_79B9_7F4A_7C15
          sum += terms[Int(Self.mix(state).multipliedFullWidth(by: count).high)]
        }
        return sum
      }
    }
  }

  /// The bounds that hold the middle `level` of the values; `nil` when a value is not finite.
  package func interval(of values: [Double]) -> (low: Double, high: Double)? {
    guard !values.isEmpty, values.allSatisfy(\.isFinite) else { return nil }
    let sorted = values.sorted()
    return (quantile((1 - level) / 2, ofSorted: sorted), quantile((1 + level) / 2, ofSorted: sorted))
  }

  /// The finaliser of SplitMix64: a bijection with full avalanche.
  @inline(__always)
  static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// The value below which a share of the sorted values lies, interpolated between neighbours.
///
/// - Parameters:
///   - share: in 0...1.
///   - sorted: rising, at least one value.
///
/// Source: Hyndman and Fan, "Sample quantiles in statistical packages", 1996, type 7 (numpy's default).
package func quantile<Values: RandomAccessCollection>(_ share: Double, ofSorted sorted: Values) -> Double
where Values.Element == Double, Values.Index == Int {
  precondition(!sorted.isEmpty && (0...1).contains(share), "a quantile is taken of values, at a share in 0...1")
  let place = share * Double(sorted.count - 1)
  let below = Int(place.rounded(.down))
  guard below + 1 < sorted.count else { return sorted[below] }
  return sorted[below] + (sorted[below + 1] - sorted[below]) * (place - Double(below))
}

/// The median of any values, at least one.
package func median(_ values: [Double]) -> Double { quantile(0.5, ofSorted: values.sorted()) }

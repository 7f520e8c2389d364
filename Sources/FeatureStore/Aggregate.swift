// How the past of an entity is summed up in one number.
// SPDX-License-Identifier: Apache-2.0

/// A summary of the values in a window, in order of time.
package enum Aggregate: String, Codable, Sendable, CaseIterable {
  case mean, median, count, last

  /// NaN when there is nothing to sum up; `count` is then 0. Missing values must have been left out.
  package func value(of window: ArraySlice<Double>) -> Double {
    if self == .count { return Double(window.count) }
    guard let last = window.last else { return .nan }
    switch self {
    case .mean: return FeatureRounding.rounded(window.reduce(0, +) / Double(window.count))
    case .median: return FeatureRounding.rounded(Self.median(window))
    case .last, .count: return FeatureRounding.rounded(last)
    }
  }

  private static func median(_ window: ArraySlice<Double>) -> Double {
    let sorted = window.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}

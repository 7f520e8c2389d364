// Rows of features with their truth, as a learner takes them.
// SPDX-License-Identifier: Apache-2.0

/// A dense table of single-precision features, row by row, with one label per row.
///
/// Invariant: `features.count == labels.count * width`.
package struct SampleMatrix: Sendable, Equatable {
  /// Features per row.
  package let width: Int
  /// NaN is missing.
  package let features: [Float]
  /// The target, in its unit.
  package let labels: [Float]

  package init(width: Int, features: [Float], labels: [Float]) {
    precondition(width > 0 && features.count == labels.count * width, "each row has `width` features and one label")
    self.width = width
    self.features = features
    self.labels = labels
  }

  package var rowCount: Int { labels.count }

  /// Least and greatest value per feature; `nil` where every row lacks it.
  package var bounds: [ClosedRange<Float>?] {
    var low = [Float](repeating: .infinity, count: width)
    var high = [Float](repeating: -.infinity, count: width)
    features.withUnsafeBufferPointer { all in
      for row in stride(from: 0, to: all.count, by: width) {
        for column in 0..<width {
          let value = all[row + column]
          if value < low[column] { low[column] = value }
          if value > high[column] { high[column] = value }
        }
      }
    }
    return (0..<width).map { low[$0] <= high[$0] ? low[$0]...high[$0] : nil }
  }

  /// The rows at these positions, in this order.
  package func selecting(rows: some Collection<Int>) -> SampleMatrix {
    var picked: [Float] = []
    picked.reserveCapacity(rows.count * width)
    for row in rows { picked += features[row * width..<(row + 1) * width] }
    return SampleMatrix(width: width, features: picked, labels: rows.map { labels[$0] })
  }
}

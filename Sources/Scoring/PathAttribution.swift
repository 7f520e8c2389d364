// Which feature moved a prediction, and by how much: attribution along the decision path.
// SPDX-License-Identifier: Apache-2.0

extension TreeEnsemble {
  /// A prediction taken apart: `bias + contributions.sum()` is the prediction.
  package struct Attribution: Sendable, Equatable {
    /// What the model predicts before it looks at any feature.
    package var bias: Double
    /// One value per feature, in the model's order and the target's unit.
    package var contributions: [Double]
  }

  /// Credits each step down a tree to the feature that the step looked at.
  ///
  /// A step is worth the change of expectation between parent and child, where a node's expectation is the mean of its
  /// leaves weighted by their cover in training. Cost is that of a prediction, which exact Shapley values (about 400
  /// times slower for trees of depth 7) do not allow on a served path.
  ///
  /// - Parameter features: `featureCount` values; NaN is missing.
  ///
  /// Source: Saabas, "Interpreting random forests", 2014; XGBoost offers the same as `approx_contribs`.
  package func attribution(of features: [Float]) -> Attribution {
    precondition(features.count == featureCount, "a feature vector has as many values as the model has features")
    var bias = Double(baseScore)
    var contributions = [Double](repeating: 0, count: featureCount)
    features.withUnsafeBufferPointer { row in
      nodes.withUnsafeBufferPointer { nodes in
        contributions.withUnsafeMutableBufferPointer { sums in
          for tree in trees {
            var at = tree.root
            var expected = expectations[Int(at)]
            bias += expected
            while nodes[Int(at)].flags & Node.inner != 0 {
              let next = Self.step(from: at, nodes: nodes, row: row)
              let after = expectations[Int(next)]
              sums[Int(nodes[Int(at)].feature)] += after - expected
              (at, expected) = (next, after)
            }
          }
        }
      }
    }
    return Attribution(bias: bias, contributions: contributions)
  }
}

extension TreeEnsemble.Attribution {
  /// Indices of the `count` features with the largest contribution by size, largest first, ties by feature order.
  package func strongest(_ count: Int) -> [Int] {
    var best: [Int] = []
    best.reserveCapacity(count + 1)
    for index in contributions.indices where contributions[index] != 0 {
      let size = abs(contributions[index])
      guard best.count < count || best.last.map({ size > abs(contributions[$0]) }) ?? false else { continue }
      let place = best.firstIndex { size > abs(contributions[$0]) } ?? best.endIndex
      best.insert(index, at: place)
      if best.count > count { best.removeLast() }
    }
    return best
  }
}

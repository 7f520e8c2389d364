// Rows by falling score, and what ranks say: the area under the ROC curve and its uncertainty.
// SPDX-License-Identifier: Apache-2.0

/// Rows by falling score; equal scores are neighbours.
struct ScoreOrder {
  let rows: [UInt32]

  init(_ scores: [Double]) {
    struct Entry {
      var score: Double
      var row: UInt32
    }
    var entries = scores.indices.map { Entry(score: scores[$0], row: UInt32($0)) }
    entries.sort { $0.score != $1.score ? $0.score > $1.score : $0.row < $1.row }
    rows = entries.map(\.row)
  }
}

/// The area under a ROC curve with what each row contributes to it.
struct RankedArea {
  /// Ties count half; NaN when a class is missing.
  var area: Double
  /// By row: see `MetricSet.influences`. Empty when a class is missing.
  var influences: [Double]

  /// - Parameters:
  ///   - order: of `scores`.
  ///   - isPositive: by row.
  ///   - weight: by row, at least 0.
  /// - Complexity: O(n).
  ///
  /// Source: DeLong, DeLong and Clarke-Pearson, "Comparing the areas under two or more correlated receiver operating characteristic
  /// curves", 1988; by ranks as in Sun and Xu, "Fast implementation of DeLong's algorithm", 2014. Weights enter the sums as
  /// repetitions would.
  init(_ order: ScoreOrder, scores: [Double], isPositive: (Int) -> Bool, weight: (Int) -> Double) {
    var (positives, negatives) = (0.0, 0.0)
    var (positiveRows, negativeRows) = (0.0, 0.0)
    for row in scores.indices {
      if isPositive(row) {
        positives += weight(row)
        positiveRows += 1
      } else {
        negatives += weight(row)
        negativeRows += 1
      }
    }
    guard positives > 0, negatives > 0 else {
      (area, influences) = (.nan, [])
      return
    }
    var influences = [Double](repeating: 0, count: scores.count)
    var (positivesAbove, negativesAbove, sum) = (0.0, 0.0, 0.0)
    var start = 0
    while start < order.rows.count {
      let score = scores[Int(order.rows[start])]
      var end = start
      var (tiedPositives, tiedNegatives) = (0.0, 0.0)
      while end < order.rows.count, scores[Int(order.rows[end])] == score {
        let row = Int(order.rows[end])
        if isPositive(row) { tiedPositives += weight(row) } else { tiedNegatives += weight(row) }
        end += 1
      }
      // The share of the other class that the row is on the right side of.
      let beaten = (negatives - negativesAbove - tiedNegatives / 2) / negatives
      let beating = (positivesAbove + tiedPositives / 2) / positives
      for place in start..<end {
        let row = Int(order.rows[place])
        influences[row] = isPositive(row) ? beaten : beating
      }
      sum += tiedPositives * beaten
      positivesAbove += tiedPositives
      negativesAbove += tiedNegatives
      start = end
    }
    let area = sum / positives
    let positiveFactor = (positiveRows / max(positiveRows - 1, 1)).squareRoot() / positives
    let negativeFactor = (negativeRows / max(negativeRows - 1, 1)).squareRoot() / negatives
    for row in influences.indices {
      influences[row] = (influences[row] - area) * weight(row) * (isPositive(row) ? positiveFactor : negativeFactor)
    }
    self.area = area
    self.influences = influences
  }
}

extension RankedArea {
  /// Of the positive class of a binary task.
  init(_ order: ScoreOrder, of table: PredictionTable) {
    self.init(order, scores: table.scores[0], isPositive: { table.labels[$0] == 1 }, weight: table.weight)
  }
}

// Rows by falling score, and what ranks say: the area under the ROC curve and its uncertainty.
// SPDX-License-Identifier: Apache-2.0

/// A row with what ranks need of it, so that nobody has to leap to its columns.
struct RankedRow {
  var score: Double
  var weight: Double
  var row: UInt32
  var isPositive: Bool
  /// Whether it is called positive.
  var isFlagged = false
}

/// Rows by falling score; equal scores are neighbours, in the order of the table.
struct ScoreOrder {
  let rows: RowValues<RankedRow>

  init(_ count: Int, in scratch: Scratch, _ row: (Int) -> RankedRow) {
    var rows = RowValues(count: count, in: scratch, row)
    rows.sort { $0.score != $1.score ? $0.score > $1.score : $0.row < $1.row }
    self.rows = rows
  }
}

/// The area under a ROC curve with what each row contributes to it.
struct RankedArea {
  /// Ties count half; NaN when a class is missing.
  var area: Double
  /// By row: see `MetricSet.influences`. Empty when a class is missing.
  var influences: RowValues<Double>

  /// - Complexity: O(n).
  ///
  /// Source: DeLong, DeLong and Clarke-Pearson, "Comparing the areas under two or more correlated receiver operating characteristic
  /// curves", 1988; by ranks as in Sun and Xu, "Fast implementation of DeLong's algorithm", 2014. Weights enter the sums as
  /// repetitions would.
  ///
  /// - Parameters:
  ///   - order: of all rows.
  ///   - totals: of both classes.
  init(_ order: ScoreOrder, _ totals: ClassTotals) {
    let (positives, negatives) = (totals.positives, totals.negatives)
    guard positives > 0, negatives > 0 else {
      (area, influences) = (.nan, [])
      return
    }
    let rows = order.rows
    // By place in the order: the share of the other class that the row is on the right side of.
    var shares = RowValues<Double>(in: rows.scratch, reserving: rows.count)
    var (positivesAbove, negativesAbove, sum) = (0.0, 0.0, 0.0)
    var start = 0
    while start < rows.count {
      let score = rows[start].score
      var end = start
      var (tiedPositives, tiedNegatives) = (0.0, 0.0)
      while end < rows.count, rows[end].score == score {
        if rows[end].isPositive { tiedPositives += rows[end].weight } else { tiedNegatives += rows[end].weight }
        end += 1
      }
      let beaten = (negatives - negativesAbove - tiedNegatives / 2) / negatives
      let beating = (positivesAbove + tiedPositives / 2) / positives
      for place in start..<end { shares.append(rows[place].isPositive ? beaten : beating) }
      sum += tiedPositives * beaten
      positivesAbove += tiedPositives
      negativesAbove += tiedNegatives
      start = end
    }
    let area = sum / positives
    let positiveFactor = (totals.positiveRows / max(totals.positiveRows - 1, 1)).squareRoot() / positives
    let negativeFactor = (totals.negativeRows / max(totals.negativeRows - 1, 1)).squareRoot() / negatives
    self.area = area
    influences = RowValues(
      count: rows.count, in: rows.scratch,
      placing: { place in
        let row = rows[place]
        return (Int(row.row), (shares[place] - area) * row.weight * (row.isPositive ? positiveFactor : negativeFactor))
      })
  }
}

/// Weights and numbers of the rows of two classes.
struct ClassTotals {
  var (positives, negatives) = (0.0, 0.0)
  var (positiveRows, negativeRows) = (0.0, 0.0)

  /// In the order of the rows, since sums of weights hang on it.
  init(_ count: Int, isPositive: (Int) -> Bool, weight: (Int) -> Double) {
    for row in 0..<count {
      if isPositive(row) {
        positives += weight(row)
        positiveRows += 1
      } else {
        negatives += weight(row)
        negativeRows += 1
      }
    }
  }
}

extension PredictionTable {
  /// One class against the rest.
  func totals(positive label: Int) -> ClassTotals {
    ClassTotals(count, isPositive: { labels[$0] == UInt32(label) }, weight: weight)
  }
}

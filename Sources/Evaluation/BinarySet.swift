// Metrics of two classes, from decisions and from scores.
// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Metrics of a binary classifier.
struct BinarySet: MetricSet {
  /// Bins of the expected calibration error.
  static let calibrationBins = 10

  let words: [MetricWords]
  private let table: PredictionTable
  private let settings: Settings
  private let order: ScoreOrder?
  /// Where it is wanted.
  private let area: RankedArea?
  /// The rows by falling score, or in their own order without scores; kept for small tables only.
  private var rows: RowValues<Row> = []

  struct Settings {
    var threshold: Double?
    /// Average precision: it needs the rows in order.
    var wantsOrder: Bool
    var wantsArea: Bool
    var isResampled: Bool
  }

  private struct Row {
    var isPositive: Bool
    var isFlagged: Bool
    /// Whether the next row has another score.
    var endsTie: Bool
    var bin: UInt8
    var row: UInt32
    var weight: Double
    var score: Double
    var logLoss: Double
    var squaredError: Double
  }

  init(_ table: PredictionTable, _ settings: Settings) {
    self.table = table
    self.settings = settings
    words = [
      MetricWords("auc", "AUC", "higher", ""), MetricWords("average_precision", "average precision", "higher", ""),
      MetricWords("log_loss", "log loss", "lower", ""), MetricWords("brier", "Brier score", "lower", ""),
      MetricWords("ece", "calibration error", "lower", "share", isBiased: true),
      MetricWords("accuracy", "accuracy", "higher", "share"),
      MetricWords("balanced_accuracy", "balanced accuracy", "higher", "share"),
      MetricWords("precision", "precision", "higher", "share"), MetricWords("recall", "recall", "higher", "share"),
      MetricWords("specificity", "specificity", "higher", "share"), MetricWords("f1", "F1", "higher", ""),
      MetricWords("mcc", "MCC", "higher", ""),
    ]
    let isOrdered = !table.scores.isEmpty && (settings.wantsOrder || settings.wantsArea)
    let order = isOrdered ? ScoreOrder(table.count, in: table.scratch) { table.ranked($0, settings.threshold) } : nil
    area = settings.wantsArea ? order.map { RankedArea($0, table.totals(positive: 1)) } : nil
    self.order = settings.wantsOrder ? order : nil
    if settings.isResampled { rows = RowValues(count: table.count, in: table.scratch, row) }
  }

  var units: Int { table.count }

  func values(of parts: RowParts) -> [[Double]] {
    var settings = settings
    settings.isResampled = false
    let parted = PartedTable(table, parts)
    return parts.indices.map { BinarySet(parted[$0], settings).values(nil) }
  }

  private func row(_ place: Int) -> Row {
    let ranked = order.map { $0.rows[place] } ?? table.ranked(place, settings.threshold)
    let (score, isPositive) = (ranked.score, ranked.isPositive)
    var result = Row(
      isPositive: isPositive, isFlagged: ranked.isFlagged, endsTie: true, bin: 0, row: ranked.row, weight: ranked.weight,
      score: 0,
      logLoss: .nan, squaredError: .nan)
    guard !table.scores.isEmpty else { return result }
    if let order { result.endsTie = place + 1 == table.count || order.rows[place + 1].score != score }
    result.bin = UInt8(min(Self.calibrationBins - 1, Int(score * Double(Self.calibrationBins))))
    result.score = score
    result.logLoss = Self.logLoss(score, isPositive)
    let error = score - (isPositive ? 1 : 0)
    result.squaredError = error * error
    return result
  }

  /// The score kept off 0 and 1 by the machine's precision, as scikit-learn does.
  private static func logLoss(_ score: Double, _ isPositive: Bool) -> Double {
    let chance = isPositive ? score : 1 - score
    return -log(min(max(chance, 0x1p-52), 1 - 0x1p-52))
  }

  // MARK: Values

  private struct Sums {
    var (truePositives, falsePositives, trueNegatives, falseNegatives) = (0.0, 0.0, 0.0, 0.0)
    var (logLoss, squaredError) = (0.0, 0.0)
    /// Sum over ties of their positives times the precision down to them.
    var precision = 0.0
    var (found, looked, tied) = (0.0, 0.0, 0.0)
    var bins = [SIMD2<Double>](repeating: SIMD2(), count: BinarySet.calibrationBins)
  }

  func values(_ drawn: DrawnCounts?) -> [Double] {
    var sums = Sums()
    if let drawn {
      precondition(rows.count == drawn.count, "resamples are asked of a set that was made for them")
      rows.withUnsafeBufferPointer { rows in
        for place in 0..<rows.count {
          let row = rows[place]
          add(row, row.weight * Double(drawn[Int(row.row)]), &sums)
        }
      }
    } else {
      for place in 0..<table.count {
        let row = rows.isEmpty ? row(place) : rows[place]
        add(row, row.weight, &sums)
      }
    }
    return functions(of: sums, isWhole: drawn == nil)
  }

  @inline(__always)
  private func add(_ row: Row, _ weight: Double, _ sums: inout Sums) {
    if row.isPositive {
      if row.isFlagged { sums.truePositives += weight } else { sums.falseNegatives += weight }
      sums.tied += weight
    } else {
      if row.isFlagged { sums.falsePositives += weight } else { sums.trueNegatives += weight }
    }
    sums.logLoss += weight * row.logLoss
    sums.squaredError += weight * row.squaredError
    sums.looked += weight
    if row.endsTie {
      sums.found += sums.tied
      if sums.tied > 0 { sums.precision += sums.tied * (sums.found / sums.looked) }
      sums.tied = 0
    }
    sums.bins[Int(row.bin)] += SIMD2(weight * row.score, row.isPositive ? weight : 0)
  }

  private func functions(of sums: Sums, isWhole: Bool) -> [Double] {
    let (tp, fp, tn, fn) = (sums.truePositives, sums.falsePositives, sums.trueNegatives, sums.falseNegatives)
    let total = tp + fp + tn + fn
    let (recall, specificity) = (tp / (tp + fn), tn / (tn + fp))
    let hasScores = !table.scores.isEmpty
    // Square roots before the product: it would overflow nowhere, but lose digits for tens of millions of rows.
    let scale = (tp + fp).squareRoot() * (tp + fn).squareRoot() * (tn + fp).squareRoot() * (tn + fn).squareRoot()
    let calibration = sums.bins.reduce(0) { $0 + abs($1[0] - $1[1]) } / total
    return [
      isWhole ? area?.area ?? .nan : .nan,
      order == nil ? .nan : sums.precision / (tp + fn), hasScores ? sums.logLoss / total : .nan,
      hasScores ? sums.squaredError / total : .nan, hasScores ? calibration : .nan, (tp + tn) / total,
      (recall + specificity) / 2, tp / (tp + fp), recall, specificity, 2 * tp / (2 * tp + fp + fn),
      scale > 0 ? (tp * tn - fp * fn) / scale : 0,
    ]
  }

  // MARK: What more is known

  func influences(_ metric: Int) -> RowValues<Double>? {
    guard words[metric].name == "auc" else { return nil }
    return area.flatMap { $0.influences.isEmpty ? nil : $0.influences }
  }

  func share(_ metric: Int) -> (hits: Double, rows: Double)? {
    guard table.weights.isEmpty else { return nil }
    var (tp, fp, tn, fn) = (0, 0, 0, 0)
    for row in 0..<table.count {
      switch (table.labels[row] == 1, table.isFlagged(row, threshold: settings.threshold)) {
      case (true, true): tp += 1
      case (false, true): fp += 1
      case (false, false): tn += 1
      case (true, false): fn += 1
      }
    }
    let counts: (Int, Int)
    switch words[metric].name {
    case "accuracy": counts = (tp + tn, table.count)
    case "precision": counts = (tp, tp + fp)
    case "recall": counts = (tp, tp + fn)
    case "specificity": counts = (tn, tn + fp)
    default: return nil
    }
    return (Double(counts.0), Double(counts.1))
  }

  func losses(_ metric: Int) -> RowValues<Double>? {
    let isRight = { (row: Int) in (table.labels[row] == 1) == table.isFlagged(row, threshold: settings.threshold) }
    switch words[metric].name {
    case "accuracy": return RowValues(count: table.count, in: table.scratch) { isRight($0) ? 0 : table.weight($0) }
    case "log_loss":
      return table.scores.first.map { scores in
        RowValues(count: table.count, in: table.scratch) {
          Self.logLoss(scores[$0], table.labels[$0] == 1) * table.weight($0)
        }
      }
    case "brier":
      return table.scores.first.map { scores in
        RowValues(count: table.count, in: table.scratch) {
          let error = scores[$0] - Double(table.labels[$0])
          return error * error * table.weight($0)
        }
      }
    default: return nil
    }
  }
}

extension PredictionTable {
  /// A row of a binary task; the score is 0 where there are none.
  fileprivate func ranked(_ row: Int, _ threshold: Double?) -> RankedRow {
    RankedRow(
      score: scores.first.map { $0[row] } ?? 0, weight: weight(row), row: UInt32(row), isPositive: labels[row] == 1,
      isFlagged: isFlagged(row, threshold: threshold))
  }

  /// Whether a row is called positive: by the threshold, else by `y_pred`, else from one half on.
  @inline(__always)
  func isFlagged(_ row: Int, threshold: Double?) -> Bool {
    if predictedLabels.isEmpty || (threshold != nil && !scores.isEmpty) { return scores[0][row] >= threshold ?? 0.5 }
    return predictedLabels[row] == 1
  }
}

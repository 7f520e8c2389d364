// Metrics of several classes: functions of the confusion matrix, and of one score per class.
// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Metrics of a classifier of several classes.
struct MulticlassSet: MetricSet {
  let words: [MetricWords]
  private let table: PredictionTable
  private let settings: Settings
  /// Pairs of truth and prediction that occur.
  private let cells: [(truth: Int, prediction: Int)]
  /// By row: place in `cells`.
  private let cellOf: RowValues<UInt32>
  private let logLosses: RowValues<Double>
  /// By row: how many classes have a higher score than the true one. scikit-learn puts the later class of two equal ones first.
  private let ranks: RowValues<UInt16>
  /// The mean over classes of the area of one against the rest, where it is wanted.
  private let area: RankedArea?

  struct Settings {
    var cutoffs: [Int]
    var wantsArea: Bool
  }

  init(_ table: PredictionTable, _ settings: Settings) {
    self.table = table
    self.settings = settings
    words = Self.words(settings)
    var places: [UInt64: UInt32] = [:]
    var cells: [(truth: Int, prediction: Int)] = []
    cellOf = RowValues(count: table.count, in: table.scratch) { row in
      let (truth, prediction) = (Int(table.labels[row]), table.predictedClass(row))
      let key = UInt64(truth) << 32 | UInt64(prediction)
      if let known = places[key] { return known }
      places[key] = UInt32(cells.count)
      cells.append((truth, prediction))
      return UInt32(cells.count - 1)
    }
    self.cells = cells
    area = settings.wantsArea ? RankedArea(oneAgainstRest: table) : nil
    guard !table.scores.isEmpty else {
      (logLosses, ranks) = ([], [])
      return
    }
    logLosses = RowValues(count: table.count, in: table.scratch) { row in
      -log(min(max(table.scores[Int(table.labels[row])][row], 0x1p-52), 1 - 0x1p-52))
    }
    ranks = RowValues(count: table.count, in: table.scratch) { row in
      let truth = Int(table.labels[row])
      let score = table.scores[truth][row]
      var rank: UInt16 = 0
      for place in table.scores.indices {
        let other = table.scores[place][row]
        if other > score || (other == score && place > truth) { rank += 1 }
      }
      return rank
    }
  }

  var units: Int { table.count }

  func values(of parts: RowParts) -> [[Double]] {
    let parted = PartedTable(table, parts)
    return parts.indices.map { MulticlassSet(parted[$0], settings).values(nil) }
  }

  private static func words(_ settings: Settings) -> [MetricWords] {
    var words = [
      MetricWords("accuracy", "accuracy", "higher", "share"),
      MetricWords("balanced_accuracy", "balanced accuracy", "higher", "share"),
    ]
    for (name, label) in [("precision", "precision"), ("recall", "recall"), ("f1", "F1")] {
      for mean in ["macro", "micro", "weighted"] {
        words.append(MetricWords("\(name)_\(mean)", "\(mean) \(label)", "higher", name == "f1" ? "" : "share"))
      }
    }
    words += [
      MetricWords("log_loss", "log loss", "lower", ""), MetricWords("auc_ovr", "AUC, one class against the rest", "higher", ""),
      MetricWords("kappa", "Cohen's κ", "higher", ""), MetricWords("mcc", "MCC", "higher", ""),
    ]
    return words + settings.cutoffs.map { MetricWords("top_\($0)", "true class among the first \($0)", "higher", "share") }
  }

  // MARK: Values

  func values(_ drawn: DrawnCounts?) -> [Double] {
    var counts = [Double](repeating: 0, count: cells.count)
    var logLoss = 0.0
    var hits = [Double](repeating: 0, count: settings.cutoffs.count)
    let cutoffs = settings.cutoffs
    counts.withUnsafeMutableBufferPointer { counts in
      for row in 0..<table.count {
        let weight = drawn.map { Double($0[row]) * table.weight(row) } ?? table.weight(row)
        counts[Int(cellOf[row])] += weight
        guard !ranks.isEmpty else { continue }
        logLoss += weight * logLosses[row]
        for place in cutoffs.indices where Int(ranks[row]) < cutoffs[place] { hits[place] += weight }
      }
    }
    let total = counts.reduce(0, +)
    let hasScores = !table.scores.isEmpty
    let area = drawn == nil ? self.area?.area ?? .nan : .nan
    let fromMatrix = Self.functions(of: counts, cells, classes: table.classes.count, total: total)
    return fromMatrix.before + [hasScores ? logLoss / total : .nan, area] + fromMatrix.after
      + hits.map { hasScores ? $0 / total : .nan }
  }

  private static func functions(
    of counts: [Double], _ cells: [(truth: Int, prediction: Int)], classes: Int, total: Double
  ) -> (before: [Double], after: [Double]) {
    var (right, truths, predictions) = (
      [Double](repeating: 0, count: classes), [Double](repeating: 0, count: classes), [Double](repeating: 0, count: classes)
    )
    for (place, cell) in cells.enumerated() {
      truths[cell.truth] += counts[place]
      predictions[cell.prediction] += counts[place]
      if cell.truth == cell.prediction { right[cell.truth] += counts[place] }
    }
    let correct = right.reduce(0, +)
    // Classes that neither stand in the truth nor were predicted take no part in means.
    let present = (0..<classes).filter { truths[$0] > 0 || predictions[$0] > 0 }
    let precision = present.map { predictions[$0] > 0 ? right[$0] / predictions[$0] : 0 }
    let recall = present.map { truths[$0] > 0 ? right[$0] / truths[$0] : 0 }
    let f1 = present.map { 2 * right[$0] / (truths[$0] + predictions[$0]) }
    let inTruth = present.filter { truths[$0] > 0 }
    let balanced = inTruth.reduce(0) { $0 + right[$1] / truths[$1] } / Double(inTruth.count)
    func means(_ values: [Double]) -> [Double] {
      let weighted = zip(values, present).reduce(0) { $0 + $1.0 * truths[$1.1] } / total
      return [values.reduce(0, +) / Double(values.count), correct / total, weighted]
    }
    let chance = present.reduce(0) { $0 + truths[$1] / total * (predictions[$1] / total) }
    let kappa = chance < 1 ? (correct / total - chance) / (1 - chance) : .nan
    let truthSquares = present.reduce(0) { $0 + truths[$1] / total * (truths[$1] / total) }
    let predictionSquares = present.reduce(0) { $0 + predictions[$1] / total * (predictions[$1] / total) }
    let scale = ((1 - truthSquares) * (1 - predictionSquares)).squareRoot()
    let mcc = scale > 0 ? (correct / total - chance) / scale : 0
    return ([correct / total, balanced] + means(precision) + means(recall) + means(f1), [kappa, mcc])
  }

  // MARK: What more is known

  func influences(_ metric: Int) -> RowValues<Double>? { words[metric].name == "auc_ovr" ? area?.influences : nil }

  func share(_ metric: Int) -> (hits: Double, rows: Double)? {
    guard table.weights.isEmpty else { return nil }
    let name = words[metric].name
    if name == "accuracy" {
      return (Double(cellOf.count { cells[Int($0)].truth == cells[Int($0)].prediction }), Double(table.count))
    }
    guard name.hasPrefix("top_"), !ranks.isEmpty, let cutoff = Int(name.dropFirst(4)) else { return nil }
    return (Double(ranks.count { Int($0) < cutoff }), Double(table.count))
  }

  func losses(_ metric: Int) -> RowValues<Double>? {
    switch words[metric].name {
    case "accuracy":
      return RowValues(count: table.count, in: table.scratch) { row in
        let cell = cells[Int(cellOf[row])]
        return cell.truth == cell.prediction ? 0 : table.weight(row)
      }
    case "log_loss" where !logLosses.isEmpty:
      return RowValues(count: table.count, in: table.scratch) { logLosses[$0] * table.weight($0) }
    default: return nil
    }
  }
}

extension PredictionTable {
  /// The class that was predicted: `y_pred`, else the first of those with the highest score.
  func predictedClass(_ row: Int) -> Int {
    if !predictedLabels.isEmpty { return Int(predictedLabels[row]) }
    var best = 0
    for place in scores.indices where scores[place][row] > scores[best][row] { best = place }
    return best
  }
}

extension RankedArea {
  /// The mean over classes; `nil` without scores or when one class stands alone.
  init?(oneAgainstRest table: PredictionTable) {
    guard !table.scores.isEmpty else { return nil }
    var mean = RowValues<Double>(repeating: 0, count: table.count, in: table.scratch)
    var (sum, count) = (0.0, 0.0)
    for place in table.scores.indices {
      let scores = table.scores[place]
      let order = ScoreOrder(table.count, in: table.scratch) { row in
        RankedRow(
          score: scores[row], weight: table.weight(row), row: UInt32(row), isPositive: table.labels[row] == UInt32(place))
      }
      let one = RankedArea(order, table.totals(positive: place))
      guard !one.influences.isEmpty else { continue }
      sum += one.area
      count += 1
      for row in mean.indices { mean[row] += one.influences[row] }
    }
    guard count > 0 else { return nil }
    for row in mean.indices { mean[row] /= count }
    (area, influences) = (sum / count, mean)
  }
}

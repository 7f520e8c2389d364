// Which metrics a task has, which of them are shown unasked, and the set that computes them.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics

extension EvaluationRequest {
  /// Cut-offs in use: those asked for, or the task's own.
  func cutoffs(_ table: PredictionTable) -> [Int] {
    if !cutoffs.isEmpty { return cutoffs }
    return task == .ranking ? [10] : [table.classes.count > 3 ? 3 : 2]
  }

  /// The names of all metrics that the task can have on such a table.
  func knownMetrics(_ table: PredictionTable) -> [String] {
    words(table).map(\.name).filter { name in
      if name == "within_" { return false }
      return name != "mase" || seasonality != nil
    }
  }

  /// What is shown when nothing is asked for.
  func ownMetrics(_ table: PredictionTable) -> [String] {
    let cutoff = cutoffs(table)[0]
    let near = within.map { ["within_\(MetricWords.plain($0))"] } ?? []
    let band = table.lows.isEmpty ? [] : ["coverage_\(MetricWords.plain(intervalLevel * 100))", "interval_width"]
    switch task {
    case .regression: return ["mae", "rmse", "r2", "mape", "median_ae", "bias"] + near + band
    case .backtest:
      return ["mae", "rmse", "mape", "bias"] + (seasonality == nil ? [] : ["mase"]) + near + band
    case .binary:
      let scored = ["auc", "average_precision", "log_loss", "brier", "ece"]
      let decided = ["accuracy", "balanced_accuracy", "precision", "recall", "specificity", "f1", "mcc"]
      return (table.scores.isEmpty ? [] : scored) + decided
    case .multiclass:
      let scored = ["log_loss", "auc_ovr"] + (table.classes.count > cutoff ? ["top_\(cutoff)"] : [])
      return ["accuracy", "balanced_accuracy", "f1_macro", "f1_weighted", "kappa", "mcc"] + (table.scores.isEmpty ? [] : scored)
    case .ranking:
      return ["ndcg", "map"].map { "\($0)_\(cutoff)" } + ["mrr"] + ["precision", "recall", "hit"].map { "\($0)_\(cutoff)" }
    }
  }

  /// The metrics to compute: those to show, and those that a gate needs.
  ///
  /// - Throws: a diagnostic for a name that the task does not have.
  func chosenMetrics(_ table: PredictionTable) throws(Diagnostic) -> [String] {
    let known = knownMetrics(table)
    var chosen: [String] = []
    let named = [primary].compactMap { $0 } + (metrics ?? ownMetrics(table)) + gates.map(\.metric)
    for name in named + (sliceMetrics ?? []) + tolerance.keys.sorted() {
      guard known.contains(name) else {
        throw Diagnostic(
          .input, "evaluation `\(self.name)` has no metric `\(name)`", at: location,
          hints: [
            closestMatch(to: name, among: known).map { "did you mean `\($0)`?" }
              ?? "the task `\(task.rawValue)` has \(known.map { "`\($0)`" }.joined(separator: ", "))"
          ])
      }
    }
    for name in named where !chosen.contains(name) { chosen.append(name) }
    return chosen
  }

  private func words(_ table: PredictionTable) -> [MetricWords] {
    var empty = PredictionTable(source: "", task: task)
    empty.classes = table.classes
    return metricSet(empty, wanted: [], isResampled: false).words
  }

  /// - Parameters:
  ///   - wanted: metrics that will be asked for; costly others stay out.
  ///   - isResampled: whether `values` will be asked with draws.
  ///   - scale: MASE's, of the whole series.
  func metricSet(
    _ table: PredictionTable, wanted: Set<String>, isResampled: Bool, scale: Double? = nil
  ) -> any MetricSet {
    switch task {
    case .regression, .backtest:
      return RegressionSet(
        table,
        .init(
          unit: unit, within: within, level: intervalLevel, seasonality: task == .backtest ? seasonality : nil,
          wantsMedian: wanted.contains("median_ae"), isResampled: isResampled, scale: scale))
    case .binary:
      return BinarySet(
        table,
        .init(
          threshold: threshold, wantsOrder: wanted.contains("average_precision"), wantsArea: wanted.contains("auc"),
          isResampled: isResampled))
    case .multiclass:
      return MulticlassSet(table, .init(cutoffs: cutoffs(table), wantsArea: wanted.contains("auc_ovr")))
    case .ranking: return RankingSet(table, cutoffs: cutoffs(table), relevantFrom: relevantFrom)
    }
  }

  func resampling(_ table: PredictionTable, _ set: any MetricSet) -> Resampling {
    var resampling = Resampling(bootstrap: bootstrap, draw: .units, units: set.units, scratch: table.scratch)
    resampling.draw = draw(table, isLarge: resampling.isLarge)
    return resampling
  }

  private func draw(_ table: PredictionTable, isLarge: Bool) -> Resampling.Draw {
    switch task {
    case .regression, .ranking: return .units
    case .backtest:
      let length = blockLength ?? max(horizon, Int(Double(table.count).cubeRoot.rounded()))
      return .blocks(length: min(max(length, 1), table.count))
    case .binary, .multiclass:
      // Batches are of all classes.
      if isLarge { return .units }
      var strata = [RowValues<UInt32>](repeating: RowValues(in: table.scratch), count: table.classes.count)
      for row in 0..<table.count { strata[Int(table.labels[row])].append(UInt32(row)) }
      return .strata(strata.filter { !$0.isEmpty })
    }
  }
}

extension Double {
  /// Exact for cubes of whole numbers.
  fileprivate var cubeRoot: Double {
    var root = 1.0
    while (root + 1) * (root + 1) * (root + 1) <= self { root += 1 }
    let above = root + 1
    let (low, high) = (root * root * root, above * above * above)
    return self <= low ? root : root + (self - low) / (high - low)
  }
}

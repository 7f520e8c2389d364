// Metrics of predicted numbers: functions of sums over rows, and the median error.
// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Regression metrics; of a backtest also MASE.
struct RegressionSet: MetricSet {
  let words: [MetricWords]
  private let table: PredictionTable
  private let settings: Settings
  /// Mean of the truths: sums of squares are taken about it.
  private let centre: Double
  /// Kept for small tables only; otherwise made row by row.
  private var terms: RowValues<SIMD16<Double>> = []
  /// Rows by rising absolute error, where the median is wanted.
  private var byError: RowValues<UInt32> = []
  /// Mean absolute change over one season; NaN where there is none.
  private let seasonalScale: Double

  struct Settings {
    var unit: String
    var within: Double?
    var level: Double
    var seasonality: Int?
    var wantsMedian: Bool
    /// Whether resamples will be asked for.
    var isResampled: Bool
    /// MASE's scale of the whole series, for parts of it.
    var scale: Double?
  }

  init(_ table: PredictionTable, _ settings: Settings) {
    self.table = table
    self.settings = settings
    words = Self.words(settings)
    var sum = BlockSum()
    for row in 0..<table.count {
      var term = SIMD16<Double>()
      (term[0], term[1]) = (table.weight(row), table.weight(row) * table.truths[row])
      sum.add(term)
    }
    centre = sum.sum[1] / sum.sum[0]
    seasonalScale = settings.scale ?? settings.seasonality.map { Self.seasonalScale(table, $0) } ?? .nan
    guard settings.isResampled else { return }
    terms = RowValues(count: table.count, in: table.scratch, term)
    if settings.wantsMedian {
      let errors = sortedErrors()
      byError = RowValues(count: table.count, in: table.scratch) { errors[$0].row }
    }
  }

  var units: Int { table.count }

  func values(of parts: RowParts) -> [[Double]] {
    var settings = settings
    settings.isResampled = false
    settings.scale = settings.seasonality == nil ? nil : seasonalScale
    let parted = PartedTable(table, parts)
    return parts.indices.map { RegressionSet(parted[$0], settings).values(nil) }
  }

  // MARK: Names

  private enum Place: Int {
    case mae, rmse, r2, explained, mape, smape, median, bias, rmsle, within, coverage, width, lowPinball, highPinball, mase
  }

  private static func words(_ settings: Settings) -> [MetricWords] {
    let unit = settings.unit
    let percent = MetricWords.plain(settings.level * 100)
    let lowQuantile = MetricWords.plain((1 - settings.level) * 50)
    let highQuantile = MetricWords.plain((1 + settings.level) * 50)
    let near = settings.within.map(MetricWords.plain)
    return [
      MetricWords("mae", "MAE", "lower", unit), MetricWords("rmse", "RMSE", "lower", unit),
      MetricWords("r2", "R²", "higher", ""), MetricWords("explained_variance", "explained variance", "higher", ""),
      MetricWords("mape", "MAPE", "lower", "share"), MetricWords("smape", "sMAPE", "lower", "share"),
      MetricWords("median_ae", "median absolute error", "lower", unit),
      MetricWords("bias", "bias", "target", unit, target: 0), MetricWords("rmsle", "RMSLE", "lower", ""),
      MetricWords("within_\(near ?? "")", "within \(near ?? "")" + (unit.isEmpty ? "" : " \(unit)"), "higher", "share"),
      MetricWords("coverage_\(percent)", "coverage of the \(percent) % interval", "target", "share", target: settings.level),
      MetricWords("interval_width", "mean width of the \(percent) % interval", "lower", unit),
      MetricWords("pinball_\(lowQuantile)", "pinball loss at \(lowQuantile) %", "lower", unit),
      MetricWords("pinball_\(highQuantile)", "pinball loss at \(highQuantile) %", "lower", unit),
      MetricWords("mase", "MASE", "lower", ""),
    ]
  }

  // MARK: Terms

  /// What a row adds to every sum.
  private func term(_ row: Int) -> SIMD16<Double> {
    let (truth, prediction, weight) = (table.truths[row], table.predictions[row], table.weight(row))
    let error = prediction - truth
    var term = SIMD16<Double>()
    term[0] = 1
    term[1] = abs(error)
    term[2] = error * error
    term[3] = error
    term[4] = truth - centre
    term[5] = (truth - centre) * (truth - centre)
    if truth != 0 { (term[6], term[7]) = (abs(error) / abs(truth), 1) }
    if error != 0 { term[8] = 2 * abs(error) / (abs(truth) + abs(prediction)) }
    if truth > -1, prediction > -1 {
      let ratio = log1p(prediction) - log1p(truth)
      term[9] = ratio * ratio
    } else {
      term[9] = .nan
    }
    if let within = settings.within { term[10] = abs(error) <= within ? 1 : 0 }
    if !table.lows.isEmpty {
      let (low, high) = (table.lows[row], table.highs[row])
      term[11] = low <= truth && truth <= high ? 1 : 0
      term[12] = high - low
      term[13] = Self.pinball(truth - low, (1 - settings.level) / 2)
      term[14] = Self.pinball(truth - high, (1 + settings.level) / 2)
    }
    return term * weight
  }

  private static func pinball(_ above: Double, _ quantile: Double) -> Double {
    above >= 0 ? quantile * above : (quantile - 1) * above
  }

  func values(_ drawn: DrawnCounts?) -> [Double] {
    var sum = SIMD16<Double>()
    if let drawn {
      precondition(terms.count == drawn.count, "resamples are asked of a set that was made for them")
      terms.withUnsafeBufferPointer { terms in
        for row in 0..<terms.count { sum += terms[row] * Double(drawn[row]) }
      }
    } else {
      var blocks = BlockSum()
      for row in 0..<table.count { blocks.add(terms.isEmpty ? term(row) : terms[row]) }
      sum = blocks.sum
    }
    var values = functions(of: sum)
    if settings.wantsMedian { values[Place.median.rawValue] = median(drawn, total: sum[0]) }
    return values
  }

  private func functions(of sum: SIMD16<Double>) -> [Double] {
    let weight = sum[0]
    let deviation = sum[5] - sum[4] * sum[4] / weight
    let spread = deviation > 1e-12 * (sum[5] + centre * centre * weight) ? deviation : .nan
    let bias = sum[3] / weight
    let hasBand = !table.lows.isEmpty
    return [
      sum[1] / weight, (sum[2] / weight).squareRoot(), 1 - sum[2] / spread, 1 - (sum[2] - sum[3] * bias) / spread,
      sum[7] > 0 ? sum[6] / sum[7] : .nan, sum[8] / weight, .nan, bias, (sum[9] / weight).squareRoot(),
      settings.within == nil ? .nan : sum[10] / weight, hasBand ? sum[11] / weight : .nan, hasBand ? sum[12] / weight : .nan,
      hasBand ? sum[13] / weight : .nan, hasBand ? sum[14] / weight : .nan, sum[1] / weight / seasonalScale,
    ]
  }

  private func median(_ drawn: DrawnCounts?, total: Double) -> Double {
    func error(_ row: Int) -> Double { abs(table.predictions[row] - table.truths[row]) }
    if let drawn {
      return weightedMedian(
        byError.count, total: total, value: { error(Int(byError[$0])) },
        weight: { Double(drawn[Int(byError[$0])]) * table.weight(Int(byError[$0])) })
    }
    // A batch may have got no row.
    guard table.count > 0 else { return .nan }
    if table.weights.isEmpty {
      var errors = RowValues(count: table.count, in: table.scratch, error)
      errors.sort()
      return quantile(0.5, ofSorted: errors)
    }
    let errors = sortedErrors()
    return weightedMedian(errors.count, total: total, value: { errors[$0].error }, weight: { errors[$0].weight })
  }

  private struct RowError {
    var error: Double
    var weight: Double
    var row: UInt32
  }

  /// By rising absolute error; equal ones in the order of the rows.
  private func sortedErrors() -> RowValues<RowError> {
    var errors = RowValues(count: table.count, in: table.scratch) { row in
      RowError(error: abs(table.predictions[row] - table.truths[row]), weight: table.weight(row), row: UInt32(row))
    }
    errors.sort { $0.error < $1.error }
    return errors
  }

  // MARK: What more is known

  func share(_ metric: Int) -> (hits: Double, rows: Double)? {
    // Neighbours in time are alike: their hits are no independent draws.
    guard table.weights.isEmpty, table.task != .backtest else { return nil }
    let hits: Int
    switch Place(rawValue: metric) {
    case .within:
      guard let within = settings.within else { return nil }
      hits = (0..<table.count).count { abs(table.predictions[$0] - table.truths[$0]) <= within }
    case .coverage where !table.lows.isEmpty:
      hits = (0..<table.count).count { table.lows[$0] <= table.truths[$0] && table.truths[$0] <= table.highs[$0] }
    default: return nil
    }
    return (Double(hits), Double(table.count))
  }

  func losses(_ metric: Int) -> RowValues<Double>? {
    switch Place(rawValue: metric) {
    case .mae, .mase:
      return RowValues(count: table.count, in: table.scratch) {
        abs(table.predictions[$0] - table.truths[$0]) * table.weight($0)
      }
    case .rmse:
      return RowValues(count: table.count, in: table.scratch) {
        let error = table.predictions[$0] - table.truths[$0]
        return error * error * table.weight($0)
      }
    default: return nil
    }
  }

  /// Mean |y_t - y_(t-m)| within each series of the table.
  ///
  /// Source: Hyndman and Koehler, "Another look at measures of forecast accuracy", 2006; the scale is that of the evaluated truths,
  /// since the table does not hold those that the model was trained on.
  static func seasonalScale(_ table: PredictionTable, _ season: Int) -> Double {
    var recent: [UInt32: [Double]] = [:]
    var (sum, count) = (0.0, 0.0)
    for row in 0..<table.count {
      let series = table.groups?.rows[row] ?? 0
      var past = recent.removeValue(forKey: series) ?? []
      if past.count >= season {
        sum += abs(table.truths[row] - past[past.count - season])
        count += 1
      }
      past.append(table.truths[row])
      if past.count >= 2 * season { past.removeFirst(past.count - season) }
      recent[series] = past
    }
    return count > 0 && sum > 0 ? sum / count : .nan
  }
}

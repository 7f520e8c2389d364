// The values of chosen metrics on some rows, each with the interval that suits it.
// SPDX-License-Identifier: Apache-2.0

/// Estimates metrics of one table.
struct Estimator {
  let request: EvaluationRequest
  /// MASE's, of the whole series, for its parts.
  var scale: Double?

  struct Estimation {
    /// In the order of the names; a metric that these rows do not have is left out.
    var metrics: [MetricEstimate]
    /// All of the set's values in every resample; empty where none was needed.
    var draws: [[Double]]
  }

  func estimates(_ table: PredictionTable, _ names: [String]) -> [MetricEstimate] { estimation(table, names).metrics }

  func estimation(_ table: PredictionTable, _ names: [String]) -> Estimation {
    let isResampled = !Resampling(bootstrap: request.bootstrap, draw: .units, units: table.count).isLarge
    let set = request.metricSet(table, wanted: Set(names), isResampled: isResampled, scale: scale)
    let values = set.values(nil)
    let places = names.compactMap(set.place).filter { values[$0].isFinite }
    var intervals: [Int: Interval] = [:]
    for place in places { intervals[place] = closedForm(set, place, values[place]) }
    let open = places.filter { intervals[$0] == nil }
    var draws: [[Double]] = []
    if !open.isEmpty {
      let resampling = request.resampling(table, set)
      if !resampling.isLarge { draws = resampling.values(of: set) }
      let found = resampling.isLarge ? batched(set, resampling, open, values) : resampled(set, draws, resampling, open, values)
      intervals.merge(found) { first, _ in first }
    }
    let metrics = places.map { place in
      let words = set.words[place]
      let interval = intervals[place]
      return MetricEstimate(
        name: words.name, label: words.label, value: values[place], low: interval?.low, high: interval?.high,
        level: interval == nil ? nil : request.bootstrap.level, method: interval?.method, better: words.better, unit: words.unit,
        rows: interval?.rows ?? set.units)
    }
    return Estimation(metrics: metrics, draws: draws)
  }

  struct Interval {
    var low: Double
    var high: Double
    var method: String
    /// Rows that the metric is taken of, where those are not all.
    var rows: Int?
  }

  private func closedForm(_ set: any MetricSet, _ place: Int, _ value: Double) -> Interval? {
    let level = request.bootstrap.level
    if let share = set.share(place), let bounds = wilsonInterval(share.hits, of: share.rows, level: level) {
      return Interval(low: bounds.low, high: bounds.high, method: "Wilson", rows: Int(share.rows))
    }
    if let influences = set.influences(place) {
      let error = influences.reduce(0) { $0 + $1 * $1 }.squareRoot()
      let reach = NormalLaw.quantile((1 + level) / 2) * error
      return Interval(low: max(0, value - reach), high: min(1, value + reach), method: "DeLong")
    }
    return nil
  }

  private func resampled(
    _ set: any MetricSet, _ draws: [[Double]], _ resampling: Resampling, _ places: [Int], _ whole: [Double]
  ) -> [Int: Interval] {
    var intervals: [Int: Interval] = [:]
    for place in places {
      let isBiased = set.words[place].isBiased
      var values = draws.map { $0[place] }
      if isBiased { values = Resampling.withoutBias(values, value: whole[place]).map { max(0, $0) } }
      guard let bounds = request.bootstrap.interval(of: values) else { continue }
      intervals[place] = Interval(
        low: bounds.low, high: bounds.high, method: isBiased ? resampling.unbiasedMethod : resampling.method)
    }
    return intervals
  }

  private func batched(
    _ set: any MetricSet, _ resampling: Resampling, _ places: [Int], _ whole: [Double]
  ) -> [Int: Interval] {
    let batches = set.values(of: resampling.batchParts())
    let reach = StudentLaw.quantile((1 + request.bootstrap.level) / 2, freedom: Double(Resampling.batches - 1))
    var intervals: [Int: Interval] = [:]
    for place in places {
      guard let error = Resampling.batchError(batches.map { $0[place] }) else { continue }
      intervals[place] = Interval(
        low: whole[place] - reach * error, high: whole[place] + reach * error, method: resampling.batchMethod)
    }
    return intervals
  }
}

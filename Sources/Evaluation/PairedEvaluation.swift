// Two tables row by row: the rows that both have, differences, intervals, tests and what they say.
// SPDX-License-Identifier: Apache-2.0

/// The rows that two tables share.
struct SharedRows {
  var pairing: Pairing
  /// Row i of one stands for the same thing as row i of the other. Empty when `pairing.refusal` says why.
  var current: PredictionTable
  var reference: PredictionTable
  /// Whether both tables have the same rows in the same order, and nothing else.
  private(set) var isWhole = false

  init(_ current: PredictionTable, _ reference: PredictionTable) {
    pairing = Pairing(shared: 0, onlyCurrent: current.count, onlyReference: reference.count)
    (self.current, self.reference) = (current, reference)
    guard !current.ids.isEmpty, !reference.ids.isEmpty else {
      pairing.refusal = "unpaired, no test: \(current.ids.isEmpty ? "this" : "the reference's") table has no ids"
      return
    }
    if current.ids == reference.ids {
      pairing = Pairing(shared: current.count, onlyCurrent: 0, onlyReference: 0)
      isWhole = true
    } else {
      match()
    }
    guard pairing.refusal == nil else { return }
    guard self.reference.adoptClasses(of: &self.current) else {
      pairing.refusal = "unpaired, no test: the positive classes differ"
      return
    }
    let different = self.current.differentTruths(self.reference)
    if different > 0 {
      pairing.refusal = "unpaired, no test: \(different) of \(pairing.shared) shared rows have another truth"
    }
    // What decides how rows count must be the same on both sides.
    isWhole =
      isWhole && current.weights == reference.weights && current.groups == reference.groups
      && self.current.classes == current.classes
    (self.reference.weights, self.reference.groups) = (self.current.weights, self.current.groups)
    (self.reference.times, self.reference.windows) = (self.current.times, self.current.windows)
  }

  /// Keeps the rows of both with one id, in the order of the first.
  private mutating func match() {
    let matches = IDBuckets.matches(current.ids, in: reference.ids)
    var (rows, found) = (RowValues<UInt32>(in: current.scratch), RowValues<UInt32>(in: current.scratch))
    for row in matches.indices where matches[row] > 0 {
      rows.append(UInt32(row))
      found.append(matches[row] - 1)
    }
    pairing = Pairing(shared: rows.count, onlyCurrent: current.count - rows.count, onlyReference: reference.count - rows.count)
    if rows.isEmpty { pairing.refusal = "unpaired, no test: the tables share no id" }
    if !Self.isIdentity(rows, current.count) { current = current.selecting(rows) }
    if !Self.isIdentity(found, reference.count) { reference = reference.selecting(found) }
  }

  private static func isIdentity(_ rows: RowValues<UInt32>, _ count: Int) -> Bool {
    rows.count == count && rows.indices.allSatisfy { rows[$0] == UInt32($0) }
  }
}

extension PredictionTable {
  /// Makes both tables count classes alike; false when that cannot be.
  fileprivate mutating func adoptClasses(of other: inout PredictionTable) -> Bool {
    guard classes != other.classes else { return true }
    if task == .binary { return false }
    let names = Set(classes).union(other.classes).sorted(by: ClassNames.precedes)
    recount(names)
    other.recount(names)
    return true
  }

  private mutating func recount(_ names: [String]) {
    let places = classes.map { UInt32(names.firstIndex(of: $0) ?? 0) }
    for row in labels.indices { labels[row] = places[Int(labels[row])] }
    for row in predictedLabels.indices { predictedLabels[row] = places[Int(predictedLabels[row])] }
    if !scores.isEmpty {
      let none = RowValues<Double>(repeating: 0, count: count, in: scratch)
      scores = names.map { name in classes.firstIndex(of: name).map { scores[$0] } ?? none }
    }
    classes = names
  }

  /// Rows whose truths are not the same number or class.
  fileprivate func differentTruths(_ other: PredictionTable) -> Int {
    if !labels.isEmpty { return labels.indices.count { labels[$0] != other.labels[$0] } }
    return truths.indices.count { abs(truths[$0] - other.truths[$0]) > 1e-9 * max(1, abs(truths[$0])) }
  }
}

/// Compares two tables whose rows stand for the same things.
struct PairedEvaluation {
  /// Wilcoxon's test sorts all differences; beyond this nobody needs a second opinion.
  static let crossCheckedRows = 1_000_000

  let request: EvaluationRequest
  private let current: any MetricSet
  private let reference: any MetricSet
  private let table: PredictionTable
  private let resampling: Resampling
  private let names: [String]
  /// The values of either side in every resample.
  private let draws: (current: [[Double]], reference: [[Double]])?

  /// - Parameter draws: those of the whole tables, made by the same request; they serve again where all rows are shared.
  init(
    _ shared: SharedRows, _ request: EvaluationRequest, _ names: [String], draws: (current: [[Double]], reference: [[Double]])
  ) {
    self.draws = shared.isWhole && !draws.current.isEmpty && draws.current.count == draws.reference.count ? draws : nil
    self.request = request
    self.names = names
    table = shared.current
    let isLarge = Resampling(bootstrap: request.bootstrap, draw: .units, units: table.count).isLarge
    let isResampled = !isLarge && self.draws == nil
    let wanted = Set(names)
    current = request.metricSet(shared.current, wanted: wanted, isResampled: isResampled)
    reference = request.metricSet(shared.reference, wanted: wanted, isResampled: isResampled)
    resampling = request.resampling(table, current)
  }

  func differences() -> [PairedDifference] {
    let (values, others) = (current.values(nil), reference.values(nil))
    let places = names.compactMap(current.place).filter { values[$0].isFinite && others[$0].isFinite }
    let ranked = places.filter { current.influences($0) != nil }
    let drawn = places.filter { !ranked.contains($0) }
    let found = resampling.isLarge ? batched(drawn, values, others) : resampled(drawn, values, others)
    var differences = places.compactMap { place -> PairedDifference? in
      let difference = values[place] - others[place]
      guard let law = ranked.contains(place) ? byRanks(place, difference) : found[place] else { return nil }
      var paired = PairedDifference(
        metric: current.words[place].name, difference: difference, low: law.low, high: law.high, level: request.bootstrap.level,
        rows: current.units, method: law.method)
      (paired.current, paired.reference) = (values[place], others[place])
      (paired.test, paired.p) = (law.test, law.p)
      if let exact = exactTest(place) { (paired.test, paired.p) = exact }
      paired.crossChecks = crossChecks(place)
      return paired
    }
    correct(&differences)
    for place in differences.indices { read(&differences[place]) }
    return differences
  }

  // MARK: Intervals

  private struct Law {
    var low: Double
    var high: Double
    var method: String
    var test: String
    var p: Double
  }

  private func byRanks(_ place: Int, _ difference: Double) -> Law? {
    guard let a = current.influences(place), let b = reference.influences(place) else { return nil }
    let error = zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
    let reach = NormalLaw.quantile((1 + request.bootstrap.level) / 2) * error
    return Law(
      low: difference - reach, high: difference + reach, method: "DeLong, paired", test: "DeLong",
      p: error > 0 ? NormalLaw.twoSided(difference / error) : difference == 0 ? 1 : 0)
  }

  /// Draws the same rows of both tables.
  private func resampled(_ places: [Int], _ wholes: [Double], _ others: [Double]) -> [Int: Law] {
    guard !places.isEmpty else { return [:] }
    let (a, b) = draws ?? (resampling.values(of: current), resampling.values(of: reference))
    var laws: [Int: Law] = [:]
    for place in places {
      let isBiased = current.words[place].isBiased
      var values = a.indices.map { a[$0][place] - b[$0][place] }
      if isBiased { values = Resampling.withoutBias(values, value: wholes[place] - others[place]) }
      guard let bounds = request.bootstrap.interval(of: values) else { continue }
      let (below, above) = (values.count { $0 <= 0 }, values.count { $0 >= 0 })
      let p = min(1, 2 * Double(min(below, above) + 1) / Double(values.count + 1))
      laws[place] = Law(
        low: bounds.low, high: bounds.high, method: "paired " + (isBiased ? resampling.unbiasedMethod : resampling.method),
        test: "paired bootstrap", p: p)
    }
    return laws
  }

  private func batched(_ places: [Int], _ values: [Double], _ others: [Double]) -> [Int: Law] {
    guard !places.isEmpty else { return [:] }
    let parts = resampling.batchParts()
    let batches = zip(current.values(of: parts), reference.values(of: parts)).map { a, b in zip(a, b).map { $0 - $1 } }
    let freedom = Double(Resampling.batches - 1)
    let reach = StudentLaw.quantile((1 + request.bootstrap.level) / 2, freedom: freedom)
    var laws: [Int: Law] = [:]
    for place in places {
      guard let error = Resampling.batchError(batches.map { $0[place] }) else { continue }
      let difference = values[place] - others[place]
      laws[place] = Law(
        low: difference - reach * error, high: difference + reach * error, method: "paired " + resampling.batchMethod,
        test: "t of batch means",
        p: error > 0 ? StudentLaw.twoSided(difference / error, freedom: freedom) : difference == 0 ? 1 : 0)
    }
    return laws
  }

  // MARK: Tests

  /// McNemar for the share of right answers, Diebold and Mariano for a backtest's errors.
  private func exactTest(_ place: Int) -> (test: String?, p: Double?)? {
    let name = current.words[place].name
    guard let losses = current.losses(place), let others = reference.losses(place) else { return nil }
    if name == "accuracy", table.weights.isEmpty {
      let onlyFirst = losses.indices.count { losses[$0] == 0 && others[$0] != 0 }
      let onlySecond = losses.indices.count { losses[$0] != 0 && others[$0] == 0 }
      return ("exact McNemar", PairedTests.mcnemar(onlyFirst: onlyFirst, onlySecond: onlySecond))
    }
    guard request.task == .backtest else { return nil }
    let differences = overTime(RowValues(count: losses.count, in: table.scratch) { losses[$0] - others[$0] })
    return PairedTests.dieboldMariano(differences, horizon: request.horizon).map {
      ("Diebold-Mariano, HLN-corrected, horizon \(request.horizon)", $0)
    }
  }

  /// Several series: the mean of each time, since rows of one time are no steps.
  private func overTime(_ differences: RowValues<Double>) -> RowValues<Double> {
    guard table.groups != nil, let times = table.times?.values else { return differences }
    var means = RowValues<Double>(in: table.scratch)
    var start = 0
    while start < differences.count {
      var end = start
      while end < differences.count, times[end] == times[start] { end += 1 }
      means.append(differences[start..<end].reduce(0, +) / Double(end - start))
      start = end
    }
    return means
  }

  private func crossChecks(_ place: Int) -> [PairedDifference.CrossCheck] {
    guard current.units <= Self.crossCheckedRows, table.weights.isEmpty, current.words[place].name != "accuracy",
      let losses = current.losses(place), let others = reference.losses(place)
    else { return [] }
    let differences = zip(losses, others).map { $0 - $1 }
    var checks: [PairedDifference.CrossCheck] = []
    if let p = PairedTests.student(differences) { checks.append(.init(test: "paired t", p: p)) }
    if let p = PairedTests.wilcoxon(differences) { checks.append(.init(test: "Wilcoxon signed-rank", p: p)) }
    return checks
  }

  private func correct(_ differences: inout [PairedDifference]) {
    let tested = differences.indices.filter { differences[$0].p != nil }
    let adjusted = PairedTests.holm(tested.map { differences[$0].p ?? 1 })
    for (place, p) in zip(tested, adjusted) { differences[place].adjusted = p }
  }

  // MARK: Reading

  private func read(_ paired: inout PairedDifference) {
    guard let words = current.words.first(where: { $0.name == paired.metric }) else { return }
    (paired.reading, paired.reason) = Self.reading(
      paired, better: words.better, target: words.target, tolerance: request.tolerance[paired.metric])
    // The bootstrap's p is never below this, however large a difference is.
    let smallest = 2 / Double(request.bootstrap.resamples + 1)
    if paired.reason == PairedDifference.heldByHolm, paired.test == "paired bootstrap", let p = paired.p, p <= smallest {
      paired.reason = "\(request.bootstrap.resamples) resamples are too few for Holm's correction"
    }
  }

  static func reading(
    _ paired: PairedDifference, better: String, target: Double?, tolerance: MetricTolerance?
  ) -> (ChangeReading, String?) {
    let difference = paired.difference
    if difference == 0 { return (.same, nil) }
    if let tolerance, tolerance.holds(difference, reference: paired.reference ?? 0) {
      return (.noEvidence, "smaller than the tolerance")
    }
    if paired.low <= 0, paired.high >= 0 { return (.noEvidence, "the interval holds 0") }
    if paired.isHeldByHolm { return (.noEvidence, PairedDifference.heldByHolm) }
    switch better {
    case "lower": return (difference < 0 ? .better : .worse, nil)
    case "higher": return (difference > 0 ? .better : .worse, nil)
    default:
      guard let target, let now = paired.current, let then = paired.reference, abs(now - target) != abs(then - target) else {
        return (.moved, nil)
      }
      return (abs(now - target) < abs(then - target) ? .better : .worse, nil)
    }
  }
}

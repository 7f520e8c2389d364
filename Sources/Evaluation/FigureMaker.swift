// A table folded into what charts are drawn from.
// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Makes the figures of a task. Memory does not depend on the rows, but for one column that is sorted.
struct FigureMaker {
  /// Rows up to which curves go through every different score; beyond, through `scoreBins` of them.
  static let exactRows = 1_000_000
  static let scoreBins = 1 << 16
  /// Values looked at to find a frame.
  static let sampledRows = 100_000

  let request: EvaluationRequest

  func figures(_ table: PredictionTable) -> EvaluationFigures {
    var figures = EvaluationFigures()
    switch table.task {
    case .regression: addNumbers(table, &figures)
    case .backtest:
      addNumbers(table, &figures)
      figures.timeline = timeline(table)
    case .binary:
      addConfusion(table, &figures)
      if let scores = table.scores.first { addBinary(table, scores, &figures) }
    case .multiclass:
      addConfusion(table, &figures)
      if !table.scores.isEmpty { addClasses(table, &figures) }
    case .ranking: figures.groups = queries(table)
    }
    return figures
  }

  // MARK: Scores

  private func addBinary(_ table: PredictionTable, _ scores: RowValues<Double>, _ figures: inout EvaluationFigures) {
    addCurves(table, scores, name: "", isPositive: { table.labels[$0] == 1 }, &figures)
    figures.thresholds = sweep(table, scores)
    var counts = [[Int]](repeating: [Int](repeating: 0, count: EvaluationFigures.gridCells), count: 2)
    var sum = 0.0
    for row in scores.indices {
      counts[Int(table.labels[row])][Self.cell(scores[row], of: EvaluationFigures.gridCells)] += 1
      sum += scores[row]
    }
    figures.scores = EvaluationFigures.Histogram(
      edges: Self.unitEdges(EvaluationFigures.gridCells),
      series: zip(table.classes, counts).map { .init(name: $0, counts: $1) }, rows: table.count, mean: sum / Double(table.count))
  }

  /// One class against the rest, the most frequent first; and how sure the model was when it was right and when it was not.
  private func addClasses(_ table: PredictionTable, _ figures: inout EvaluationFigures) {
    var sizes = [Int](repeating: 0, count: table.classes.count)
    for label in table.labels { sizes[Int(label)] += 1 }
    let shown = sizes.indices.sorted { (sizes[$1], $0) < (sizes[$0], $1) }.prefix(EvaluationFigures.curveClasses)
    for place in shown {
      addCurves(
        table, table.scores[place], name: table.classes[place], isPositive: { table.labels[$0] == UInt32(place) }, &figures)
    }
    var counts = [[Int]](repeating: [Int](repeating: 0, count: EvaluationFigures.gridCells), count: 2)
    var sum = 0.0
    for row in 0..<table.count {
      let predicted = table.predictedClass(row)
      let score = table.scores[predicted][row]
      counts[predicted == Int(table.labels[row]) ? 0 : 1][Self.cell(score, of: EvaluationFigures.gridCells)] += 1
      sum += score
    }
    figures.scores = EvaluationFigures.Histogram(
      edges: Self.unitEdges(EvaluationFigures.gridCells),
      series: [.init(name: "right", counts: counts[0]), .init(name: "wrong", counts: counts[1])], rows: table.count,
      mean: sum / Double(table.count))
  }

  private func addCurves(
    _ table: PredictionTable, _ scores: RowValues<Double>, name: String, isPositive: (Int) -> Bool,
    _ figures: inout EvaluationFigures
  ) {
    let steps = ScoreSteps(scores, isPositive: isPositive, weight: table.weight)
    figures.calibration.append(calibration(scores, name: name, isPositive: isPositive))
    guard steps.positives > 0 else { return }
    figures.precisionRecall.append(steps.precisionRecall(name))
    figures.gain.append(steps.gain(name))
    if steps.negatives > 0 { figures.roc.append(steps.roc(name)) }
  }

  private func calibration(
    _ scores: RowValues<Double>, name: String, isPositive: (Int) -> Bool
  ) -> EvaluationFigures.Calibration {
    let count = BinarySet.calibrationBins
    var bins = [(rows: Int, hits: Int, sum: Double)](repeating: (0, 0, 0), count: count)
    for row in scores.indices {
      let bin = min(count - 1, Int(scores[row] * Double(count)))
      bins[bin].rows += 1
      bins[bin].sum += scores[row]
      if isPositive(row) { bins[bin].hits += 1 }
    }
    var error = 0.0
    let shown = bins.enumerated().compactMap { place, bin -> EvaluationFigures.Calibration.Bin? in
      guard bin.rows > 0,
        let bounds = wilsonInterval(Double(bin.hits), of: Double(bin.rows), level: request.bootstrap.level)
      else { return nil }
      error += abs(bin.sum - Double(bin.hits)) / Double(scores.count)
      return .init(
        from: Double(place) / Double(count), to: Double(place + 1) / Double(count), rows: bin.rows,
        meanScore: bin.sum / Double(bin.rows), share: Double(bin.hits) / Double(bin.rows), low: bounds.low, high: bounds.high)
    }
    return EvaluationFigures.Calibration(name: name, bins: shown, rows: scores.count, error: error)
  }

  /// Thresholds 0, 0.01, … 1.
  private func sweep(_ table: PredictionTable, _ scores: RowValues<Double>) -> EvaluationFigures.ThresholdSweep {
    let steps = 100
    // Weight of rows whose score lies between a threshold and the next.
    var (positives, negatives) = ([Double](repeating: 0, count: steps + 1), [Double](repeating: 0, count: steps + 1))
    for row in scores.indices {
      let step = Self.lastEdge(scores[row], of: steps)
      if table.labels[row] == 1 { positives[step] += table.weight(row) } else { negatives[step] += table.weight(row) }
    }
    let (allPositives, allNegatives) = (positives.reduce(0, +), negatives.reduce(0, +))
    var (tp, fp) = (0.0, 0.0)
    var points: [EvaluationFigures.ThresholdSweep.Point] = []
    for step in (0...steps).reversed() {
      tp += positives[step]
      fp += negatives[step]
      let tn = allNegatives - fp
      points.append(
        .init(
          threshold: Double(step) / Double(steps), precision: tp + fp > 0 ? tp / (tp + fp) : nil,
          recall: allPositives > 0 ? tp / allPositives : 0, specificity: allNegatives > 0 ? tn / allNegatives : 0,
          f1: tp + fp + allPositives > 0 ? 2 * tp / (tp + fp + allPositives) : 0,
          accuracy: (tp + tn) / (allPositives + allNegatives), flagged: (tp + fp) / (allPositives + allNegatives)))
    }
    let chosen = table.predictedLabels.isEmpty ? request.threshold ?? 0.5 : request.threshold
    return EvaluationFigures.ThresholdSweep(points: points.reversed(), chosen: chosen, rows: table.count)
  }

  /// The last of the edges 0, 1/n, … 1 that a score reaches.
  private static func lastEdge(_ score: Double, of count: Int) -> Int {
    var edge = Int(score * Double(count))
    if edge < count, Double(edge + 1) / Double(count) <= score { edge += 1 }
    if Double(edge) / Double(count) > score { edge -= 1 }
    return edge
  }

  private static func cell(_ score: Double, of count: Int) -> Int { min(count - 1, lastEdge(score, of: count)) }

  private static func unitEdges(_ count: Int) -> [Double] { (0...count).map { Double($0) / Double(count) } }

  // MARK: Classes

  private func addConfusion(_ table: PredictionTable, _ figures: inout EvaluationFigures) {
    let count = table.classes.count
    var sizes = [Int](repeating: 0, count: count)
    var pairs: [UInt64: Int] = [:]
    for row in 0..<table.count {
      let truth = Int(table.labels[row])
      let flag = table.task == .binary ? (table.isFlagged(row, threshold: request.threshold) ? 1 : 0) : table.predictedClass(row)
      sizes[truth] += 1
      pairs[UInt64(truth) << 32 | UInt64(flag), default: 0] += 1
    }
    var shown = Array(0..<count)
    if count > EvaluationFigures.shownClasses {
      let frequent = shown.sorted { (sizes[$1], $0) < (sizes[$0], $1) }.prefix(EvaluationFigures.shownClasses - 1)
      shown = frequent.sorted()
    }
    let merged = count - shown.count
    let width = shown.count + (merged > 0 ? 1 : 0)
    var counts = [[Int]](repeating: [Int](repeating: 0, count: width), count: width)
    var places = [Int](repeating: width - 1, count: count)
    for (place, label) in shown.enumerated() { places[label] = place }
    for (pair, rows) in pairs { counts[places[Int(pair >> 32)]][places[Int(pair & 0xFFFF_FFFF)]] += rows }
    figures.confusion = EvaluationFigures.ConfusionMatrix(
      classes: shown.map { table.classes[$0] } + (merged > 0 ? ["(other)"] : []), counts: counts, merged: merged,
      rows: table.count)
  }

  private func queries(_ table: PredictionTable) -> EvaluationFigures.Histogram {
    let values = RankingSet(table, cutoffs: request.cutoffs(table), relevantFrom: request.relevantFrom).perQuery(0)
    var counts = [Int](repeating: 0, count: 20)
    for value in values { counts[min(19, Int(value * 20))] += 1 }
    return EvaluationFigures.Histogram(
      edges: Self.unitEdges(20), series: [.init(name: "", counts: counts)], rows: values.count,
      mean: values.reduce(0, +) / Double(values.count))
  }
}

/// Different scores from above, with what weight they have in either class.
struct ScoreSteps {
  private struct Step {
    var score: Double
    var positives: Double
    var negatives: Double
  }

  private var steps: [Step] = []
  private let rows: Int
  private var positiveRows = 0
  private(set) var positives = 0.0
  private(set) var negatives = 0.0
  private let isExact: Bool

  init(_ scores: RowValues<Double>, isPositive: (Int) -> Bool, weight: (Int) -> Double) {
    rows = scores.count
    isExact = rows <= FigureMaker.exactRows
    if isExact {
      let order = ScoreOrder(rows, in: scores.scratch) { row in
        RankedRow(score: scores[row], weight: weight(row), row: UInt32(row), isPositive: isPositive(row))
      }
      for row in order.rows {
        if steps.last?.score != row.score { steps.append(Step(score: row.score, positives: 0, negatives: 0)) }
        add(row.isPositive, row.weight, at: steps.count - 1)
      }
    } else {
      let bins = FigureMaker.scoreBins
      steps = (0...bins).map { Step(score: Double(bins - $0) / Double(bins), positives: 0, negatives: 0) }
      for row in scores.indices { add(isPositive(row), weight(row), at: bins - Int(scores[row] * Double(bins))) }
      steps.removeAll { $0.positives == 0 && $0.negatives == 0 }
    }
  }

  private mutating func add(_ isPositive: Bool, _ weight: Double, at place: Int) {
    if isPositive {
      steps[place].positives += weight
      positives += weight
      positiveRows += 1
    } else {
      steps[place].negatives += weight
      negatives += weight
    }
  }

  func roc(_ name: String) -> EvaluationFigures.Curve {
    var points: [EvaluationFigures.Curve.Point] = [.init(x: 0, y: 0)]
    var (tp, fp, area) = (0.0, 0.0, 0.0)
    for step in steps {
      area += step.negatives * (tp + step.positives / 2)
      tp += step.positives
      fp += step.negatives
      points.append(.init(x: fp / negatives, y: tp / positives, threshold: step.score))
    }
    return curve(name, Self.alongPath(points, x: \.x, y: \.y), points.count, area: area / positives / negatives)
  }

  func precisionRecall(_ name: String) -> EvaluationFigures.Curve {
    var points: [EvaluationFigures.Curve.Point] = []
    var (tp, looked, area) = (0.0, 0.0, 0.0)
    for step in steps {
      tp += step.positives
      looked += step.positives + step.negatives
      guard looked > 0 else { continue }
      area += step.positives / positives * (tp / looked)
      points.append(.init(x: tp / positives, y: tp / looked, threshold: step.score))
    }
    return curve(name, Self.extremes(points), points.count, area: area)
  }

  func gain(_ name: String) -> EvaluationFigures.Gain {
    var points: [EvaluationFigures.Gain.Point] = []
    var (tp, looked) = (0.0, 0.0)
    for step in steps where step.positives + step.negatives > 0 {
      tp += step.positives
      looked += step.positives + step.negatives
      let share = looked / (positives + negatives)
      points.append(.init(looked: share, found: tp / positives, lift: tp / positives / share))
    }
    points.insert(.init(looked: 0, found: 0, lift: points.first?.lift ?? 1), at: 0)
    return EvaluationFigures.Gain(
      name: name, points: Self.alongPath(points, x: \.looked, y: \.found), pointsInAll: points.count, rows: rows,
      positives: positiveRows)
  }

  private func curve(
    _ name: String, _ points: [EvaluationFigures.Curve.Point], _ count: Int, area: Double
  ) -> EvaluationFigures.Curve {
    .init(name: name, points: points, pointsInAll: count, rows: rows, positives: positiveRows, area: isExact ? area : nil)
  }

  /// Points in even steps along a rising curve, both ends among them.
  private static func alongPath<Point>(
    _ points: [Point], x: KeyPath<Point, Double>, y: KeyPath<Point, Double>
  ) -> [Point] {
    let most = EvaluationFigures.curvePoints
    guard points.count > most, let last = points.last else { return points }
    let length = last[keyPath: x] + last[keyPath: y] - points[0][keyPath: x] - points[0][keyPath: y]
    var kept: [Point] = []
    var next = 0.0
    for point in points.dropLast() {
      let gone = point[keyPath: x] + point[keyPath: y] - points[0][keyPath: x] - points[0][keyPath: y]
      guard gone >= next else { continue }
      kept.append(point)
      next = length * (Double(Int(gone / length * Double(most - 1))) + 1) / Double(most - 1)
    }
    kept.append(last)
    return kept
  }

  /// The lowest and the highest point of each stretch of x, and both ends.
  private static func extremes(_ points: [EvaluationFigures.Curve.Point]) -> [EvaluationFigures.Curve.Point] {
    let most = EvaluationFigures.curvePoints
    guard points.count > most, let first = points.first, let last = points.last else { return points }
    let stretches = most / 2 - 1
    var (lowest, highest) = ([Int](repeating: -1, count: stretches), [Int](repeating: -1, count: stretches))
    for place in points.indices {
      let stretch = min(stretches - 1, Int((points[place].x - first.x) / max(last.x - first.x, 1e-300) * Double(stretches)))
      if lowest[stretch] < 0 || points[place].y < points[lowest[stretch]].y { lowest[stretch] = place }
      if highest[stretch] < 0 || points[place].y > points[highest[stretch]].y { highest[stretch] = place }
    }
    let kept = Set(lowest + highest + [0, points.count - 1]).filter { $0 >= 0 }
    return kept.sorted().map { points[$0] }
  }
}

// Predicted numbers as grids, bins and buckets of time.
// SPDX-License-Identifier: Apache-2.0
import Glibc

extension FigureMaker {
  func addNumbers(_ table: PredictionTable, _ figures: inout EvaluationFigures) {
    let frames = Frames(table)
    var (predicted, residual) = (GridCounter(frames.value, frames.value), GridCounter(frames.prediction, frames.error))
    var errors = [Int](repeating: 0, count: EvaluationFigures.gridCells)
    var (below, above, sum) = (0, 0, 0.0)
    for row in 0..<table.count {
      let (truth, prediction) = (table.truths[row], table.predictions[row])
      predicted.add(prediction, truth)
      residual.add(prediction, truth - prediction)
      let error = prediction - truth
      sum += error
      if let cell = frames.error.cell(error) {
        errors[cell] += 1
      } else if error < frames.error.low {
        below += 1
      } else {
        above += 1
      }
    }
    figures.predictedActual = predicted.grid(table.count)
    figures.residualFitted = residual.grid(table.count)
    figures.errors = EvaluationFigures.Histogram(
      edges: frames.error.edges, series: [.init(name: "", counts: errors)], rows: table.count, below: below, above: above,
      mean: sum / Double(table.count))
    figures.residualQuantiles = quantiles(table)
    figures.coverage = coverage(table)
  }

  // MARK: Coverage

  private func coverage(_ table: PredictionTable) -> EvaluationFigures.Coverage? {
    guard !table.lows.isEmpty, table.count > 0 else { return nil }
    let step = max(1, table.count / Self.sampledRows)
    let sample = stride(from: 0, to: table.count, by: step).map { table.predictions[$0] }.sorted()
    // Tenths begin at these; equal ones are one.
    var starts: [Double] = []
    for tenth in 0..<10 {
      let start = sample[sample.count * tenth / 10]
      if starts.last != start { starts.append(start) }
    }
    var tenths = [CoverageCount](repeating: CoverageCount(), count: starts.count)
    for row in 0..<table.count {
      let place = starts.lastIndex { $0 <= table.predictions[row] } ?? 0
      tenths[place].add(table, row)
    }
    let (unit, parts) = coverageByTime(table)
    return EvaluationFigures.Coverage(
      byPrediction: tenths.filter { $0.rows > 0 }.map { part($0, label: "\(plain($0.least)) to \(plain($0.greatest))") },
      byTime: parts, unit: unit, nominal: request.intervalLevel, level: request.bootstrap.level)
  }

  /// By the finest part of the calendar that gives at most 62 parts.
  private func coverageByTime(_ table: PredictionTable) -> (unit: String, parts: [EvaluationFigures.Coverage.Part]) {
    guard let times = table.times, times.isCalendar, let first = times.values.min(), let last = times.values.max() else {
      return ("", [])
    }
    let units: [CalendarUnit] = [.day, .week, .month, .year]
    let unit = units.first { $0.number(last) - $0.number(first) < 62 } ?? .year
    var counts: [Int64: CoverageCount] = [:]
    for row in 0..<table.count { counts[unit.number(times.values[row]), default: CoverageCount()].add(table, row) }
    // Of more years than these no more than the last are told.
    let parts = counts.sorted { $0.key < $1.key }.suffix(100).map { part($0.value, label: unit.label($0.key)) }
    return (unit.rawValue, parts)
  }

  private func part(_ count: CoverageCount, label: String) -> EvaluationFigures.Coverage.Part {
    let bounds = wilsonInterval(Double(count.covered), of: Double(count.rows), level: request.bootstrap.level)
    return .init(
      label: label, prediction: count.sum / Double(count.rows), rows: count.rows, covered: count.covered, low: bounds?.low ?? 0,
      high: bounds?.high ?? 1)
  }

  private func plain(_ value: Double) -> String { RegressionEvaluation.plain((value * 1_000).rounded() / 1_000) }

  /// Points in even steps of the normal law, so that the tails are as dense as the middle.
  private func quantiles(_ table: PredictionTable) -> EvaluationFigures.QuantilePlot {
    var residuals = RowValues(count: table.count, in: table.scratch) { table.truths[$0] - table.predictions[$0] }
    let count = Double(residuals.count)
    let mean = residuals.reduce(0, +) / count
    let squares = residuals.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    residuals.sort()
    let reach = NormalLaw.quantile(1 - 0.5 / count)
    let steps = min(EvaluationFigures.quantilePoints, residuals.count)
    var ranks = Set([0, residuals.count - 1])
    if steps == residuals.count {
      ranks = Set(residuals.indices)
    } else {
      for step in 1..<(steps - 1) {
        let z = reach * (2 * Double(step) / Double(steps - 1) - 1)
        let share = z < 0 ? erfc(-z / 2.0.squareRoot()) / 2 : 1 - erfc(z / 2.0.squareRoot()) / 2
        ranks.insert(min(residuals.count - 1, max(0, Int(share * count))))
      }
    }
    let points = ranks.sorted().map { rank in
      EvaluationFigures.QuantilePlot.Point(
        normal: NormalLaw.quantile((Double(rank) + 0.5) / count), residual: residuals[rank])
    }
    return EvaluationFigures.QuantilePlot(
      points: points, pointsInAll: residuals.count, rows: residuals.count, mean: mean,
      deviation: count > 1 ? (squares / (count - 1)).squareRoot() : 0)
  }

  // MARK: Time

  func timeline(_ table: PredictionTable) -> EvaluationFigures.Timeline? {
    guard let times = table.times, let first = times.values.first, let last = times.values.last else { return nil }
    let most = EvaluationFigures.curvePoints
    let key: (Int) -> Int64
    var start: (Int64) -> Double = { Double($0) }
    var label: (Double, Int64) -> String = { value, _ in times.text(value) }
    let bucket: String
    if table.count <= most {
      (bucket, key) = ("row", { Int64($0) })
      start = { times.values[Int($0)] }
    } else if times.isCalendar {
      let unit = CalendarUnit.fitting(first, last, atMost: Int64(most))
      (bucket, key) = (unit.rawValue, { unit.number(times.values[$0]) })
      (start, label) = (unit.start, { _, number in unit.label(number) })
    } else {
      let width = (last - first) / Double(most)
      (bucket, key) = ("step", { width > 0 ? min(Int64(most) - 1, Int64((times.values[$0] - first) / width)) : 0 })
      start = { first + Double($0) * width }
    }
    var buckets: [EvaluationFigures.Timeline.Bucket] = []
    var current: Int64?
    for row in 0..<table.count {
      let number = key(row)
      if number != current {
        let begin = start(number)
        buckets.append(emptyBucket(begin, label(begin, number), hasBand: !table.lows.isEmpty))
        current = number
      }
      add(table, row, to: &buckets[buckets.count - 1])
    }
    return EvaluationFigures.Timeline(
      bucket: bucket, buckets: buckets.map(mean), isCalendar: times.isCalendar, rows: table.count)
  }

  private func emptyBucket(_ start: Double, _ label: String, hasBand: Bool) -> EvaluationFigures.Timeline.Bucket {
    .init(
      start: start, label: label, rows: 0, truth: 0, prediction: 0, low: hasBand ? 0 : nil, high: hasBand ? 0 : nil,
      absoluteError: 0, covered: hasBand ? 0 : nil)
  }

  private func add(_ table: PredictionTable, _ row: Int, to bucket: inout EvaluationFigures.Timeline.Bucket) {
    let (truth, prediction) = (table.truths[row], table.predictions[row])
    bucket.rows += 1
    bucket.truth += truth
    bucket.prediction += prediction
    bucket.absoluteError += abs(prediction - truth)
    guard let low = bucket.low, let high = bucket.high, let covered = bucket.covered else { return }
    bucket.low = low + table.lows[row]
    bucket.high = high + table.highs[row]
    bucket.covered = covered + (table.lows[row] <= truth && truth <= table.highs[row] ? 1 : 0)
  }

  private func mean(_ bucket: EvaluationFigures.Timeline.Bucket) -> EvaluationFigures.Timeline.Bucket {
    var result = bucket
    let rows = Double(bucket.rows)
    (result.truth, result.prediction) = (bucket.truth / rows, bucket.prediction / rows)
    result.absoluteError = bucket.absoluteError / rows
    (result.low, result.high) = (bucket.low.map { $0 / rows }, bucket.high.map { $0 / rows })
    return result
  }
}

/// Rows of a part, and how many of them have their truth in the interval.
private struct CoverageCount {
  var rows = 0
  var covered = 0
  /// Of the predictions.
  var sum = 0.0
  var least = Double.infinity
  var greatest = -Double.infinity

  mutating func add(_ table: PredictionTable, _ row: Int) {
    rows += 1
    sum += table.predictions[row]
    least = min(least, table.predictions[row])
    greatest = max(greatest, table.predictions[row])
    if table.lows[row] <= table.truths[row], table.truths[row] <= table.highs[row] { covered += 1 }
  }
}

/// A stretch of an axis with round ends, in equal cells.
struct AxisFrame {
  var low: Double
  var high: Double

  /// The smallest stretch with ends on round numbers that holds both values.
  init(_ low: Double, _ high: Double) {
    let span = high > low ? high - low : max(abs(low), 1)
    let raw = span / 8
    let power = pow(10, Glibc.floor(log10(raw)))
    let step = [1, 2, 2.5, 5, 10].map { $0 * power }.first { $0 >= raw * (1 - 1e-12) } ?? raw
    self.low = (low / step).rounded(.down) * step
    self.high = (high / step).rounded(.up) * step
    if self.high <= self.low { self.high = self.low + step }
  }

  func cell(_ value: Double) -> Int? {
    guard value >= low, value <= high else { return nil }
    let count = EvaluationFigures.gridCells
    return min(count - 1, Int((value - low) / (high - low) * Double(count)))
  }

  var edges: [Double] {
    let count = EvaluationFigures.gridCells
    return (0...count).map { low + (high - low) * Double($0) / Double(count) }
  }
}

/// Frames that leave out a few rows in a thousand on either side, from every k-th row.
private struct Frames {
  /// Of truths and predictions alike.
  var value: AxisFrame
  var prediction: AxisFrame
  /// Symmetric about 0.
  var error: AxisFrame

  init(_ table: PredictionTable) {
    let step = max(1, table.count / FigureMaker.sampledRows)
    let rows = Array(stride(from: 0, to: table.count, by: step))
    let truths = rows.map { table.truths[$0] }.sorted()
    let predictions = rows.map { table.predictions[$0] }.sorted()
    let errors = rows.map { abs(table.predictions[$0] - table.truths[$0]) }.sorted()
    let low = min(quantile(0.002, ofSorted: truths), quantile(0.002, ofSorted: predictions))
    let high = max(quantile(0.998, ofSorted: truths), quantile(0.998, ofSorted: predictions))
    // A range that begins near zero begins at zero.
    value = AxisFrame(low > 0 && low < high / 3 ? 0 : low, high)
    prediction = AxisFrame(quantile(0.002, ofSorted: predictions), quantile(0.998, ofSorted: predictions))
    let reach = quantile(0.995, ofSorted: errors)
    error = AxisFrame(-reach, reach)
  }
}

private struct GridCounter {
  let x: AxisFrame
  let y: AxisFrame
  var counts = [Int](repeating: 0, count: EvaluationFigures.gridCells * EvaluationFigures.gridCells)
  var outside = 0

  init(_ x: AxisFrame, _ y: AxisFrame) { (self.x, self.y) = (x, y) }

  mutating func add(_ a: Double, _ b: Double) {
    guard let column = x.cell(a), let row = y.cell(b) else {
      outside += 1
      return
    }
    counts[row * EvaluationFigures.gridCells + column] += 1
  }

  func grid(_ rows: Int) -> EvaluationFigures.Grid {
    .init(xEdges: x.edges, yEdges: y.edges, counts: counts, rows: rows, outside: outside)
  }
}

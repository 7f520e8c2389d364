// A table of predictions folded into grids and bins of fixed size.
// SPDX-License-Identifier: Apache-2.0
import Evaluation

/// Predictions column by column; missing numbers are NaN, and columns that a table lacks are empty.
package struct PredictionColumns: Sendable, Equatable {
  package var yTrue: [Double]
  package var yPred: [Double]
  package var yLow: [Double]
  package var yHigh: [Double]
  /// RFC 3339.
  package var time: [String]

  package init(yTrue: [Double], yPred: [Double], yLow: [Double] = [], yHigh: [Double] = [], time: [String] = []) {
    self.yTrue = yTrue
    self.yPred = yPred
    self.yLow = yLow
    self.yHigh = yHigh
    self.time = time
  }
}

/// What the charts need of any number of predictions; its size does not depend on how many there are.
package struct PredictionSummary: Sendable, Equatable {
  package static let gridSize = 36
  package static let bins = 32
  /// Values looked at to find quantiles: every k-th row, so that memory stays bounded.
  private static let sampleLimit = 100_000

  /// Counts over a frame, row by row from below.
  package struct Grid: Sendable, Equatable {
    package var x: ClosedRange<Double>
    package var y: ClosedRange<Double>
    package var counts: [Int]
    /// Rows that lie outside of the frame.
    package var outside: Int

    init(x: ClosedRange<Double>, y: ClosedRange<Double>) {
      self.x = x
      self.y = y
      counts = [Int](repeating: 0, count: PredictionSummary.gridSize * PredictionSummary.gridSize)
      outside = 0
    }

    mutating func add(_ a: Double, _ b: Double) {
      guard let column = bin(a, x, PredictionSummary.gridSize), let row = bin(b, y, PredictionSummary.gridSize) else {
        outside += 1
        return
      }
      counts[row * PredictionSummary.gridSize + column] += 1
    }

    /// 0 for empty, then 1...6 in equal steps of the logarithm, so that the thin tail stays visible.
    package var levels: [Int] {
      let most = counts.max() ?? 0
      return counts.map { count in
        guard count > 0 else { return 0 }
        guard most > 1 else { return 6 }
        return min(6, 1 + Int(6 * logarithm(count) / logarithm(most)))
      }
    }
  }

  /// Rows whose prediction lies between two neighbouring tenths.
  package struct Tenth: Sendable, Equatable {
    package var from: Double
    package var to: Double
    package var rows = 0
    package var meanPredicted = 0.0
    package var meanActual = 0.0
    package var meanAbsoluteError = 0.0
    /// Rows that have an interval, and those of them whose actual value is inside.
    package var withInterval = 0
    package var covered = 0
  }

  package struct Period: Sendable, Equatable {
    /// `2026-03-14` or `2026-03`.
    package var label: String
    package var rows: Int
    package var covered: Int
  }

  /// Rows with an actual and a predicted value.
  package private(set) var rows = 0
  package private(set) var leftOut = 0
  package private(set) var predictedActual: Grid
  package private(set) var residualPredicted: Grid
  package private(set) var residualEdges: [Double]
  package private(set) var residualCounts: [Int]
  package private(set) var residualsOutside = 0
  package private(set) var meanResidual = 0.0
  package private(set) var tenths: [Tenth]
  package private(set) var withInterval = 0
  package private(set) var covered = 0
  /// Coverage over time; empty without time or interval.
  package private(set) var periods: [Period] = []

  /// - Returns: `nil` when no row has both values.
  /// - Complexity: O(n), twice over the columns.
  package init?(_ columns: PredictionColumns) {
    let total = min(columns.yTrue.count, columns.yPred.count)
    let step = max(1, total / Self.sampleLimit)
    var actual: [Double] = []
    var predicted: [Double] = []
    var residuals: [Double] = []
    for row in stride(from: 0, to: total, by: step) {
      let (a, p) = (columns.yTrue[row], columns.yPred[row])
      guard a.isFinite, p.isFinite else { continue }
      actual.append(a)
      predicted.append(p)
      residuals.append(a - p)
    }
    guard !actual.isEmpty else { return nil }
    actual.sort()
    predicted.sort()
    residuals.sort()
    let low = min(quantile(0.002, ofSorted: actual), quantile(0.002, ofSorted: predicted))
    let high = max(quantile(0.995, ofSorted: actual), quantile(0.995, ofSorted: predicted))
    // A range that begins near zero begins at zero.
    let frame = Ticks.roundedRange(from: low > 0 && low < high / 3 ? 0 : low, to: high, count: 8)
    let across = Ticks.roundedRange(
      from: quantile(0.002, ofSorted: predicted), to: quantile(0.998, ofSorted: predicted), count: 8)
    let spread = max(abs(quantile(0.004, ofSorted: residuals)), abs(quantile(0.996, ofSorted: residuals)))
    let residualFrame = Ticks.roundedRange(from: -spread, to: spread, count: 8)
    predictedActual = Grid(x: frame, y: frame)
    residualPredicted = Grid(x: across, y: residualFrame)
    let width = (residualFrame.upperBound - residualFrame.lowerBound) / Double(Self.bins)
    residualEdges = (0...Self.bins).map { residualFrame.lowerBound + Double($0) * width }
    residualCounts = [Int](repeating: 0, count: Self.bins)
    var edges = (0...10).map { quantile(Double($0) / 10, ofSorted: predicted) }
    edges = edges.enumerated().filter { $0.offset == 0 || $0.element > edges[$0.offset - 1] }.map(\.element)
    tenths = zip(edges, edges.dropFirst()).map { Tenth(from: $0, to: $1) }
    if tenths.isEmpty { tenths = [Tenth(from: edges[0], to: edges[0])] }
    collect(columns, total: total)
    periods = Self.periods(columns, total: total)
  }

  private mutating func collect(_ columns: PredictionColumns, total: Int) {
    let frame = residualPredicted.y
    var sum = 0.0
    for row in 0..<total {
      let (a, p) = (columns.yTrue[row], columns.yPred[row])
      guard a.isFinite, p.isFinite else {
        leftOut += 1
        continue
      }
      rows += 1
      sum += a - p
      predictedActual.add(p, a)
      residualPredicted.add(p, a - p)
      if let bin = bin(a - p, frame, Self.bins) { residualCounts[bin] += 1 } else { residualsOutside += 1 }
      // Upper edges: the last tenth takes all above it.
      let index = tenths.dropLast().firstIndex { p <= $0.to } ?? tenths.count - 1
      tenths[index].rows += 1
      tenths[index].meanPredicted += p
      tenths[index].meanActual += a
      tenths[index].meanAbsoluteError += abs(a - p)
      guard let inside = Self.isInside(columns, row) else { continue }
      tenths[index].withInterval += 1
      withInterval += 1
      if inside {
        tenths[index].covered += 1
        covered += 1
      }
    }
    meanResidual = rows > 0 ? sum / Double(rows) : 0
    for index in tenths.indices where tenths[index].rows > 0 {
      let count = Double(tenths[index].rows)
      tenths[index].meanPredicted /= count
      tenths[index].meanActual /= count
      tenths[index].meanAbsoluteError /= count
    }
  }

  private static func isInside(_ columns: PredictionColumns, _ row: Int) -> Bool? {
    guard row < columns.yLow.count, row < columns.yHigh.count else { return nil }
    let (low, high, value) = (columns.yLow[row], columns.yHigh[row], columns.yTrue[row])
    guard low.isFinite, high.isFinite, value.isFinite else { return nil }
    return low <= value && value <= high
  }

  /// By day up to 62 of them, else by month.
  private static func periods(_ columns: PredictionColumns, total: Int) -> [Period] {
    var byDay: [String: Period] = [:]
    for row in 0..<min(total, columns.time.count) where columns.yPred[row].isFinite {
      guard let inside = isInside(columns, row), let day = dayPrefix(columns.time[row]) else { continue }
      byDay[day, default: Period(label: day, rows: 0, covered: 0)].rows += 1
      if inside { byDay[day]?.covered += 1 }
    }
    let days = byDay.values.sorted { $0.label < $1.label }
    guard days.count > 62 else { return days }
    var months: [Period] = []
    for day in days {
      let label = String(day.label.prefix(7))
      if months.last?.label != label { months.append(Period(label: label, rows: 0, covered: 0)) }
      months[months.count - 1].rows += day.rows
      months[months.count - 1].covered += day.covered
    }
    return months
  }

  private static func dayPrefix(_ time: String) -> String? {
    let day = time.utf8.prefix(10)
    guard day.count == 10 else { return nil }
    for (index, byte) in day.enumerated() {
      let isRight = index == 4 || index == 7 ? byte == UInt8(ascii: "-") : (0x30...0x39).contains(byte)
      guard isRight else { return nil }
    }
    return String(day)
  }
}

private func bin(_ value: Double, _ range: ClosedRange<Double>, _ count: Int) -> Int? {
  guard range.contains(value), range.upperBound > range.lowerBound else { return nil }
  return min(count - 1, Int((value - range.lowerBound) / (range.upperBound - range.lowerBound) * Double(count)))
}

/// log2 of 1 + count, between whole powers by a straight line: monotonous, and the same on every machine.
private func logarithm(_ count: Int) -> Double {
  let value = count + 1
  let whole = Int.bitWidth - 1 - value.leadingZeroBitCount
  let base = 1 << whole
  return Double(whole) + Double(value - base) / Double(base)
}

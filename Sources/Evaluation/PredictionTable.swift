// Predictions as columns of numbers: what every metric is computed from.
// SPDX-License-Identifier: Apache-2.0
import Tabular

/// Times of rows, all of one kind.
package struct TimeColumn: Sendable, Equatable {
  /// Seconds since 1970, or the numbers that stand in the table.
  package var values: RowValues<Double>
  package var isCalendar: Bool

  package init(values: RowValues<Double>, isCalendar: Bool) {
    self.values = values
    self.isCalendar = isCalendar
  }

  /// A time as the table would write it.
  package func text(_ value: Double) -> String {
    isCalendar ? Timestamp.text(Int64(value)) : NumberText.text(of: value)
  }
}

/// A column of few different values: each row has the place of its value in `names`.
package struct CategoryColumn: Sendable, Equatable {
  package var name: String
  package var names: [String]
  package var rows: RowValues<UInt32>

  package init(name: String, names: [String], rows: RowValues<UInt32>) {
    self.name = name
    self.names = names
    self.rows = rows
  }
}

/// A table of predictions. Made by `PredictionReader`, which holds its invariants: at least one row; every column that is there
/// has a value for each row; numbers are finite, scores in 0...1, weights from 0 with a sum above 0; no id twice; rows of a
/// backtest are in order of time.
package struct PredictionTable: Sendable {
  /// The file, for messages.
  package internal(set) var source: String
  package internal(set) var task: EvaluationTask
  package internal(set) var count = 0
  /// Hashes of the ids; empty where the table has none or they were not kept.
  package internal(set) var ids: RowValues<UInt64> = []
  /// Truths of a regression or backtest, relevances of a ranking; empty for classes.
  package internal(set) var truths: RowValues<Double> = []
  /// Predictions of a regression or backtest, sorting scores of a ranking; empty for classes.
  package internal(set) var predictions: RowValues<Double> = []
  /// Class names; numbers by size, then text by its bytes. Of a binary task: negative, positive.
  package internal(set) var classes: [String] = []
  /// True classes as places in `classes`.
  package internal(set) var labels: RowValues<UInt32> = []
  /// Predicted classes; empty where scores alone are given.
  package internal(set) var predictedLabels: RowValues<UInt32> = []
  /// One column per class; of a binary task the positive one's alone. Empty without scores.
  package internal(set) var scores: [RowValues<Double>] = []
  package internal(set) var lows: RowValues<Double> = []
  package internal(set) var highs: RowValues<Double> = []
  /// Empty without weights.
  package internal(set) var weights: RowValues<Double> = []
  /// Queries of a ranking, series of a backtest.
  package internal(set) var groups: CategoryColumn?
  package internal(set) var windows: CategoryColumn?
  /// In the order of the file, names without their prefix. A missing value is `(missing)`.
  package internal(set) var slices: [CategoryColumn] = []
  package internal(set) var times: TimeColumn?
  /// Where columns go that are made of this table.
  let scratch: Scratch

  init(source: String, task: EvaluationTask, in scratch: Scratch = .memory) {
    self.source = source
    self.task = task
    self.scratch = scratch
  }
}

extension PredictionTable {
  /// Only these rows, in this order.
  func selecting(_ rows: RowValues<UInt32>) -> PredictionTable { taking(.rows(rows)) }

  /// Rows, and their order.
  private enum Choice {
    case rows(RowValues<UInt32>)
    case neighbours(Range<Int>)
    case parts(RowParts)

    func of<Value>(_ column: RowValues<Value>) -> RowValues<Value> {
      if column.isEmpty { return column }
      return switch self {
      case .rows(let rows): column.selecting(rows)
      case .neighbours(let rows): column.selecting(rows)
      case .parts(let parts): column.grouped(by: parts)
      }
    }

    func of(_ column: CategoryColumn) -> CategoryColumn {
      CategoryColumn(name: column.name, names: column.names, rows: of(column.rows))
    }
  }

  private func taking(_ choice: Choice) -> PredictionTable {
    var table = self
    switch choice {
    case .rows(let rows): table.count = rows.count
    case .neighbours(let rows): table.count = rows.count
    case .parts: break
    }
    table.ids = choice.of(ids)
    table.truths = choice.of(truths)
    table.predictions = choice.of(predictions)
    table.labels = choice.of(labels)
    table.predictedLabels = choice.of(predictedLabels)
    table.scores = scores.map(choice.of)
    table.lows = choice.of(lows)
    table.highs = choice.of(highs)
    table.weights = choice.of(weights)
    table.groups = groups.map(choice.of)
    table.windows = windows.map(choice.of)
    table.slices = slices.map(choice.of)
    table.times = times.map { TimeColumn(values: choice.of($0.values), isCalendar: $0.isCalendar) }
    return table
  }

  /// Rows by rising time; those of one time stay in the order of the file.
  mutating func sortByTime() {
    guard let values = times?.values else { return }
    var isSorted = true
    for row in values.indices.dropFirst() where values[row] < values[row - 1] { isSorted = false }
    if isSorted { return }
    var order = RowValues(count: count, in: scratch) { TimedRow(time: values[$0], row: UInt32($0)) }
    order.sort { $0.time < $1.time }
    self = selecting(RowValues(count: count, in: scratch) { order[$0].row })
  }

  private struct TimedRow {
    var time: Double
    var row: UInt32
  }

  /// Weight of a row; 1 without weights.
  @inline(__always)
  func weight(_ row: Int) -> Double { weights.isEmpty ? 1 : weights[row] }
}

// MARK: Parts

/// Which part of a table each row belongs to.
struct RowParts {
  /// By row.
  let numbers: RowValues<UInt32>
  /// Where each part begins when the rows stand part by part, and the number of rows at the end.
  let starts: [Int]

  init(_ numbers: RowValues<UInt32>, parts count: Int) {
    self.numbers = numbers
    var starts = [Int](repeating: 0, count: count + 1)
    for number in numbers { starts[Int(number) + 1] += 1 }
    for part in 0..<count { starts[part + 1] += starts[part] }
    self.starts = starts
  }

  var indices: Range<Int> { 0..<starts.count - 1 }
  /// The rows of a part, when they stand part by part.
  func rows(_ part: Int) -> Range<Int> { starts[part]..<starts[part + 1] }
}

extension RowValues {
  /// Part by part, in their order within each: the rows are gone through once, however many parts there are.
  func grouped(by parts: RowParts) -> RowValues {
    var next = parts.starts
    return RowValues(
      count: count, in: scratch,
      scattering: { row in
        let part = Int(parts.numbers[row])
        defer { next[part] += 1 }
        return (next[part], self[row])
      })
  }
}

/// A table whose rows stand part by part.
struct PartedTable {
  let table: PredictionTable
  private let parts: RowParts

  init(_ table: PredictionTable, _ parts: RowParts) {
    var parted = table
    // Nobody looks for a row of a part.
    parted.ids = []
    (self.table, self.parts) = (parted.grouped(by: parts), parts)
  }

  subscript(part: Int) -> PredictionTable { table.selecting(parts.rows(part)) }
}

extension PredictionTable {
  fileprivate func grouped(by parts: RowParts) -> PredictionTable { taking(.parts(parts)) }

  /// Only these neighbours.
  func selecting(_ rows: Range<Int>) -> PredictionTable { taking(.neighbours(rows)) }
}

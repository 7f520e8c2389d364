// Predictions as columns of numbers: what every metric is computed from.
// SPDX-License-Identifier: Apache-2.0
import Tabular

/// Times of rows, all of one kind.
package struct TimeColumn: Sendable, Equatable {
  /// Seconds since 1970, or the numbers that stand in the table.
  package var values: [Double]
  package var isCalendar: Bool

  package init(values: [Double], isCalendar: Bool) {
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
  package var rows: [UInt32]

  package init(name: String, names: [String], rows: [UInt32]) {
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
  package internal(set) var ids: [UInt64] = []
  /// Truths of a regression or backtest, relevances of a ranking; empty for classes.
  package internal(set) var truths: [Double] = []
  /// Predictions of a regression or backtest, sorting scores of a ranking; empty for classes.
  package internal(set) var predictions: [Double] = []
  /// Class names; numbers by size, then text by its bytes. Of a binary task: negative, positive.
  package internal(set) var classes: [String] = []
  /// True classes as places in `classes`.
  package internal(set) var labels: [UInt32] = []
  /// Predicted classes; empty where scores alone are given.
  package internal(set) var predictedLabels: [UInt32] = []
  /// One column per class; of a binary task the positive one's alone. Empty without scores.
  package internal(set) var scores: [[Double]] = []
  package internal(set) var lows: [Double] = []
  package internal(set) var highs: [Double] = []
  /// Empty without weights.
  package internal(set) var weights: [Double] = []
  /// Queries of a ranking, series of a backtest.
  package internal(set) var groups: CategoryColumn?
  package internal(set) var windows: CategoryColumn?
  /// In the order of the file, names without their prefix. A missing value is `(missing)`.
  package internal(set) var slices: [CategoryColumn] = []
  package internal(set) var times: TimeColumn?

  init(source: String, task: EvaluationTask) {
    self.source = source
    self.task = task
  }
}

extension PredictionTable {
  /// Only these rows, in this order.
  func selecting(_ rows: [UInt32]) -> PredictionTable {
    var table = self
    table.keep(rows)
    return table
  }

  /// One column after the other, so that no more than one is there twice.
  private mutating func keep(_ rows: [UInt32]) {
    func kept<Value>(_ column: [Value]) -> [Value] { column.isEmpty ? [] : rows.map { column[Int($0)] } }
    func kept(_ column: CategoryColumn?) -> CategoryColumn? {
      column.map { CategoryColumn(name: $0.name, names: $0.names, rows: kept($0.rows)) }
    }
    count = rows.count
    ids = kept(ids)
    truths = kept(truths)
    predictions = kept(predictions)
    labels = kept(labels)
    predictedLabels = kept(predictedLabels)
    for place in scores.indices { scores[place] = kept(scores[place]) }
    lows = kept(lows)
    highs = kept(highs)
    weights = kept(weights)
    groups = kept(groups)
    windows = kept(windows)
    for place in slices.indices { slices[place].rows = kept(slices[place].rows) }
    times = times.map { TimeColumn(values: kept($0.values), isCalendar: $0.isCalendar) }
  }

  /// Rows by rising time; those of one time stay in the order of the file.
  mutating func sortByTime() {
    guard let values = times?.values else { return }
    var isSorted = true
    for row in values.indices.dropFirst() where values[row] < values[row - 1] { isSorted = false }
    if isSorted { return }
    var order = (0..<UInt32(count)).map { $0 }
    order.sort { (values[Int($0)], $0) < (values[Int($1)], $1) }
    keep(order)
  }

  /// Weight of a row; 1 without weights.
  @inline(__always)
  func weight(_ row: Int) -> Double { weights.isEmpty ? 1 : weights[row] }
}

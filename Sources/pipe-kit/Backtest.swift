// `pipe kit backtest`: how the model would have done, had it been trained anew each month.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Diagnostics
import Evaluation
import FeatureStore
import Foundation
import Learning
import Scoring
import Tabular

struct Backtest: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Walk forward through time, training and testing by month.",
    discussion: """
      Reads the parameters below `backtest` and `train`. For each month that has enough months before it, trains on all that came \
      before (but for the last days, which set the interval) and tests on the month. Rounds are fixed by `backtest.rounds`.

      Example: pipe kit backtest --features data/features --out reports/backtest.json --table reports/backtest.csv \
      --predictions reports/backtest_rows.csv --metrics metrics/backtest.json
      """,
    version: behaviorVersion(of: "backtest"))

  @Option(help: "Folder with the feature tables, which must have times.")
  var features: String

  @Option(help: "File for the backtest document.")
  var out: String

  @Option(help: "File for the same as a table.")
  var table: String

  @Option(help: "File for each tested row's truth and prediction; none by default.")
  var predictions: String?

  @Option(help: "File for flat metrics.")
  var metrics: String

  @OptionGroup var parameters: ParameterOptions

  func run() throws {
    let params = try parameters.context().params
    let settings = try BacktestParameters(params["backtest"])
    let training = try TrainParameters(params["train"])
    let tables = try ModelTables(folder: features)
    guard tables.featureSet.time != nil else {
      throw Diagnostic(
        .input, "the features have no time, so there is nothing to walk through", at: SourceLocation(file: features),
        hints: ["leave the stage `backtest` out for data without time"])
    }
    let walk = WalkForward(table: try Self.history(tables), settings: settings, training: training, tables: tables)
    let tested = try walk.windows()
    let windows = tested.map(\.window)
    guard !windows.isEmpty else {
      throw Diagnostic(
        .input, "the features span too few months for a backtest with `backtest.train_months` = \(settings.trainMonths)")
    }
    let unit = tables.featureSet.target.unit
    try JSONText.write(BacktestDocument(unit: unit, windows: windows), to: out)
    try Self.table(windows).write(to: table)
    if let predictions { try Self.predictionTable(tested, walk.table).write(to: predictions) }
    try JSONText.write(Self.flat(windows), to: metrics)
    for window in windows {
      let mae = window.metrics.first { $0.name == "mae" }?.value ?? .nan
      print("\(window.label): MAE \(RegressionEvaluation.plain((mae * 1000).rounded() / 1000)) \(unit), \(window.testRows) rows")
    }
  }

  /// All splits as one table, rising by time.
  private static func history(_ tables: ModelTables) throws(Diagnostic) -> ModelTable {
    var all = try tables.table("train")
    for split in ["valid", "calibrate", "test"] {
      if let part = try tables.tableIfPresent(split) { all = all.appending(part) }
    }
    let order = all.times.indices.sorted { (all.times[$0], $0) < (all.times[$1], $1) }
    return all.selecting(rows: order)
  }

  private static func table(_ windows: [BacktestDocument.Window]) -> CSVWriter {
    let names = windows.first?.metrics.map(\.name) ?? []
    var header = ["month", "train_rows", "test_rows", "train_from", "train_to", "test_from", "test_to"]
    for name in names { header += [name, "\(name)_low", "\(name)_high"] }
    var writer = CSVWriter(header: header)
    for window in windows {
      writer.add(window.label)
      writer.add(Int64(window.trainRows))
      writer.add(Int64(window.testRows))
      for time in [window.trainFrom, window.trainTo, window.testFrom, window.testTo] { writer.add(time) }
      for name in names {
        let metric = window.metrics.first { $0.name == name }
        for value in [metric?.value, metric?.low, metric?.high] { writer.add(value ?? .nan) }
      }
      writer.endRow()
    }
    return writer
  }

  private static func predictionTable(_ windows: [TestedWindow], _ table: ModelTable) -> CSVWriter {
    var writer = CSVWriter(header: ["id", "time", "window", "y_true", "y_pred", "y_low", "y_high"])
    for tested in windows {
      for (place, row) in tested.positions.enumerated() {
        let rows = tested.rows
        writer.add(table.ids[row])
        writer.add(table.times[row])
        writer.add(tested.window.label)
        for value in [rows.truths[place], rows.predictions[place], rows.lows[place], rows.highs[place]] { writer.add(value) }
        writer.endRow()
      }
    }
    return writer
  }

  /// Over the windows: the mean, weighted by rows, and the worst.
  private static func flat(_ windows: [BacktestDocument.Window]) -> [String: Double] {
    func errors() -> [(mae: Double, rows: Double)] {
      windows.compactMap { window in
        window.metrics.first { $0.name == "mae" }.map { ($0.value, Double(window.testRows)) }
      }
    }
    let rows = errors().reduce(0) { $0 + $1.rows }
    return [
      "windows": Double(windows.count), "mae_mean": errors().reduce(0) { $0 + $1.mae * $1.rows } / rows,
      "mae_worst": errors().map(\.mae).max() ?? .nan,
    ]
  }
}

/// A month that was tested, with what was said of each of its rows.
private struct TestedWindow {
  var window: BacktestDocument.Window
  /// In the table that was walked through.
  var positions: Range<Int>
  var rows: PredictedRows
}

/// Months in order, each tested with a model of the months before.
private struct WalkForward {
  /// Rising by time.
  let table: ModelTable
  let settings: BacktestParameters
  let training: TrainParameters
  let tables: ModelTables

  /// Rows of each month, as `2026-03` and a range of positions.
  private var months: [(label: String, rows: Range<Int>)] {
    var months: [(label: String, rows: Range<Int>)] = []
    for (row, time) in table.times.enumerated() {
      let label = String(time.prefix(7))
      if months.last?.label == label {
        months[months.count - 1].rows = months[months.count - 1].rows.lowerBound..<row + 1
      } else {
        months.append((label, row..<row + 1))
      }
    }
    return months
  }

  func windows() throws(Diagnostic) -> [TestedWindow] {
    var windows: [TestedWindow] = []
    for (label, test) in months.dropFirst(settings.trainMonths) { windows.append(try window(label, test)) }
    return windows
  }

  private func window(_ label: String, _ test: Range<Int>) throws(Diagnostic) -> TestedWindow {
    let train = 0..<(try firstCalibrationRow(before: test.lowerBound))
    let calibrate = train.upperBound..<test.lowerBound
    var boosting = training.boosting
    boosting.rounds = settings.rounds
    boosting.learningRate = settings.learningRate ?? boosting.learningRate
    let sample = table.sample.selecting(rows: train)
    let model = try BoostingLearner(boosting).fit(train: sample, valid: nil, featureNames: tables.featureNames)
    let writer = BundleWriter(
      name: training.name, target: .init(name: tables.featureSet.target.column, unit: tables.featureSet.target.unit),
      featureNames: tables.featureNames)
    let bundle = try writer.bundle(
      model: model, parameters: boosting, train: sample, validRows: 0, calibrate: table.sample.selecting(rows: calibrate),
      times: nil, interval: training.interval)
    let tested = table.sample.selecting(rows: test)
    let rows = PredictedRows(truths: Array(table.truths[test]), scored: bundle.predict(rows: tested.features))
    let evaluation = RegressionEvaluation(
      unit: tables.featureSet.target.unit, tolerance: settings.tolerance, intervalLevel: training.interval.level,
      bootstrap: settings.bootstrap)
    let window = BacktestDocument.Window(
      label: label, trainRows: train.count, testRows: test.count, trainFrom: table.times[train.lowerBound],
      trainTo: table.times[train.upperBound - 1], testFrom: table.times[test.lowerBound],
      testTo: table.times[test.upperBound - 1], metrics: evaluation.evaluate(rows).metrics)
    return TestedWindow(window: window, positions: test, rows: rows)
  }

  /// The first row of the days that set the interval.
  private func firstCalibrationRow(before end: Int) throws(Diagnostic) -> Int {
    guard let time = Timestamp.epochSeconds(table.times[end]) else {
      throw Diagnostic(.input, "`\(table.times[end])` is not a time", hints: ["write times as `2026-03-01T08:15:00Z`"])
    }
    let from = Timestamp.text(Timestamp.startOfDay(time) - Int64(settings.calibrateDays) * Timestamp.secondsPerDay)
    let row = table.times[..<end].firstIndex { $0 >= from } ?? end
    guard row > 0 else {
      throw Diagnostic(
        .input, "`backtest.calibrate_days` = \(settings.calibrateDays) leaves no rows to train on before \(table.times[end])")
    }
    return row
  }
}

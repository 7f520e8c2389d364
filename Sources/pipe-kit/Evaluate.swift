// `pipe kit evaluate`: a bundle and a table it never saw to metrics, predictions and gates.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Diagnostics
import Evaluation
import Foundation
import Learning
import Scoring
import Tabular

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Metrics with confidence intervals, and the gates.",
    discussion: """
      Reads the parameters below `evaluate`. Scores a split that training never saw, compares with the median of groups in the \
      train split, and judges the gates. A missed gate is written down and is no failure here: `register` stops at it.

      Example: pipe kit evaluate --bundle models/eta --features data/features --truth data/truth.json \
      --out reports/evaluation.json --predictions reports/predictions.csv --gates reports/gates.json \
      --metrics metrics/evaluate.json
      """,
    version: behaviorVersion(of: "evaluate"))

  @Option(help: "Folder of the bundle.")
  var bundle: String

  @Option(help: "Folder with the feature tables.")
  var features: String

  @Option(help: "The split to score.")
  var split = "test"

  @Option(help: "The simulator's truth, for the error that nobody can go below.")
  var truth: String?

  @Option(help: "File for the evaluation document.")
  var out: String

  @Option(help: "File for each row's truth and prediction.")
  var predictions: String

  @Option(help: "File for the verdict on each gate.")
  var gates: String

  @Option(help: "File for flat metrics.")
  var metrics: String

  @OptionGroup var parameters: ParameterOptions

  func run() throws {
    let parameters = try EvaluateParameters(parameters.context().params["evaluate"])
    let bundle = try ModelBundle.load(directory: URL(fileURLWithPath: bundle))
    let tables = try ModelTables(folder: features)
    try bundle.checkFeatures(tables.featureNames, of: features)
    let table = try tables.table(split)
    guard table.rowCount > 0 else {
      throw Diagnostic(.input, "the \(split) split has no rows", at: SourceLocation(file: tables.path(split)))
    }
    let baseline = try parameters.baselineColumns.map { columns in
      try GroupMedian(of: tables.table("train"), by: columns)
    }
    let rows = PredictedRows(
      truths: table.truths, scored: bundle.predict(rows: table.sample.features), baseline: try baseline?.predict(table))
    let evaluation = RegressionEvaluation(
      unit: bundle.unit, tolerance: parameters.tolerance, intervalLevel: bundle.intervalLevel, bootstrap: parameters.bootstrap)
    let document = try document(evaluation, rows, table, baseline, parameters, bundle)
    let verdict = try GateRule.judge(parameters.gates, metrics: document.metrics)

    try JSONText.write(document, to: out)
    try JSONText.write(verdict, to: gates)
    try predictionTable(rows, table).write(to: predictions)
    try JSONText.write(flat(document, verdict), to: metrics)
    for gate in verdict.gates { print("\(gate.passed ? "ok    " : "missed") \(gate.sentence)") }
  }

  private func document(
    _ evaluation: RegressionEvaluation, _ rows: PredictedRows, _ table: ModelTable, _ baseline: GroupMedian?,
    _ parameters: EvaluateParameters, _ bundle: ModelBundle
  ) throws -> EvaluationDocument {
    let result = evaluation.evaluate(rows)
    var document = EvaluationDocument(
      task: "regression", model: bundle.name, unit: bundle.unit, rows: rows.count, metrics: result.metrics,
      baseline: baseline.map { .init(name: $0.name, metrics: result.baseline) })
    if let truth {
      let floor = try TruthFile.load(truth).irreducible(covering: table.span, unit: bundle.unit)
      document.irreducible = floor
      if let excess = document.metrics.first(where: { $0.name == "mae" })?.excess(over: floor) { document.metrics.append(excess) }
    }
    for name in parameters.slices ?? table.slices.map(\.name) {
      document.slices += evaluation.slices(rows, by: name, values: try table.slice(name))
    }
    return document
  }

  private func predictionTable(_ rows: PredictedRows, _ table: ModelTable) -> CSVWriter {
    let columns = ["id", "time", "y_true", "y_pred", "y_low", "y_high"]
    var writer = CSVWriter(header: columns + table.slices.map { ModelTables.slicePrefix + $0.name })
    for row in 0..<rows.count {
      writer.add(table.ids[row])
      writer.add(table.times.isEmpty ? nil : table.times[row])
      for value in [rows.truths[row], rows.predictions[row], rows.lows[row], rows.highs[row]] { writer.add(value) }
      for slice in table.slices { writer.add(slice.values[row]) }
      writer.endRow()
    }
    return writer
  }

  private func flat(_ document: EvaluationDocument, _ verdict: GatesDocument) -> [String: Double] {
    var flat = Dictionary(document.metrics.map { ($0.name, $0.value) }) { first, _ in first }
    for metric in document.baseline?.metrics ?? [] { flat["baseline_\(metric.name)"] = metric.value }
    if let floor = document.irreducible { flat["irreducible_mae"] = floor.value }
    flat["rows"] = Double(document.rows)
    flat["gates_missed"] = Double(verdict.gates.count { !$0.passed })
    return flat
  }
}

extension PredictedRows {
  init(truths: [Double], scored: [Prediction], baseline: [Double]? = nil) {
    self.init(
      truths: truths, predictions: scored.map(\.value), lows: scored.map(\.low), highs: scored.map(\.high), baseline: baseline)
  }
}

extension ModelBundle {
  /// Fails when a table's features are not this model's, in name or order.
  func checkFeatures(_ names: [String], of source: String) throws(Diagnostic) {
    guard names != featureNames else { return }
    let missing = featureNames.filter { !names.contains($0) }
    let surplus = names.filter { !featureNames.contains($0) }
    var causes: [String] = []
    if !missing.isEmpty { causes.append("the model wants \(missing.map { "`\($0)`" }.joined(separator: ", "))") }
    if !surplus.isEmpty { causes.append("the model does not know \(surplus.map { "`\($0)`" }.joined(separator: ", "))") }
    throw Diagnostic(
      .input, "the features in `\(source)` are not those that the model was trained on",
      causes: causes.isEmpty ? ["they stand in another order"] : causes, hints: ["train the model on these features first"])
  }
}

extension MetricEstimate {
  /// The share by which an error lies above the one that nobody can go below.
  fileprivate func excess(over floor: MetricEstimate) -> MetricEstimate? {
    guard floor.value > 0 else { return nil }
    return MetricEstimate(
      name: "\(name)_excess", label: "\(label) above the irreducible error", value: value / floor.value - 1,
      low: low.map { $0 / floor.value - 1 }, high: high.map { $0 / floor.value - 1 }, level: level, method: method,
      better: "lower", unit: "share")
  }
}

/// A baseline that anyone could make: the median target of the group that a row belongs to.
struct GroupMedian {
  let name: String
  private let columns: [String]
  private let medians: [[String?]: Double]
  /// For groups that the train split does not have.
  private let overall: Double

  init(of table: ModelTable, by columns: [String]) throws(Diagnostic) {
    guard table.rowCount > 0 else { throw Diagnostic(.input, "the train split has no rows") }
    self.columns = columns
    name = columns.isEmpty ? "median" : "median per \(columns.joined(separator: " and "))"
    let keys = try Self.keys(table, columns)
    let truths = table.truths
    medians = Dictionary(grouping: keys.indices) { keys[$0] }.mapValues { rows in median(rows.map { truths[$0] }) }
    overall = median(truths)
  }

  func predict(_ table: ModelTable) throws(Diagnostic) -> [Double] {
    try Self.keys(table, columns).map { medians[$0] ?? overall }
  }

  private static func keys(_ table: ModelTable, _ columns: [String]) throws(Diagnostic) -> [[String?]] {
    var slices: [[String?]] = []
    for column in columns { slices.append(try table.slice(column)) }
    return (0..<table.rowCount).map { row in slices.map { $0[row] } }
  }
}

/// What the simulator knows of its own law (`pipe kit simulate`).
struct TruthFile: Decodable {
  struct Part: Decodable {
    var from: String
    var to: String
    var mae: Double
  }
  var schema: String
  var overall: Part
  /// The end of the period, which is what a test split by time looks at.
  var last: Part?

  static func load(_ path: String) throws(Diagnostic) -> TruthFile {
    do {
      let truth = try JSONDecoder().decode(TruthFile.self, from: Data(try FileBytes.read(path)))
      if truth.schema == "pipe.truth/1" { return truth }
      throw Diagnostic(
        .input, "the truth has the schema `\(truth.schema)`, this build reads `pipe.truth/1`", at: SourceLocation(file: path))
    } catch let diagnostic as Diagnostic {
      throw diagnostic
    } catch {
      throw Diagnostic(.input, "the file is no truth of the simulator", at: SourceLocation(file: path), causes: ["\(error)"])
    }
  }

  /// The mean absolute error of one who knows the law, over the last days if these hold all rows, else over all days.
  func irreducible(covering span: (from: String, to: String)?, unit: String) -> MetricEstimate {
    var part = overall
    if let last, let span, span.from >= last.from { part = last }
    return MetricEstimate(
      name: "mae", label: "irreducible MAE", value: part.mae, method: "the simulator's law, \(part.from) to \(part.to)",
      better: "lower", unit: unit)
  }
}

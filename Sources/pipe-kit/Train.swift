// `pipe kit train`: feature tables to a bundle.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Diagnostics
import Evaluation
import FeatureStore
import Foundation
import Learning
import Scoring
import Tabular

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a gradient-boosted model with early stopping.",
    discussion: """
      Reads the parameters below `train` and the tables that `features` wrote: `train.csv` is learned from, `valid.csv` says when \
      to stop, `calibrate.csv` sets the prediction interval. The same input gives the same bytes.

      Example: pipe kit train --features data/features --out models/eta --metrics metrics/train.json \
      --importance metrics/importance.csv
      """,
    version: behaviorVersion(of: "train"))

  @Option(help: "Folder with the feature tables.")
  var features: String

  @Option(help: "Folder for the bundle.")
  var out: String

  @Option(help: "File for flat metrics.")
  var metrics: String

  @Option(help: "File for the gain of each feature.")
  var importance: String

  @OptionGroup var parameters: ParameterOptions

  func run() throws {
    let parameters = try TrainParameters(parameters.context().params["train"])
    let tables = try ModelTables(folder: features)
    let train = try tables.table("train")
    let valid = try tables.tableIfPresent("valid")
    let calibrate = try tables.table("calibrate")
    let model = try BoostingLearner(parameters.boosting).fit(
      train: train.sample, valid: valid?.sample, featureNames: tables.featureNames)

    let target = tables.featureSet.target
    let writer = BundleWriter(
      name: parameters.name, target: .init(name: target.column, unit: target.unit), featureNames: tables.featureNames)
    let bundle = try writer.bundle(
      model: model, parameters: parameters.boosting, train: train.sample, validRows: valid?.rowCount ?? 0,
      calibrate: calibrate.sample, times: train.span, interval: parameters.interval)
    try replaceFolder(out) { folder throws(Diagnostic) in
      try BundleWriter.write(bundle, model: model.json, copying: tables.lookupFiles, to: folder)
    }
    try importanceTable(model, tables.featureNames).write(to: importance)
    try JSONText.write(flatMetrics(bundle, valid: model.validMAE), to: metrics)
    printHistory(model, unit: target.unit)
  }

  /// The valid split's error along the way: about a dozen lines, the kept round among them.
  private func printHistory(_ model: BoostedModel, unit: String) {
    let step = max(1, model.history.count / 12)
    for (round, error) in model.history.enumerated() where (round + 1) % step == 0 || round == model.bestIteration {
      let mark = round == model.bestIteration ? "  <- kept" : ""
      print(
        "round \(round + 1): MAE on the valid split \(RegressionEvaluation.plain(error.rounded(toDecimals: 4))) \(unit)\(mark)")
    }
  }

  private func importanceTable(_ model: BoostedModel, _ names: [String]) -> CSVWriter {
    var writer = CSVWriter(header: ["feature", "gain", "share"])
    let total = model.totalGain.reduce(0, +)
    let order = names.indices.sorted { (-model.totalGain[$0], $0) < (-model.totalGain[$1], $1) }
    for index in order {
      writer.add(names[index])
      writer.add(model.totalGain[index])
      writer.add(total > 0 ? model.totalGain[index] / total : 0)
      writer.endRow()
    }
    return writer
  }

  private func flatMetrics(_ bundle: ModelBundle, valid: Double?) -> [String: Double] {
    let facts = bundle.training
    var flat = [
      "train_mae": facts.trainMAE, "best_iteration": Double(facts.bestIteration), "rounds": Double(facts.rounds),
      "train_rows": Double(facts.trainRows), "valid_rows": Double(facts.validRows),
      "calibrate_rows": Double(facts.calibrateRows), "trees": Double(bundle.ensemble.treeCount),
      "nodes": Double(bundle.ensemble.nodeCount),
    ]
    if let valid { flat["valid_mae"] = valid }
    return flat
  }
}

extension Double {
  fileprivate func rounded(toDecimals decimals: Int) -> Double {
    let scale = (0..<decimals).reduce(1.0) { scale, _ in scale * 10 }
    return (self * scale).rounded() / scale
  }
}

extension ModelTable {
  /// Times of the oldest and the newest row. RFC 3339 in UTC sorts as text.
  var span: (from: String, to: String)? {
    guard let from = times.min(), let to = times.max() else { return nil }
    return (from, to)
  }
}

/// Fills a folder beside its place, then puts it there.
///
/// An interrupted call leaves the old folder or none, and a `.part` beside it that the next call takes over.
func replaceFolder(_ path: String, _ fill: (URL) throws(Diagnostic) -> Void) throws {
  let place = URL(fileURLWithPath: path)
  let beside = place.deletingLastPathComponent()
    .appendingPathComponent(".\(place.lastPathComponent).part")
  try? FileManager.default.removeItem(at: beside)
  do {
    try fill(beside)
    if FileManager.default.fileExists(atPath: place.path) { try FileManager.default.removeItem(at: place) }
    try FileManager.default.moveItem(at: beside, to: place)
  } catch {
    try? FileManager.default.removeItem(at: beside)
    if error is Diagnostic { throw error }
    throw Diagnostic(
      .storage, "the folder `\(path)` cannot be written", at: SourceLocation(file: path),
      causes: [error.localizedDescription])
  }
}

// A trained and calibrated model as the folder that serving opens.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics
package import Foundation
import Hashing
package import Scoring

/// Puts a bundle's parts together and writes them.
package struct BundleWriter {
  package var name: String
  package var target: BundleManifest.Target
  package var featureNames: [String]

  package init(name: String, target: BundleManifest.Target, featureNames: [String]) {
    self.name = name
    self.target = target
    self.featureNames = featureNames
  }

  /// How intervals are made from the calibrate split.
  package struct IntervalOptions: Sendable {
    package var level: Double
    package var tolerance: Double
    package var bins: Int
    package init(level: Double, tolerance: Double, bins: Int) {
      self.level = level
      self.tolerance = tolerance
      self.bins = bins
    }
  }

  /// Scores the calibrate split with the model as serving will, and fits the interval to it.
  ///
  /// - Parameters:
  ///   - bounds: range per feature in the train split.
  ///   - times: of the oldest and newest train row, RFC 3339.
  package func bundle(
    model: BoostedModel, parameters: BoostingParameters, train: SampleMatrix, validRows: Int, calibrate: SampleMatrix,
    times: (from: String, to: String)?, interval: IntervalOptions
  ) throws(Diagnostic) -> ModelBundle {
    let ensemble = try XGBoostModelText.read(model.json, file: "model.json")
    let calibration = try IntervalCalibration.fit(
      predictions: ensemble.predict(rows: calibrate.features).map(Double.init), truths: calibrate.labels.map(Double.init),
      level: interval.level, tolerance: interval.tolerance, binCount: interval.bins)
    let manifest = BundleManifest(
      name: name,
      model: .init(
        kind: "xgboost", file: "model.json", sha256: sha256Digits(model.json), trees: ensemble.treeCount),
      target: target,
      features: zip(featureNames, train.bounds).map { name, range in
        .init(name: name, low: range.map { Double($0.lowerBound) }, high: range.map { Double($0.upperBound) })
      },
      hyperparameters: parameters.settings,
      training: TrainingFacts(
        trainRows: train.rowCount, validRows: validRows, calibrateRows: calibrate.rowCount, from: times?.from,
        to: times?.to, bestIteration: model.bestIteration, rounds: model.rounds, trainMAE: model.trainMAE,
        validMAE: model.validMAE),
      interval: calibration)
    return try ModelBundle(manifest: manifest, ensemble: ensemble)
  }

  /// Writes `bundle.json`, the model, and copies of `files` under their own names.
  ///
  /// The folder must not exist; a caller that wants all or nothing writes beside the place and renames.
  package static func write(
    _ bundle: ModelBundle, model: [UInt8], copying files: [URL], to folder: URL
  ) throws(Diagnostic) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      var manifest = try encoder.encode(bundle.manifest)
      manifest.append(0x0A)
      try manifest.write(to: folder.appendingPathComponent(BundleManifest.fileName))
      try Data(model).write(to: folder.appendingPathComponent(bundle.manifest.model.file))
      for file in files {
        try Data(contentsOf: file).write(to: folder.appendingPathComponent(file.lastPathComponent))
      }
    } catch {
      throw Diagnostic(
        .storage, "the bundle `\(folder.path)` cannot be written", at: SourceLocation(file: folder.path),
        causes: [error.localizedDescription])
    }
  }
}

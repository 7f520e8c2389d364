// A trained model with all that it takes to score with it: the folder that `train` writes and the server opens.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics
package import FoundationEssentials
import Hashing

/// A loaded bundle (docs/formats.md, "Bundle"). A value that never changes, safe to share between tasks.
package struct ModelBundle: Sendable {
  package let manifest: BundleManifest
  package let ensemble: TreeEnsemble
  /// The bounds as rows are scored with; unbounded where a feature was always missing.
  private let low: [Float]
  private let high: [Float]

  /// - Throws: a `storage` diagnostic when the manifest and the model do not fit together.
  package init(manifest: BundleManifest, ensemble: TreeEnsemble, file: String = "bundle.json") throws(Diagnostic) {
    try manifest.check(file: file)
    guard ensemble.featureCount == manifest.features.count else {
      throw Diagnostic(
        .storage, "the bundle names \(manifest.features.count) features, its model has \(ensemble.featureCount)",
        at: SourceLocation(file: file))
    }
    guard ensemble.treeCount == manifest.model.trees else {
      throw Diagnostic(
        .storage, "the bundle says \(manifest.model.trees) trees, its model has \(ensemble.treeCount)",
        at: SourceLocation(file: file))
    }
    self.manifest = manifest
    self.ensemble = ensemble
    low = manifest.features.map { $0.low.map(Float.init) ?? -.infinity }
    high = manifest.features.map { $0.high.map(Float.init) ?? .infinity }
  }

  /// Reads `bundle.json` and the model file that it names, and checks the model's digest.
  ///
  /// - Throws: a `storage` diagnostic that says which file is missing, damaged or does not fit.
  package static func load(directory: URL) throws(Diagnostic) -> ModelBundle {
    let manifestFile = directory.appendingPathComponent(BundleManifest.fileName)
    let manifest = try BundleManifest.read(bytes(of: manifestFile), file: manifestFile.path)
    try manifest.check(file: manifestFile.path)
    let modelFile = directory.appendingPathComponent(manifest.model.file)
    let model = try bytes(of: modelFile)
    let found = sha256Digits(model)
    guard found == manifest.model.sha256 else {
      throw Diagnostic(
        .storage, "`\(modelFile.path)` is not the model that the bundle was made with",
        at: SourceLocation(file: modelFile.path),
        causes: ["its SHA-256 is \(found)", "the bundle says \(manifest.model.sha256)"],
        hints: ["`pipe checkout` restores the bundle; `pipe repro` makes it again"])
    }
    let ensemble = try XGBoostModelText.read(model, file: modelFile.path)
    return try ModelBundle(manifest: manifest, ensemble: ensemble, file: manifestFile.path)
  }

  private static func bytes(of file: URL) throws(Diagnostic) -> [UInt8] {
    do { return [UInt8](try Data(contentsOf: file)) } catch {
      throw Diagnostic(
        .storage, "`\(file.path)` cannot be read", at: SourceLocation(file: file.path),
        hints: ["a bundle is the folder that `pipe kit train` writes"])
    }
  }
}

// MARK: What the bundle says of itself

extension ModelBundle {
  package var name: String { manifest.name }
  /// A name for the model that follows from its bytes alone: `v_` and 12 digits of its SHA-256. The registry numbers versions.
  package var version: String { "v_\(manifest.model.sha256.prefix(12))" }
  /// Names in the order of a feature vector.
  package var featureNames: [String] { manifest.features.map(\.name) }
  /// Unit of the target, e.g. `min`.
  package var unit: String { manifest.target.unit }
  /// SHA-256 of the model file, as hexadecimal digits.
  package var artifactChecksum: String { manifest.model.sha256 }
  /// Time of the newest row that the model learned from, RFC 3339; `nil` for rows without a time.
  package var lastTrainingDate: String? { manifest.training.to }
  package var training: TrainingFacts { manifest.training }
  /// Nominal coverage of `Prediction.low...high`.
  package var intervalLevel: Double { manifest.interval.level }
}

// MARK: Scoring

/// One answer of a model, in the target's unit.
package struct Prediction: Sendable, Equatable {
  package struct Contribution: Sendable, Equatable {
    package var feature: String
    /// What the feature added to the prediction, in the target's unit.
    package var value: Double
    package init(feature: String, value: Double) {
      self.feature = feature
      self.value = value
    }
  }

  /// The model's sum as a double; nothing is rounded.
  package var value: Double
  /// Bounds that hold the truth with the bundle's `intervalLevel`.
  package var low: Double
  package var high: Double
  /// Chance, in 0...1, that the truth is within the calibration's tolerance (for delivery times 5 min) of `value`:
  /// how often that was so for calibration rows with a prediction of this size.
  package var confidence: Double
  /// A feature lies outside of the range seen in training. Missing values do not count.
  package var isOutOfDistribution: Bool
  /// The strongest, by size; empty when they were not asked for.
  package var contributions: [Contribution]

  package init(
    value: Double, low: Double, high: Double, confidence: Double, isOutOfDistribution: Bool,
    contributions: [Contribution]
  ) {
    self.value = value
    self.low = low
    self.high = high
    self.confidence = confidence
    self.isOutOfDistribution = isOutOfDistribution
    self.contributions = contributions
  }
}

extension ModelBundle {
  /// Scores one row and says which features moved the prediction most.
  ///
  /// - Parameters:
  ///   - features: one value per feature, in order; NaN is missing. Infinite values are out of distribution.
  ///   - top: how many contributions to give.
  package func predict(_ features: [Float], top: Int = 3) -> Prediction {
    var prediction = predictWithoutContributions(features)
    let attribution = ensemble.attribution(of: features)
    prediction.contributions = attribution.strongest(top).map {
      Prediction.Contribution(feature: manifest.features[$0].name, value: attribution.contributions[$0])
    }
    return prediction
  }

  /// The same without `contributions`, in about half the time.
  package func predictWithoutContributions(_ features: [Float]) -> Prediction {
    prediction(Double(ensemble.predict(features)), isOutOfDistribution: isOutOfDistribution(features[...]))
  }

  /// Scores rows that stand one after the other; equal to the one-row call for each.
  package func predict(rows: [Float]) -> [Prediction] {
    let width = ensemble.featureCount
    return ensemble.predict(rows: rows).enumerated().map { index, value in
      prediction(Double(value), isOutOfDistribution: isOutOfDistribution(rows[index * width..<(index + 1) * width]))
    }
  }

  private func prediction(_ value: Double, isOutOfDistribution: Bool) -> Prediction {
    let bin = manifest.interval.bin(of: value)
    return Prediction(
      value: value, low: value + bin.low, high: value + bin.high, confidence: bin.confidence,
      isOutOfDistribution: isOutOfDistribution, contributions: [])
  }

  /// Comparisons with NaN are false, so a missing value is inside.
  private func isOutOfDistribution(_ features: ArraySlice<Float>) -> Bool {
    for (index, value) in features.enumerated() where value < low[index] || value > high[index] { return true }
    return false
  }
}

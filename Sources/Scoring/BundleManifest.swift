// `bundle.json`: what a bundle says of its model, its features and its training.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics
import FoundationEssentials

/// The manifest of a bundle. Nothing in it depends on the clock or the machine.
package struct BundleManifest: Codable, Sendable, Equatable {
  package static let schema = "pipe.bundle/1"
  package static let fileName = "bundle.json"

  package struct Model: Codable, Sendable, Equatable {
    /// `xgboost`.
    package var kind: String
    /// Name of the model file within the bundle.
    package var file: String
    /// SHA-256 of the model file, 64 hexadecimal digits.
    package var sha256: String
    package var trees: Int
    package init(kind: String, file: String, sha256: String, trees: Int) {
      self.kind = kind
      self.file = file
      self.sha256 = sha256
      self.trees = trees
    }
  }

  package struct Target: Codable, Sendable, Equatable {
    /// Column that holds the truth.
    package var name: String
    package var unit: String
    package init(name: String, unit: String) {
      self.name = name
      self.unit = unit
    }
  }

  package struct Feature: Codable, Sendable, Equatable {
    package var name: String
    /// Range seen in training; `nil` when every value was missing.
    package var low: Double?
    package var high: Double?
    package init(name: String, low: Double?, high: Double?) {
      self.name = name
      self.low = low
      self.high = high
    }
  }

  package var schema: String = Self.schema
  package var name: String
  package var model: Model
  package var target: Target
  /// In the order of a feature vector.
  package var features: [Feature]
  package var hyperparameters: [String: Setting]
  package var training: TrainingFacts
  package var interval: IntervalCalibration

  package init(
    name: String, model: Model, target: Target, features: [Feature], hyperparameters: [String: Setting],
    training: TrainingFacts, interval: IntervalCalibration
  ) {
    self.name = name
    self.model = model
    self.target = target
    self.features = features
    self.hyperparameters = hyperparameters
    self.training = training
    self.interval = interval
  }
}

/// Where a model comes from, as far as the data says.
package struct TrainingFacts: Codable, Sendable, Equatable {
  package var trainRows: Int
  package var validRows: Int
  package var calibrateRows: Int
  /// Time of the oldest and of the newest row that the trees learned from, RFC 3339.
  package var from: String?
  package var to: String?
  /// Rounds that early stopping kept, and rounds that were tried.
  package var bestIteration: Int
  package var rounds: Int
  /// Mean absolute error in the target's unit.
  package var trainMAE: Double
  /// `nil` without a valid split.
  package var validMAE: Double?

  package init(
    trainRows: Int, validRows: Int, calibrateRows: Int, from: String?, to: String?, bestIteration: Int, rounds: Int,
    trainMAE: Double, validMAE: Double?
  ) {
    self.trainRows = trainRows
    self.validRows = validRows
    self.calibrateRows = calibrateRows
    self.from = from
    self.to = to
    self.bestIteration = bestIteration
    self.rounds = rounds
    self.trainMAE = trainMAE
    self.validMAE = validMAE
  }

  enum CodingKeys: String, CodingKey {
    case trainRows = "train_samples"
    case validRows = "val_samples"
    case calibrateRows = "calibrate_samples"
    case from = "data_from"
    case to = "data_to"
    case bestIteration = "best_iteration"
    case rounds
    case trainMAE = "train_mae"
    case validMAE = "val_mae"
  }
}

/// A hyperparameter's value.
package enum Setting: Codable, Sendable, Equatable {
  case flag(Bool)
  case number(Double)
  case text(String)

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let value = try? container.decode(Bool.self) {
      self = .flag(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else {
      self = .text(try container.decode(String.self))
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .flag(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .text(let value): try container.encode(value)
    }
  }
}

// MARK: Reading and checking

extension BundleManifest {
  /// - Throws: a `storage` diagnostic for bytes that are not a manifest.
  package static func read(_ bytes: [UInt8], file: String) throws(Diagnostic) -> BundleManifest {
    do { return try JSONDecoder().decode(BundleManifest.self, from: Data(bytes)) } catch {
      throw Diagnostic(
        .storage, "`\(file)` is not a bundle's manifest", at: SourceLocation(file: file),
        causes: [Self.words(for: error)], hints: ["a bundle is the folder that `pipe kit train` writes"])
    }
  }

  /// The invariants that scoring relies on.
  package func check(file: String) throws(Diagnostic) {
    func refuse(_ message: String) -> Diagnostic { Diagnostic(.storage, message, at: SourceLocation(file: file)) }
    guard schema == Self.schema else {
      throw refuse("the bundle has the schema `\(schema.prefix(40))`, this build reads `\(Self.schema)`")
    }
    guard model.kind == "xgboost" else {
      throw refuse("the bundle's model is of the kind `\(model.kind.prefix(40))`, this build scores `xgboost`")
    }
    guard !model.file.isEmpty, !model.file.contains("/"), !model.file.hasPrefix(".") else {
      throw refuse("the bundle's model file `\(model.file.prefix(80))` is not a plain file name")
    }
    guard Set(features.map(\.name)).count == features.count else { throw refuse("the bundle names a feature twice") }
    for feature in features {
      guard (feature.low ?? 0).isFinite, (feature.high ?? 0).isFinite, feature.low ?? 0 <= feature.high ?? .infinity else {
        throw refuse("the bundle's bounds of feature `\(feature.name)` are not a range")
      }
    }
    if let message = interval.fault { throw refuse("the bundle's interval calibration \(message)") }
  }

  private static func words(for error: any Error) -> String {
    guard let error = error as? DecodingError else { return "\(error)" }
    func path(_ context: DecodingError.Context) -> String {
      context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
    }
    switch error {
    case .keyNotFound(let key, let context):
      return "`\((context.codingPath + [key]).map(\.stringValue).joined(separator: "."))` is missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context): return "`\(path(context))` is of the wrong kind"
    case .dataCorrupted(let context): return context.codingPath.isEmpty ? "it is not JSON" : "`\(path(context))` is damaged"
    @unknown default: return "\(error)"
    }
  }
}

extension IntervalCalibration {
  /// What is wrong with it, if anything.
  var fault: String? {
    guard (0..<1).contains(level) else { return "has the level \(level), not one from 0 to 1" }
    guard let first = bins.first else { return "has no bins" }
    guard first.from == nil else { return "has a first bin with a lower end" }
    let edges = bins.dropFirst().map(\.from)
    guard edges.allSatisfy({ $0?.isFinite ?? false }) else { return "has a bin without a lower end" }
    let numbers = edges.compactMap { $0 }
    guard zip(numbers, numbers.dropFirst()).allSatisfy({ $0 < $1 }) else { return "has bins out of order" }
    guard bins.allSatisfy({ $0.low.isFinite && $0.high.isFinite && $0.low <= $0.high }) else {
      return "has a bin whose bounds are not a range"
    }
    guard bins.allSatisfy({ (0...1).contains($0.confidence) }) else { return "has a confidence outside of 0...1" }
    return nil
  }
}

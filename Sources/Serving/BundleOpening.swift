// Opens a bundle's folder as a model that answers requests.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics
import FeatureStore
package import FoundationEssentials
import Scoring

extension ServedModel {
  /// Reads a bundle, after checking its files against the manifest of the export that it came with.
  ///
  /// - Parameters:
  ///   - bundle: a folder as docs/formats.md has it under "Bundle".
  ///   - manifest: `manifest.json` of the export; without one nothing vouches for the files beside the model.
  /// - Throws: a diagnostic for a bundle that is unreadable, was changed, or whose parts do not fit together.
  package static func open(bundle: URL, manifest: URL?) throws(Diagnostic) -> ServedModel {
    let exported = try manifest.map { file throws(Diagnostic) in try ExportManifest(at: file) }
    try exported?.check(BundleFiles(in: bundle))
    let model = try ModelBundle.load(directory: bundle)
    let features: OnlineFeatures
    do { features = try OnlineFeatures.load(directory: bundle.path) } catch {
      throw error as? Diagnostic
        ?? Diagnostic(.storage, "the features of `\(bundle.path)` cannot be read", causes: ["\(error)"])
    }
    try check(model, features, exported)
    let facts = Facts(
      name: model.name, version: exported?.version ?? model.version, idField: features.featureSet.id, unit: model.unit,
      features: model.featureNames, intervalLevel: model.intervalLevel, trainingMetadata: metadata(model.training),
      lastTrainingDate: model.lastTrainingDate, checksum: model.artifactChecksum)
    let request = features.featureSet.request
    return ServedModel(facts) { (fields, epochSeconds) throws(Refusal) in
      let values = try requestValues(fields, request)
      let vector: FeatureVector
      do throws(FeatureError) { vector = try features.vector(request: values, at: epochSeconds) } catch {
        throw Refusal(422, error.message, field: error.field)
      }
      return Answer(
        model.predict(vector.values, top: explainedFeatures), featureAgeHours: vector.ageHours,
        missingLookups: vector.missing)
    }
  }

  /// How many features an explanation names.
  private static let explainedFeatures = 3

  private static func check(
    _ model: ModelBundle, _ features: OnlineFeatures, _ exported: ExportManifest?
  ) throws(Diagnostic) {
    guard model.featureNames == features.names else {
      throw Diagnostic(
        .storage, "`bundle.json` and `features.json` of model `\(model.name)` name different features",
        hints: ["both are written by `pipe kit train`; `pipe checkout` restores them"])
    }
    guard !model.name.isEmpty, model.name.utf8.allSatisfy(isPathByte) else {
      throw Diagnostic(
        .input, "the model's name `\(model.name)` cannot stand in a path of the server",
        hints: ["names are letters, digits, `-`, `_` and `.`"])
    }
    guard exported.map({ $0.model == model.name }) ?? true else {
      throw Diagnostic(.storage, "the manifest is of model `\(exported?.model ?? "")`, the bundle of `\(model.name)`")
    }
  }

  private static func isPathByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
      true
    default: false
    }
  }

  /// The fields that the feature set asks for. `null` is as good as absent; a truth value is of no kind that it knows.
  private static func requestValues(
    _ fields: [String: JSONScalar], _ request: [FeatureSet.RequestField]
  ) throws(Refusal) -> [String: RequestValue] {
    var values = [String: RequestValue](minimumCapacity: request.count)
    for field in request {
      switch fields[field.name] {
      case .text(let text)?: values[field.name] = .text(text)
      case .number(let number)?: values[field.name] = .number(number)
      case .boolean?: throw Refusal(422, "field `\(field.name)` must be a \(field.kind.rawValue)", field: field.name)
      case .null?, nil: break
      }
    }
    return values
  }

  private static func metadata(_ facts: TrainingFacts) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let json = try? encoder.encode(facts) else { preconditionFailure("training facts are numbers and text") }
    return [UInt8](json)
  }
}

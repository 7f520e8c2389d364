// `pipe kit register`: the document of a model version, if the gates hold.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Diagnostics
import Evaluation
import Foundation
import Scoring
import Tabular

struct Register: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a version document, if the gates hold.",
    discussion: """
      Exits 1 and names each gate that was missed. The document follows from its inputs alone; `pipe` enters it in the registry with \
      the bundle's digest, the trace and the commit.

      Example: pipe kit register --bundle models/eta --evaluation reports/evaluation.json --gates reports/gates.json \
      --out models/eta.version.json
      """,
    version: behaviorVersion(of: "register"))

  @Option(help: "Folder of the bundle.")
  var bundle: String

  @Option(help: "The evaluation document.")
  var evaluation: String

  @Option(help: "The verdict on each gate.")
  var gates: String

  @Option(help: "File for the version document.")
  var out: String

  func run() throws {
    let model = try ModelBundle.load(directory: URL(fileURLWithPath: bundle))
    let figures = try JSONText.read(EvaluationDocument.self, from: evaluation, schema: EvaluationDocument.schema, \.schema)
    let verdict = try JSONText.read(GatesDocument.self, from: gates, schema: GatesDocument.schema, \.schema)
    guard figures.model == model.name else {
      throw Diagnostic(
        .input, "the evaluation is of the model `\(figures.model)`, the bundle is `\(model.name)`",
        at: SourceLocation(file: evaluation))
    }
    let missed = verdict.gates.filter { !$0.passed }
    guard missed.isEmpty, verdict.passed else {
      throw Diagnostic(
        .work, "the model `\(model.name)` is not registered: \(missed.count) of \(verdict.gates.count) gates were missed",
        at: SourceLocation(file: gates), causes: missed.map(\.sentence),
        hints: ["the figures are in `\(evaluation)`; the bounds stand in params.yaml below `evaluate.gates`"])
    }
    try JSONText.write(VersionDocument(model, bundle: bundle, figures, verdict), to: out)
    print("\(model.name) \(model.version): \(verdict.gates.count) gates held")
  }
}

/// docs/formats.md, "Version document".
struct VersionDocument: Encodable {
  struct Gates: Encodable {
    var passed: Bool
    var values: [String: Double]
  }
  var schema = "pipe.model-version/1"
  var name: String
  /// The bundle's folder as the stage was given it.
  var bundle: String
  var sha256: String
  var metrics: [String: Double]
  var gates: Gates
  var features: [String]
  var hyperparameters: [String: Setting]
  var training: TrainingFacts

  init(_ model: ModelBundle, bundle: String, _ evaluation: EvaluationDocument, _ verdict: GatesDocument) {
    name = model.name
    self.bundle = bundle
    sha256 = model.artifactChecksum
    metrics = Dictionary(evaluation.metrics.map { ($0.name, $0.value) }) { first, _ in first }
    gates = Gates(
      passed: verdict.passed, values: Dictionary(verdict.gates.map { ($0.name, $0.value) }) { first, _ in first })
    features = model.featureNames
    hyperparameters = model.manifest.hyperparameters
    training = model.training
  }
}

extension JSONText {
  /// Reads a document and checks its schema.
  static func read<Document: Decodable>(
    _: Document.Type, from path: String, schema: String, _ schemaOf: KeyPath<Document, String>
  ) throws(Diagnostic) -> Document {
    let bytes = try FileBytes.read(path)
    let document: Document
    do { document = try JSONDecoder().decode(Document.self, from: Data(bytes)) } catch {
      throw Diagnostic(
        .input, "the file is no document of the schema `\(schema)`", at: SourceLocation(file: path), causes: ["\(error)"])
    }
    guard document[keyPath: schemaOf] == schema else {
      throw Diagnostic(
        .input, "the document has the schema `\(document[keyPath: schemaOf])`, this build reads `\(schema)`",
        at: SourceLocation(file: path))
    }
    return document
  }
}

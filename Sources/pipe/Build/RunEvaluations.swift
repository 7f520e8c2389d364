// Evaluates what `evaluations:` declares, of the predictions that a run has, beside those of its baseline.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import Evaluation
import PipelineModel
import Reporting
import Tracking

struct RunEvaluations {
  let project: Project
  let pipeline: Pipeline
  let run: RunRecord
  let previous: RunRecord?
  /// What a stage wrote of its own evaluation: `report: {predictions: …}` is named after it.
  var document: EvaluationDocument? = nil

  /// What `evaluations:` says, and the table that `report: {predictions: …}` names, unless an evaluation has it.
  static func declarations(_ pipeline: Pipeline, document: EvaluationDocument?) -> [EvaluationDeclaration] {
    let path = pipeline.reportSources.first { $0.role == "predictions" }?.path
    guard let path, !pipeline.evaluations.contains(where: { $0.predictions == path }) else { return pipeline.evaluations }
    var declaration = EvaluationDeclaration(
      name: document?.model ?? "predictions", predictions: path, task: "regression",
      location: SourceLocation(file: pipeline.file))
    declaration.unit = document?.unit
    return pipeline.evaluations + [declaration]
  }

  /// In the order of the manifest. What cannot be evaluated is told, on the page too: the report has other things to say.
  ///
  /// - Parameter unjudged: learns the gates that nothing could judge, a line each.
  func all(_ omissions: inout [String], unjudged: inout [String]) throws -> [RunReport.EvaluatedModel] {
    try Self.declarations(pipeline, document: document).compactMap { declaration in
      do {
        return try evaluated(declaration)
      } catch let error as any DiagnosticConvertible {
        omissions.append(error.omission("evaluation `\(declaration.name)` is left out"))
        unjudged += declaration.gates.map { "\(declaration.name): the gate on `\($0.metric)` cannot be judged" }
        return nil
      }
    }
  }

  /// `nil` when the run has no predictions, because their stage has no result in it.
  private func evaluated(_ declaration: EvaluationDeclaration) throws -> RunReport.EvaluatedModel? {
    let path = declaration.predictions
    let makers = run.stages.filter { stage in stage.outputs.contains { WorkspacePath($0.path).map(path.isWithin) ?? false } }
    let objects = RunObjects(run: run, project: project)
    guard let file = try objects.file(of: path), let digest = objects.digest(of: path) else {
      if let maker = makers.first(where: \.outcome.isDone) {
        throw missing(path, of: maker.name, declaration)
      }
      let isDeclared = pipeline.stages.contains { $0.outputs.contains { path.isWithin($0.path) } }
      // A run of other stages has nothing to say of it.
      guard makers.isEmpty, run.outcome == .finished, !isDeclared else { return nil }
      throw Diagnostic(
        .input, "no stage makes `\(path)`", at: declaration.location,
        hints: ["declare it as an output of the stage that writes it"])
    }
    let request = EvaluationRequest(declaration)
    let scratch = project.columns
    let table = { try PredictionReader.table(file: file, named: path.text, for: request, keepsIDs: $0, in: scratch) }
    let reference = baseline(of: declaration)
    guard case .found(let name, let predictions, let referenceDigest) = reference else {
      let result = try EvaluationCache(project, request, table: digest).result {
        try Evaluator(request).evaluate(table(false))
      }
      guard case .missing(let why) = reference else { return .init(name: declaration.name, result: result) }
      return .init(name: declaration.name, result: result, missingReference: why)
    }
    let result = try EvaluationCache(project, request, table: digest, reference: (referenceDigest, name)).result {
      let current = try table(true)
      let other = try predictions.table(named: "\(path) of \(name)", for: request, in: scratch)
      return try Evaluator(request).evaluate(current, against: other)
    }
    return .init(name: declaration.name, result: result, reference: name)
  }

  /// Predictions that a stage made, and that are not to be had any more.
  private func missing(_ path: WorkspacePath, of maker: String, _ declaration: EvaluationDeclaration) -> Diagnostic {
    let output = pipeline.stages.flatMap(\.outputs).first { path.isWithin($0.path) }
    guard output?.isStored == false else {
      return Diagnostic(
        .input, "stage `\(maker)` left no file at `\(path)` that the store has", at: declaration.location,
        hints: ["`predictions` is the path of one table; `pipe fetch` brings what only a remote has"])
    }
    let isHere = FileStat("\(project.root)/\(path)") != nil
    return Diagnostic(
      .input, isHere ? "`\(path)` is not the file that stage `\(maker)` made in this run" : "`\(path)` is not here",
      at: declaration.location, causes: ["the store does not keep it (`cache: false`)"],
      hints: ["`pipe repro \(maker)` makes it again; without `cache: false` the store has it for later reports"])
  }

  /// One that cannot be read is told, and costs the comparison only.
  private func baseline(of declaration: EvaluationDeclaration) -> Baseline {
    do {
      return try Baseline.find(declaration.baseline ?? pipeline.reportBaseline, for: declaration.predictions, of: self)
    } catch {
      let mistake: any DiagnosticConvertible = (error as? any DiagnosticConvertible) ?? Diagnostic(.bug, "\(error)")
      return .missing(mistake.omission("evaluation `\(declaration.name)` is compared with nothing"))
    }
  }
}

/// Predictions to compare with.
private enum Baseline {
  /// - Parameters:
  ///   - name: as a reader should see it.
  ///   - digest: of the predictions.
  case found(name: String, StoredPredictions, digest: Digest)
  /// One was asked for, and is not there.
  case missing(String)
  case none

  /// - Parameter text: see `ComparedRun.find`; `nil` is the previous run, and then nobody misses one that is not there.
  static func find(_ text: String?, for path: WorkspacePath, of evaluations: RunEvaluations) throws -> Baseline {
    // A first run has nothing before it, and need not say so.
    if text == nil || text == "previous", evaluations.previous == nil { return .none }
    switch try ComparedRun.find(text ?? "previous", previous: evaluations.previous, in: evaluations.project) {
    case .missing(let why): return .missing(why)
    case .found(let side):
      if let predictions = try side.predictions(at: path), let digest = side.objects.digest(of: path) {
        return .found(name: side.name, predictions, digest: digest)
      }
      if text == nil { return .none }
      let isKnown = side.objects.digest(of: path) != nil
      return .missing(
        isKnown ? side.absence(of: path, in: evaluations.pipeline) : "\(side.name) has no predictions at `\(path)`")
    }
  }
}

extension Project {
  /// For the columns of large tables.
  var columns: Scratch {
    // Where it cannot be made, the first large column says so.
    try? AtomicFile.makeFolder(scratchFolder)
    return Scratch(folder: scratchFolder)
  }
}

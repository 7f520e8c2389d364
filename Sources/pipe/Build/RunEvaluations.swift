// Evaluates what `evaluations:` declares, of the predictions that a run has, beside those of its baseline.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import Evaluation
import PipelineModel
import Reporting
import SourceControl
import Tracking

struct RunEvaluations {
  let project: Project
  let pipeline: Pipeline
  let run: RunRecord
  let previous: RunRecord?

  /// In the order of the manifest. What cannot be evaluated is told, on the page too: the report has other things to say.
  func all(_ omissions: inout [String]) throws -> [RunReport.EvaluatedModel] {
    try pipeline.evaluations.compactMap { declaration in
      do {
        return try evaluated(declaration)
      } catch let error as any DiagnosticConvertible {
        var diagnostic = error.diagnostic
        diagnostic.category = .warning
        diagnostic.message = "evaluation `\(declaration.name)` is left out: \(diagnostic.message)"
        Terminal.standard.say(diagnostic)
        omissions.append((diagnostic.location.map { "\($0): " } ?? "") + diagnostic.message)
        return nil
      }
    }
  }

  /// `nil` when the run has no predictions, because their stage has no result.
  private func evaluated(_ declaration: EvaluationDeclaration) throws -> RunReport.EvaluatedModel? {
    let path = declaration.predictions
    let makers = run.stages.filter { stage in stage.outputs.contains { WorkspacePath($0.path).map(path.isWithin) ?? false } }
    guard let file = try RunObjects(run: run, store: project.store).file(of: path) else {
      guard makers.isEmpty, run.outcome == .finished else { return nil }
      throw Diagnostic(
        .input, "no stage makes `\(path)`", at: declaration.location,
        hints: ["declare it as an output of the stage that writes it"])
    }
    let request = EvaluationRequest(declaration)
    let table = try PredictionReader.table(file: file, named: path.text, for: request)
    let reference = try Baseline.find(declaration.baseline ?? pipeline.reportBaseline, for: path, of: self)
    guard case .found(let name, let referenceFile) = reference else {
      let result = try Evaluator(request).evaluate(table)
      guard case .missing(let why) = reference else { return .init(name: declaration.name, result: result) }
      return .init(name: declaration.name, result: result, missingReference: why)
    }
    let other = try PredictionReader.table(file: referenceFile, named: "\(path) of \(name)", for: request)
    return .init(
      name: declaration.name, result: try Evaluator(request).evaluate(table, against: other), reference: name)
  }
}

/// Predictions to compare with.
private enum Baseline {
  /// - Parameters:
  ///   - name: as a reader should see it.
  ///   - file: the object with the predictions.
  case found(name: String, file: String)
  /// One was asked for, and is not there.
  case missing(String)
  case none

  /// - Parameter text: `previous`, a registered version (`eta@champion`, `eta/3`), a run, or a Git revision; `nil` is the previous run.
  static func find(_ text: String?, for path: WorkspacePath, of evaluations: RunEvaluations) throws -> Baseline {
    let project = evaluations.project
    guard let text, text != "previous" else {
      guard let previous = evaluations.previous, let file = try RunObjects(run: previous, store: project.store).file(of: path)
      else {
        return text == nil ? .none : .missing("there is no previous run with `\(path)` to compare with")
      }
      return .found(name: "the previous run", file: file)
    }
    let runs = RunLog(folder: project.runsFolder)
    if text.contains("@") || text.contains("/"), let version = try? Registry(folder: project.registryFolder).resolve(text) {
      guard let run = try version.run.flatMap({ try runs.record($0) }),
        let file = try RunObjects(run: run, store: project.store).file(of: path)
      else { return .missing("the predictions of \(version.reference) are not here; `pipe fetch` may bring them") }
      return .found(name: text == version.reference ? text : "\(text) (version \(version.number))", file: file)
    }
    if let id = try? runs.resolve(text), let run = try runs.record(id) {
      guard let file = try RunObjects(run: run, store: project.store).file(of: path) else {
        return .missing("the predictions of run \(id) are not here; `pipe fetch` may bring them")
      }
      return .found(name: "run \(id)", file: file)
    }
    return try revision(text, path, project)
  }

  /// What the lock file of a commit agreed on.
  private static func revision(_ text: String, _ path: WorkspacePath, _ project: Project) throws -> Baseline {
    let view: RevisionView
    do {
      view = try RevisionView(project, revision: text)
    } catch let error as GitError {
      return .missing("the baseline `\(text)` is no revision, version or run: \(error.diagnostic.message)")
    }
    guard let digest = try view.digest(of: path) else { return .missing("`\(text)` has no predictions at `\(path)`") }
    guard try project.store.contains(digest) else {
      return .missing("the predictions of `\(text)` are not here; `pipe fetch` may bring them")
    }
    return .found(name: text, file: project.store.path(of: digest))
  }
}

extension RunObjects {
  /// The object of an output, or of a file in a directory that is an output, as a file; `nil` when the store has it not.
  func file(of path: WorkspacePath) throws -> String? {
    guard let digest = digest(of: path), try store.contains(digest) else { return nil }
    return store.path(of: digest)
  }
}

// Gathers what `pipe report --compare` shows: a run, and the runs, versions and revisions that it stands beside.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import Evaluation
import Foundation
import PipelineModel
import Reporting
import Tracking

struct ComparisonWriter {
  let project: Project
  let pipeline: Pipeline
  let run: RunRecord

  /// - Parameter names: revisions, runs, versions of the registry, or `previous`.
  /// - Throws: an `input` diagnostic for a name that means nothing here.
  func input(_ names: [String]) throws -> ComparisonReport.Input {
    let previous = try RunLog(folder: project.runsFolder).previous(of: run)
    let others = try sides(names, previous: previous)
    let current = ComparedRun(run, called: "this run", in: project)
    var input = ComparisonReport.Input(
      title: pipeline.title ?? "Pipeline", description: pipeline.description, current: try side(current),
      others: try others.map(side))
    let empty = others.filter { $0.record.stages.isEmpty }
    input.omissions += empty.map {
      "\($0.name) has no results in `\(project.dialect.lockName)`, so there is nothing of it to compare with"
    }
    for declaration in RunEvaluations.declarations(pipeline, document: nil) {
      try compare(declaration, current, others, &input)
    }
    return input
  }

  /// One side each: counted twice, it would be tested twice, and all tests on the page are corrected together.
  private func sides(_ names: [String], previous: RunRecord?) throws -> [ComparedRun] {
    var sides: [(name: String, run: ComparedRun)] = []
    for name in names {
      switch try ComparedRun.find(name, previous: previous, in: project) {
      case .found(let run):
        guard let same = sides.first(where: { $0.run.identity == run.identity }) else {
          sides.append((name, run))
          continue
        }
        let what = same.name == name ? "`\(name)` is given twice, and" : "`\(same.name)` and `\(name)` are the same, which is"
        Terminal.standard.say(Diagnostic(.warning, "\(what) compared once"))
      case .missing(let why):
        throw Diagnostic(
          .input, why, hints: ["--compare takes a Git revision, a run, a version such as `eta@champion`, or `previous`"])
      }
    }
    return sides.map(\.run)
  }

  private func side(_ side: ComparedRun) throws -> ComparisonReport.Side {
    ComparisonReport.Side(
      name: side.name, run: side.record, metrics: try side.metrics(), registered: pipeline.registered(side.record, in: project))
  }

  /// The current table is read once for all sides.
  private func compare(
    _ declaration: EvaluationDeclaration, _ current: ComparedRun, _ others: [ComparedRun], _ input: inout ComparisonReport.Input
  ) throws {
    let request = EvaluationRequest(declaration)
    let path = declaration.predictions
    guard let predictions = try current.predictions(at: path) else {
      input.omissions.append("this run has no predictions at `\(path)`, so `\(declaration.name)` is not compared")
      return
    }
    let scratch = project.columns
    do {
      let table = try predictions.table(named: path.text, for: request, in: scratch)
      for (place, other) in others.enumerated() where !other.record.stages.isEmpty {
        guard let predictions = try other.predictions(at: path) else {
          input.omissions.append(
            "`\(declaration.name)` is not compared with \(other.name): \(other.absence(of: path, in: pipeline))")
          continue
        }
        let reference = try predictions.table(named: "\(path) of \(other.name)", for: request, in: scratch)
        let evaluator = Evaluator(request)
        let result = try evaluator.evaluate(table, against: reference, called: other.name)
        input.evaluations.append(
          .init(
            side: place, model: .init(name: declaration.name, result: result, reference: other.name),
            referenceSlices: try evaluator.slices(of: reference)))
      }
    } catch let error as any DiagnosticConvertible {
      input.omissions.append(error.omission("`\(declaration.name)` is not compared"))
    }
  }
}

extension ComparisonReport.Input {
  /// The same for programs; keys sorted.
  func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    return String(decoding: try encoder.encode(ComparisonReport.facts(self)), as: UTF8.self)
  }
}

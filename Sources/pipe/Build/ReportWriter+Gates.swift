// Gates of `evaluations:` that are missed: which there are, and which concern a build.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import Evaluation
import PipelineModel
import Reporting
import Tracking

extension ReportWriter {
  /// The evaluations that can miss a gate.
  var gated: [EvaluationDeclaration] { pipeline.evaluations.filter { !$0.gates.isEmpty } }

  /// A line a gate, which begins with the evaluation's name.
  static func missed(_ evaluations: [RunReport.EvaluatedModel], _ unjudged: [String]) -> [String] {
    unjudged
      + evaluations.flatMap { evaluated in
        (evaluated.result.document.gates?.gates ?? []).filter { !$0.passed }.map { "\(evaluated.name): \($0.sentence)" }
      }
  }

  /// Those of evaluations whose stages a run left alone: what stands is of the newest run before that had them.
  func missedBefore(_ run: RunRecord) throws -> [String] {
    var (missed, unjudged, omissions): ([String], [String], [String]) = ([], [], [])
    for declaration in gated {
      let stages = Set(concerned(by: declaration).map { graph.stages[$0].name })
      let hasStages = { (run: RunRecord) in run.stages.contains { stages.contains($0.name) } }
      guard !stages.isEmpty, !hasStages(run) else { continue }
      let log = RunLog(folder: project.runsFolder)
      let earlier = try log.ids().reversed().lazy.filter { $0 < run.id }.compactMap { try? log.record($0) }.first(
        where: hasStages)
      guard let earlier else { continue }
      // Gates are judged by values alone, so nothing is compared.
      var alone = pipeline
      alone.evaluations = [declaration]
      alone.evaluations[0].baseline = nil
      (alone.reportSources, alone.reportBaseline) = ([], nil)
      let evaluated = try RunEvaluations(project: project, pipeline: alone, run: earlier, previous: nil)
        .all(&omissions, unjudged: &unjudged)
      missed += Self.missed(evaluated, [])
    }
    return missed + unjudged
  }

  /// Indices of the stages that make or read its predictions.
  private func concerned(by declaration: EvaluationDeclaration) -> [Int] {
    graph.stages.indices.filter { index in
      let stage = graph.stages[index]
      return (stage.outputs.map(\.path) + stage.dependencies.compactMap(\.path)).contains(where: declaration.predictions.isWithin)
    }
  }

  /// What to say of missed gates, `nil` when all hold: a run of many stages may be good, and its model not.
  ///
  /// - Parameter order: the stages of this build. A gate on what none of them makes or reads is not its business.
  func missedGates(_ run: String, among order: [Int]) -> Diagnostic? {
    guard let reported, reported.run == run, !reported.missed.isEmpty else { return nil }
    let built = Set(order)
    let others = gated.filter { declaration in
      let stages = concerned(by: declaration)
      return !stages.isEmpty && built.isDisjoint(with: stages)
    }
    let missed = reported.missed.filter { line in !others.contains { line.hasPrefix("\($0.name): ") } }
    guard let first = missed.first else { return nil }
    return Diagnostic(
      .work, missed.count == 1 ? "a gate is missed: \(first)" : "\(missed.count) gates are missed",
      causes: missed.count == 1 ? [] : missed, hints: ["reports/index.html has the evaluation"])
  }
}

// What would be done, as lines for a person or JSON for a script.
// SPDX-License-Identifier: Apache-2.0
import BuildEngine
import ContentStore
import Diagnostics
import PipelineModel

/// Makes the plan of a project without changing it.
struct PlanReader {
  let loaded: LoadedProject

  func plan(_ graph: StageGraph, order: [Int], force: Bool) throws -> Plan {
    let project = loaded.project
    let inspector = Inspector(
      workspace: project.workspace(), work: .live(project), dialect: project.dialect, graph: graph)
    var planner = Planner(
      inspector: inspector, rebuilder: Rebuilder(force: force, rules: .of(project.dialect)), lock: loaded.lock,
      traces: project.traceStore(loaded), store: project.store)
    return try planner.plan(graph, order: order)
  }
}

enum PlanText {
  static func text(_ plan: Plan) -> String {
    guard !plan.steps.isEmpty else { return "no stages yet: add one to \(Project.manifestName)" }
    let rows = plan.steps.map { step -> [String] in
      let reasons = step.decision.reasons.map(\.description)
      let word = word(step)
      return [step.stage.name, reasons.isEmpty ? word : "\(word): \(reasons.joined(separator: "; "))"].map(\.shownName)
    }
    let waiting = plan.steps.count { $0.decision != .upToDate }
    let summary = waiting == 0 ? "everything is up to date" : "\(waiting) of \(plan.steps.count) stages are not up to date"
    return columns(rows) + summary
  }

  /// Every stage that is not up to date with all its reasons, and under a reason that is another stage, that stage's own.
  static func chains(_ plan: Plan, _ project: Project, _ graph: StageGraph) -> String {
    let steps = Dictionary(plan.steps.map { ($0.stage.name, $0) }, uniquingKeysWith: { first, _ in first })
    var told: Set<String> = []
    var lines: [String] = []
    func tell(_ step: Plan.Step, _ depth: Int) {
      let margin = String(repeating: "  ", count: depth)
      guard told.insert(step.stage.name).inserted else {
        lines.append("\(margin)\(project.display(step.stage)): as told above")
        return
      }
      lines.append("\(margin)\(project.display(step.stage)): \(word(step))")
      for reason in step.decision.reasons {
        lines.append("\(margin)  \(reason.description.shownName)")
        if let cause = cause(of: reason, step, graph).flatMap({ steps[$0] }), cause.decision != .upToDate {
          tell(cause, depth + 2)
        }
      }
    }
    // From the last stages backwards, so that a chain is told from its end to its beginning.
    for step in plan.steps.reversed() where step.decision != .upToDate && !told.contains(step.stage.name) { tell(step, 0) }
    return lines.isEmpty ? "everything is up to date" : lines.joined(separator: "\n")
  }

  /// The stage behind a reason.
  private static func cause(of reason: Reason, _ step: Plan.Step, _ graph: StageGraph) -> String? {
    switch reason {
    case .upstream(let stage): stage
    case .inputChanged(let path), .inputAdded(let path): WorkspacePath(path).flatMap { graph.producer(of: $0) }?.name
    default: nil
    }
  }

  private static func word(_ step: Plan.Step) -> String {
    if step.isFrozen { return "frozen" }
    return switch step.decision {
    case .upToDate: "up to date"
    case .restore: "will be restored"
    case .record: "will be recorded"
    case .run: "will run"
    }
  }

  static func json(_ plan: Plan) -> String {
    let stages = plan.steps.map { step -> ParameterValue in
      let state =
        switch step.decision {
        case .upToDate: step.isFrozen ? "frozen" : "up-to-date"
        case .restore: "restore"
        case .record: "record"
        case .run: "run"
        }
      let reasons = step.decision.reasons.map {
        ParameterValue.mapping([("code", .text($0.code)), ("text", .text($0.description))])
      }
      return .mapping([("name", .text(step.stage.name)), ("state", .text(state)), ("reasons", .list(reasons))])
    }
    return ParameterValue.mapping([("up_to_date", .bool(plan.isUpToDate)), ("stages", .list(stages))]).json
  }
}

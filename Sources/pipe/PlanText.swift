// What would be done, as lines for a person or JSON for a script.
// SPDX-License-Identifier: Apache-2.0
import BuildEngine
import ContentStore
import PipelineModel

/// Makes the plan of a project without changing it.
struct PlanReader {
  let project: Project

  func plan(_ graph: StageGraph, order: [Int], force: Bool) throws -> Plan {
    let inspector = Inspector(workspace: project.workspace(), work: .live(root: project.root))
    var planner = Planner(
      inspector: inspector, rebuilder: Rebuilder(force: force), lock: try project.lock(), traces: project.traces,
      store: project.store)
    return try planner.plan(graph, order: order)
  }
}

enum PlanText {
  static func text(_ plan: Plan) -> String {
    guard !plan.steps.isEmpty else { return "no stages yet: add one to \(Project.manifestName)" }
    let rows = plan.steps.map { step -> [String] in
      let reasons = step.decision.reasons.map(\.description)
      let word = word(step)
      return [step.stage.name, reasons.isEmpty ? word : "\(word): \(reasons.joined(separator: "; "))"]
    }
    let waiting = plan.steps.count { $0.decision != .upToDate }
    let summary = waiting == 0 ? "everything is up to date" : "\(waiting) of \(plan.steps.count) stages are not up to date"
    return columns(rows) + summary
  }

  private static func word(_ step: Plan.Step) -> String {
    if step.isFrozen { return "frozen" }
    return switch step.decision {
    case .upToDate: "up to date"
    case .restore: "will be restored"
    case .run: "will run"
    }
  }

  static func json(_ plan: Plan) -> String {
    let stages = plan.steps.map { step -> ParameterValue in
      let state =
        switch step.decision {
        case .upToDate: step.isFrozen ? "frozen" : "up-to-date"
        case .restore: "restore"
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

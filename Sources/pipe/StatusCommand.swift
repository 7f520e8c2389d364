// `pipe status`: what is out of date, and why.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import BuildEngine
import PipelineModel

struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Say which stages are out of date, and why. Runs and changes nothing.",
    discussion: """
      Examples:
        pipe status
        pipe status train --check    exits with 3 when train or what it needs is out of date
        pipe status --json
      """)

  @Argument(help: "Stages, or files that a stage makes. Default: all.", completion: .custom(completeStages))
  var targets: [String] = []
  @Flag(help: "Print JSON.")
  var json = false
  @Flag(help: "Exit with 3 when something is out of date.")
  var check = false

  func run() throws {
    let project = try Project.find()
    let pipeline = try project.pipeline()
    let graph = try StageGraph(pipeline.stages)
    let order = graph.closure(of: try graph.indices(of: targets, file: Project.manifestName))
    let plan = try PlanReader(project: project).plan(graph, order: order, force: false)
    Terminal.standard.out(json ? PlanText.json(plan) : PlanText.text(plan))
    if check, !plan.isUpToDate { throw ExitCode(3) }
  }
}

/// Names of the stages, for completion scripts; nothing when there is no readable project.
@Sendable func completeStages(_ words: [String], _ index: Int, _ prefix: String) -> [String] {
  guard let project = try? Project.find(), let pipeline = try? project.pipeline() else { return [] }
  return pipeline.stages.map(\.name)
}

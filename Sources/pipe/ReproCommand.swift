// `pipe repro`: bring the pipeline up to date.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import BuildEngine
import ContentStore
import Diagnostics
import Foundation
import PipelineModel

struct ReproCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "repro",
    abstract: "Bring stages up to date: run what changed, restore what is known.",
    discussion: """
      A stage runs when its command, code, parameters, environment or inputs differ from those of every
      result that is known; a known result is brought back from the store instead.

      Examples:
        pipe repro                 the whole pipeline
        pipe repro train -j 2      train and all it needs, two stages at a time
        pipe repro --dry           what would run, and why
      """)

  @Argument(help: "Stages, or files that a stage makes. Default: all.", completion: .custom(completeStages))
  var targets: [String] = []
  @Option(name: [.customShort("j", allowingJoined: true), .long], help: "Stages that may run at once.")
  var jobs = 1
  @Flag(name: .shortAndLong, help: "After a failure, go on with what does not need the failed stage.")
  var keepGoing = false
  @Flag(name: .long, help: "Print what would be done and why; change nothing.")
  var dry = false
  @Flag(name: .shortAndLong, help: "Run the stages even if nothing changed.")
  var force = false
  @Flag(name: [.customShort("s"), .long], help: "Only the named stages, not what they need.")
  var singleItem = false
  @Flag(name: .shortAndLong, help: "Print only problems.")
  var quiet = false
  @Flag(name: .long, help: "With --dry: exit with 3 when something is out of date.")
  var check = false
  @Flag(name: .long, help: "Wait for another `pipe` to let go of the workspace.")
  var wait = false
  @Flag(name: .long, help: "With --dry: print JSON.")
  var json = false
  @Flag(name: .long, inversion: .prefixedNo, help: "Write reports/index.html and reports/index.md after a run.")
  var report = true

  func validate() throws {
    if jobs < 1 { throw ValidationError("--jobs has to be 1 or more") }
    if singleItem, targets.isEmpty { throw ValidationError("--single-item needs the name of a stage") }
    if (check || json) && !dry { throw ValidationError("--check and --json go with --dry; `pipe status` has them too") }
  }

  func run() async throws {
    let project = try Project.find()
    let pipeline = try project.pipeline()
    let graph = try StageGraph(pipeline.stages)
    let wanted = try graph.indices(of: targets, file: Project.manifestName)
    let order = singleItem ? graph.order.filter(wanted.contains) : graph.closure(of: wanted)
    if dry { return try printPlan(project, graph, order) }

    try project.makeStateFolders()
    let lock = try project.takeLock(waits: wait)
    let session = try BuildSession(project: project, pipeline: pipeline, graph: graph, isQuiet: quiet)
    let outcome = try await session.build(
      order: order, options: BuildOptions(jobs: jobs, keepGoing: keepGoing, force: force), holding: lock, writesReport: report)
    try finish(outcome)
  }

  private func printPlan(_ project: Project, _ graph: StageGraph, _ order: [Int]) throws {
    let plan = try PlanReader(project: project).plan(graph, order: order, force: force)
    Terminal.standard.out(json ? PlanText.json(plan) : PlanText.text(plan))
    if check, !plan.isUpToDate { throw ExitCode(3) }
  }

  private func finish(_ outcome: BuildOutcome) throws {
    if outcome.isInterrupted { throw ExitCode(Interruption.shared.exitCode) }
    if let failure = outcome.storageFailure { throw failure }
    let failures = outcome.stages.compactMap { stage -> Diagnostic? in
      if case .failed(let diagnostic) = stage.result { diagnostic } else { nil }
    }
    if let worst = failures.max(by: { $0.exitCode < $1.exitCode }) { throw ExitCode(worst.exitCode) }
  }
}

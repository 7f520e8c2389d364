// `pipe status`: what is out of date, and why.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import BuildEngine
import ContentStore
import Diagnostics
import PipelineModel

struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Say which stages are out of date, and why. Runs and changes nothing.",
    discussion: """
      Examples:
        pipe status
        pipe status train --check    exits with 3 when train or what it needs is out of date
        pipe status --json           every changed item, in DVC's shape
      """)

  @Argument(help: "Stages, pointer files, or files that a stage makes. Default: all.", completion: .custom(completeStages))
  var targets: [String] = []
  @Flag(help: "Print JSON in DVC's shape.")
  var json = false
  @Flag(help: "Exit with 3 when something is out of date.")
  var check = false
  @Flag(name: .shortAndLong, help: "Print nothing; exit with 1 when something changed.")
  var quiet = false
  @Flag(name: [.customShort("d"), .long], help: "Also the stages that the named ones need.")
  var withDeps = false
  @Flag(name: [.customShort("R"), .long], help: "A folder stands for all stages declared below it.")
  var recursive = false

  func run() throws {
    let project = try Project.find()
    let loaded = try project.load()
    let graph = try loaded.graph()
    var selection = TargetSelection(project, graph)
    selection.isRecursive = recursive
    let wanted = targets.isEmpty ? graph.order : try selection.indices(of: targets)
    if json || quiet {
      let rows = try statuses(loaded, graph, withDeps ? graph.closure(of: wanted) : graph.order.filter(Set(wanted).contains))
      if json, !quiet { Terminal.standard.out(StatusText.json(rows, project)) }
      if quiet, !rows.isEmpty { throw ExitCode(1) }
      if check, !rows.isEmpty { throw ExitCode(3) }
      return
    }
    let plan = try PlanReader(loaded: loaded).plan(graph, order: graph.closure(of: wanted), force: false)
    Terminal.standard.out(PlanText.text(plan))
    if check, !plan.isUpToDate { throw ExitCode(3) }
  }

  /// The stages that differ from their lock entries, each by itself.
  private func statuses(_ loaded: LoadedProject, _ graph: StageGraph, _ order: [Int]) throws -> [(Stage, StageStatus)] {
    let project = loaded.project
    let inspector = Inspector(workspace: project.workspace(), work: .live(project), dialect: project.dialect, graph: graph)
    let store = project.store
    // In the order of the files, as DVC has it.
    return try order.sorted().compactMap { index in
      let stage = graph.stages[index]
      let status = try inspector.status(
        of: stage, locked: loaded.lock.entries[stage.name], rules: .of(project.dialect),
        isKept: { (try? store.containsAll(of: $0.digest)) ?? false })
      return status.isClean ? nil : (stage, status)
    }
  }
}

enum StatusText {
  /// `{"train": [{"changed deps": {"in.txt": "modified"}}, "changed command"]}`.
  static func json(_ rows: [(Stage, StageStatus)], _ project: Project) -> String {
    ParameterValue.mapping(rows.map { (project.display($0), value($1, project)) }).json
  }

  private static func value(_ status: StageStatus, _ project: Project) -> ParameterValue {
    var parts: [ParameterValue] = []
    if !status.dependencies.isEmpty {
      parts.append(.mapping([("changed deps", .mapping(status.dependencies.map { item($0, project) }))]))
    }
    if !status.outputs.isEmpty {
      parts.append(.mapping([("changed outs", .mapping(status.outputs.map { item($0, project) }))]))
    }
    if status.alwaysChanged { parts.append(.text("always changed")) }
    if status.commandChanged { parts.append(.text("changed command")) }
    return .list(parts)
  }

  private static func item(_ item: StageStatus.Item, _ project: Project) -> (String, ParameterValue) {
    func display(_ path: String) -> String { WorkspacePath(path).map { project.display($0) } ?? path }
    switch item {
    case .file(let path, let change): return (display(path), .text(change.rawValue))
    case .parameters(let path, let keys): return (display(path), .mapping(keys.map { ($0.key, .text($0.change.rawValue)) }))
    }
  }
}

/// Names of the stages, for completion scripts; nothing when there is no readable project.
@Sendable func completeStages(_ words: [String], _ index: Int, _ prefix: String) -> [String] {
  guard let project = try? Project.find(), let pipeline = try? project.pipeline() else { return [] }
  return pipeline.stages.map { project.display($0) }
}

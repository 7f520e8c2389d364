// `pipe status`: what is out of date, and why.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import BuildEngine
import ContentStore
import Diagnostics
import PipelineModel
import SourceControl

struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Say which stages are out of date, and why. Runs and changes nothing.",
    discussion: """
      Examples:
        pipe status
        pipe status train --check    exits with 3 when train or what it needs is out of date
        pipe status --json           every changed item, in DVC's shape
        pipe status --cloud          what the store and the remote have of each other
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
  @Flag(name: .shortAndLong, help: "Compare the store with the remote.")
  var cloud = false
  @Option(name: .shortAndLong, help: "The remote to compare with; as --cloud.")
  var remote: String?
  @Flag(name: [.customShort("a"), .long], help: "With --cloud: also what all branches name.")
  var allBranches = false
  @Flag(name: [.customShort("T"), .long], help: "With --cloud: also what all tags name.")
  var allTags = false
  @Flag(name: [.customShort("A"), .long], help: "With --cloud: also what all commits name.")
  var allCommits = false
  @Option(
    name: [.customShort("j", allowingJoined: true), .long], help: "With --cloud: looks at once; the best number is chosen anyway."
  )
  var jobs: Int?
  @Flag(name: .long, help: "Do not ask whether imported data changed where it came from, which `pipe` never does.")
  var noUpdates = false

  private var isCloud: Bool { cloud || remote != nil }

  func validate() throws {
    if !isCloud, allBranches || allTags || allCommits || jobs != nil {
      throw ValidationError("--all-branches, --all-tags, --all-commits and --jobs go with --cloud")
    }
  }

  func run() throws {
    let project = try Project.find()
    if isCloud { return try compareWithRemote(project) }
    let loaded = try project.load()
    let graph = try loaded.graph()
    defer { keepToTheEnd(loaded, graph) }
    var selection = TargetSelection(project, graph)
    selection.isRecursive = recursive
    let wanted = targets.isEmpty ? graph.order : try selection.indices(of: targets)
    if json || quiet {
      let order = withDeps ? graph.closure(of: wanted) : graph.order.filter(Set(wanted).contains)
      let rows = try statuses(loaded, graph, order)
      let text = StatusText.json(rows, project)
      if json, !quiet { Terminal.standard.out(text) }
      if quiet, !rows.isEmpty { throw ExitCode(1) }
      if check, !rows.isEmpty { throw ExitCode(3) }
      if rows.isEmpty { SealedAnswer(project).keep(loaded, graph, order, asksForAll: true, output: quiet ? "" : text) }
      return
    }
    let order = graph.closure(of: wanted)
    let answer = SealedAnswer(project)
    let sights = Background { answer.sights(loaded, graph, order, until: Announcement()) }
    let plan = try PlanReader(loaded: loaded).plan(graph, order: order, force: false)
    defer { keepToTheEnd(plan) }
    let text = PlanText.text(plan)
    Terminal.standard.out(text)
    if check, !plan.isUpToDate { throw ExitCode(3) }
    if plan.isUpToDate, let sights = sights.wait() { answer.keep(loaded, sights, output: text) }
  }

  private func compareWithRemote(_ project: Project) throws {
    let status = try CloudStatus(
      project,
      ShipmentScope(
        targets: targets, remote: remote,
        revisions: RevisionChoice(allBranches: allBranches, allTags: allTags, allCommits: allCommits),
        withDependencies: withDeps, isRecursive: recursive))
    if !quiet { Terminal.standard.out(json ? status.json : status.text) }
    if quiet, !status.rows.isEmpty { throw ExitCode(1) }
    if check, !status.rows.isEmpty { throw ExitCode(3) }
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

// `pipe repro`: bring the pipeline up to date.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import BuildEngine
import ContentStore
import Diagnostics
import Foundation
import Glibc
import PipelineModel
import SourceControl

struct ReproCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "repro",
    abstract: "Bring stages up to date: run what changed, restore what is known.",
    discussion: """
      A stage runs when its command, code, parameters, environment or inputs differ from those of every
      result that is known; a known result is brought back from the store instead.
      Exit status 1: a stage failed, or a gate of `evaluations:` is missed; the report is written all the same.

      Examples:
        pipe repro                 the stages of the nearest manifest and all they need
        pipe repro train -j 2      train and all it needs, two stages at a time
        pipe repro --dry           what would run, and why
        pipe repro --explain       the whole chain of reasons, then the work
      """)

  @OptionGroup var selection: ReproSelection
  @Option(name: [.customShort("j", allowingJoined: true), .long], help: "Stages that may run at once.")
  var jobs = 1
  @Option(name: .customLong("resource"), help: "How much of a resource there is for stages that run at once, as NAME=N.")
  var resources: [String] = []
  @Flag(name: .shortAndLong, help: "After a failure, go on with what does not need the failed stage.")
  var keepGoing = false
  @Flag(name: .long, help: "After a failure, go on with everything, and exit with 0.")
  var ignoreErrors = false
  @Flag(name: .long, help: "Print what would be done and why; change nothing.")
  var dry = false
  @Flag(name: .long, help: "Print every reason with the chain of causes that led to it.")
  var explain = false
  @Flag(name: .shortAndLong, help: "Run the stages even if nothing changed.")
  var force = false
  @Flag(name: .long, help: "Once a stage has run, run those that read its outputs.")
  var forceDownstream = false
  @Flag(name: .shortAndLong, help: "Ask before each stage that would run.")
  var interactive = false
  @Flag(name: .long, help: "Fetch what is missing from the remote.")
  var pull = false
  @Flag(name: .long, help: "Absent data counts as what was recorded of it.")
  var allowMissing = false
  @Flag(name: .long, help: "Do not keep outputs in the store; `pipe commit` does so later.")
  var noCommit = false
  @Flag(name: .long, help: "Do not look for results of earlier runs.")
  var noRunCache = false
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
    if (check || json) && !dry { throw ValidationError("--check and --json go with --dry; `pipe status` has them too") }
    if keepGoing, ignoreErrors { throw ValidationError("--keep-going and --ignore-errors exclude each other") }
    _ = try limits()
  }

  func run() async throws {
    let project = try Project.find()
    // In a folder that is not marked yet, mistakes are told before anything is made.
    if dry || FileStat(project.markerFolder) == nil {
      let loaded = try project.load()
      let graph = try loaded.graph()
      let order = try selection.order(project, graph)
      if dry {
        for warning in loaded.warnings.diagnostics { Terminal.standard.say(warning) }
        return try printPlan(loaded, graph, order)
      }
    }
    let (outcome, missed) = try await build(project, seals: true)
    try finish(outcome)
    if let missed, !ignoreErrors { throw missed }
  }

  /// One build, from taking the project to its report. The workspace is held no longer.
  ///
  /// - Parameter seals: whether the answer is kept for who asks the same again.
  /// - Returns: what was done, and what to say of gates of `evaluations:` that are missed.
  func build(_ project: Project, seals: Bool) async throws -> (outcome: BuildOutcome, missed: Diagnostic?) {
    try project.makeStateFolders()
    let lock = try project.takeLock(waits: wait)
    let answer = seals && isSealable ? SealedAnswer(project) : nil
    let processes = ProcessExecutor()
    processes.prepare(min(jobs, ProcessInfo.processInfo.activeProcessorCount))
    let git = answer?.awaitsWork == true ? Background { GitSnapshot.taken(of: project, project.workspace()) } : nil
    // Read once nobody else can write it.
    let loaded = try project.load()
    for warning in loaded.warnings.diagnostics { Terminal.standard.say(warning) }
    let graph = try loaded.graph()
    let order = try selection.order(project, graph)
    if explain { Terminal.standard.note(PlanText.chains(try plan(loaded, graph, order), project, graph)) }

    let work = Announcement()
    // Beside the build, which has one thread to decide.
    let sights = answer.map { answer in Background { answer.sights(loaded, graph, order, until: work) } }
    let session = try BuildSession(loaded, graph: graph, processes: processes, git: git, isQuiet: quiet)
    let (outcome, missed) = try await session.build(
      order: order, options: try options(), pulls: pull, holding: lock, announcing: work,
      writesReport: report && project.dialect.isNative)
    if let answer, !outcome.didWork, Self.code(of: outcome) == 0, missed == nil, let sights = sights?.wait() {
      answer.keep(loaded, sights, note: quiet ? "" : BuildListener.summaryText(outcome))
    }
    if seals { keepToTheEnd(loaded, graph, session, outcome) }
    return (outcome, missed)
  }

  /// Whether the answer follows from the project's files alone, and nothing else was printed.
  private var isSealable: Bool { !pull && !allowMissing && !explain && !force && !noCommit && !interactive }

  private func options() throws -> BuildOptions {
    var options = BuildOptions(jobs: jobs, keepGoing: keepGoing, force: force)
    if ignoreErrors { options.onFailure = .ignore }
    options.forceDownstream = forceDownstream
    options.allowMissing = allowMissing
    options.pulls = pull
    options.commits = !noCommit
    options.usesTraces = !noRunCache && !force
    options.resources = try limits()
    if interactive { options.confirm = Self.ask }
    return options
  }

  private func limits() throws -> [String: Int] {
    var limits: [String: Int] = [:]
    for text in resources {
      let parts = text.split(separator: "=", maxSplits: 1)
      guard parts.count == 2, let amount = Int(parts[1]), amount > 0 else {
        throw ValidationError("--resource takes NAME=N with N from 1, not `\(text)`")
      }
      limits[String(parts[0])] = amount
    }
    return limits
  }

  /// Without a terminal the answer is no.
  @Sendable private static func ask(_ stage: Stage) -> Bool {
    guard isatty(STDIN_FILENO) == 1 else { return false }
    Terminal.standard.write("run `\(stage.name)`? [y/n] ", to: STDERR_FILENO)
    return ["y", "yes"].contains((readLine() ?? "").lowercased())
  }

  private func plan(_ loaded: LoadedProject, _ graph: StageGraph, _ order: [Int]) throws -> Plan {
    try PlanReader(loaded: loaded).plan(graph, order: order, force: force)
  }

  private func printPlan(_ loaded: LoadedProject, _ graph: StageGraph, _ order: [Int]) throws {
    let plan = try plan(loaded, graph, order)
    defer { keepToTheEnd(loaded, graph, plan) }
    if json {
      Terminal.standard.out(PlanText.json(plan))
    } else {
      Terminal.standard.out(explain ? PlanText.chains(plan, loaded.project, graph) : PlanText.text(plan))
    }
    if check, !plan.isUpToDate { throw ExitCode(3) }
  }

  private func finish(_ outcome: BuildOutcome) throws {
    if let failure = outcome.storageFailure, !outcome.isInterrupted { throw failure }
    let code = Self.code(of: outcome)
    if code != 0, outcome.isInterrupted || !ignoreErrors { throw ExitCode(code) }
  }

  /// The exit code of a build that came to its end or was interrupted.
  static func code(of outcome: BuildOutcome) -> Int32 {
    if outcome.isInterrupted { return Interruption.shared.exitCode }
    if let failure = outcome.storageFailure { return failure.diagnostic.exitCode }
    return outcome.stages.compactMap { stage -> Int32? in
      if case .failed(let diagnostic) = stage.result { diagnostic.exitCode } else { nil }
    }.max() ?? 0
  }
}

/// Which stages a `repro` is about.
struct ReproSelection: ParsableArguments {
  @Argument(
    help: "Stages, manifests, groups, pointer files, or files that a stage makes. Default: the nearest manifest.",
    completion: .custom(completeStages))
  var targets: [String] = []
  @Flag(name: [.customShort("s"), .long], help: "Only the named stages, not what they need.")
  var singleItem = false
  @Flag(name: .shortAndLong, help: "All stages that are linked to the named ones.")
  var pipeline = false
  @Flag(name: [.customShort("P"), .long], help: "All stages of the project.")
  var allPipelines = false
  @Flag(name: [.customShort("R"), .long], help: "A folder stands for all stages declared below it.")
  var recursive = false
  @Flag(name: .long, help: "The named stages and all that need them.")
  var downstream = false
  @Flag(name: .long, help: "Names may hold `*`, `?` and `[a-z]`.")
  var glob = false

  func validate() throws {
    if singleItem, targets.isEmpty { throw ValidationError("--single-item needs the name of a stage") }
  }

  /// Indices in the order to look at them.
  func order(_ project: Project, _ graph: StageGraph) throws -> [Int] {
    if allPipelines { return graph.order }
    var selection = TargetSelection(project, graph)
    selection.usesPatterns = glob
    selection.isRecursive = recursive
    guard !targets.isEmpty || selection.nearestManifest != nil else {
      let name = project.dialect.manifestName
      throw Diagnostic(
        .input, "there is no `\(name)` here or in a folder above",
        hints: ["`pipe stage add` writes one; -P means all stages of the project"])
    }
    let wanted = targets.isEmpty ? selection.nearest() : try selection.indices(of: targets)
    if pipeline { return graph.component(of: wanted) }
    if singleItem {
      let chosen = Set(wanted)
      return graph.order.filter(chosen.contains)
    }
    return downstream ? graph.descendants(of: wanted) : graph.closure(of: wanted)
  }
}

// One build from lock to report: what `repro` composes, in the order that a crash cannot break.
// SPDX-License-Identifier: Apache-2.0
import BuildEngine
import ContentStore
import Diagnostics
import Foundation
import PipelineModel
import SourceControl
import Synchronization
import Tracking

/// Write order: objects → traces → run record → lock file → registry → report. Who reads the ledger brings it up to date.
struct BuildSession {
  let loaded: LoadedProject
  let graph: StageGraph
  private var project: Project { loaded.project }
  private var pipeline: Pipeline { loaded.pipeline }
  private let listener: BuildListener
  private let workspace: Workspace
  private let recorder: RunRecorder
  private let processes: ProcessExecutor

  /// - Parameters:
  ///   - processes: runs the commands; prepared before much was read.
  ///   - git: what Git says of the project, where it was asked already.
  init(
    _ loaded: LoadedProject, graph: StageGraph, processes: ProcessExecutor, git: Background<GitSnapshot?>? = nil, isQuiet: Bool
  ) throws {
    let project = loaded.project
    self.loaded = loaded
    self.graph = graph
    self.listener = BuildListener(isQuiet: isQuiet)
    self.processes = processes
    self.workspace = project.workspace()
    self.recorder = RunRecorder(project: project, workspace: workspace, git: git)
  }

  /// - Parameter work: made before the workspace is changed for the first time.
  /// - Returns: what was done, and what to say of gates of `evaluations:` that are missed, once all is written.
  func build(
    order: [Int], options: BuildOptions, pulls: Bool = false, holding lock: borrowing ProjectLock,
    announcing work: Announcement = Announcement(),
    writesReport: Bool
  ) async throws -> (outcome: BuildOutcome, missed: Diagnostic?) {
    Interruption.shared.watch(processes)
    let executor: any Executor = lock.dvc.map { SharingExecutor(processes, $0, project, pipeline) } ?? processes
    try Build.recover(scratch: project.scratchFolder, workspace: workspace)
    let place = BuildPlace(
      workspace: workspace, store: project.store, records: project.records,
      source: pulls ? try source(usesRunCache: options.usesTraces) : nil, dialect: project.dialect,
      scratch: "\(project.scratchFolder)/\(recorder.runID)",
      program: try Self.program(), environment: ProcessInfo.processInfo.environment, secrets: pipeline.secrets)
    // Announced only when something happens: a no-op writes nothing. A build asks for the commit before its first change.
    var facts = recorder.facts
    let commit = facts.commit
    facts.commit = { [project] in
      work.make()
      project.announceHolder()
      return commit()
    }
    var options = options
    options.objection = objection()
    let build = Build(
      graph: graph, order: order, options: options, place: place,
      inspector: Inspector(workspace: workspace, work: .live(project), dialect: project.dialect, graph: graph),
      traces: project.traceStore(loaded),
      executor: executor, facts: facts, isInterrupted: { Interruption.shared.isRaised },
      emit: { [recorder, listener] event in
        recorder.note(event)
        listener.handle(event)
      })
    let outcome = await build.run(lock: loaded.lock)
    // What they and the stages took counts as this program's from then on.
    processes.endSupervisors()
    return (outcome, try record(outcome, order, writesReport: writesReport))
  }

  /// DVC's rule: what Git has is no cached output. The index is read once, when the first stage has something to do.
  private func objection() -> (@Sendable (Stage) -> Diagnostic?)? {
    guard !project.dialect.isNative, project.settings.usesGit else { return nil }
    let results = AgreedResults(project: project, loaded: loaded)
    let tracked = Mutex<Set<WorkspacePath>?>(nil)
    return { [pipeline] stage in
      let all = tracked.withLock { known in
        let found = known ?? ((try? results.tracked(pipeline.stages.flatMap { $0.outputs.filter(\.isCached).map(\.path) })) ?? [])
        known = found
        return found
      }
      guard let output = stage.outputs.first(where: { all.contains($0.path) }) else { return nil }
      return Diagnostic(
        .input, "Git tracks `\(output.path)`, an output of stage `\(stage.name)`, or files in it", at: output.location,
        hints: ["`git rm -r --cached \(output.path)` makes Git forget it; `cache: false` leaves it to Git"])
    }
  }

  /// The store with the remotes behind it; results of earlier runs come at once, since they decide what has to run.
  private func source(usesRunCache: Bool) throws -> FetchingStore {
    let remotes = try project.remotes(of: pipeline.stages)
    if remotes.isEmpty {
      Terminal.standard.say(
        Diagnostic(
          .warning, "there is no remote to fetch from", hints: ["`pipe remote add --default NAME FOLDER` sets one"]))
    }
    if usesRunCache {
      for remote in remotes.prefix(1) {
        if project.dialect.isNative {
          try Exchange.copyTraces(Set(try remote.traces.list()), from: remote.traces, to: project.traces)
        } else {
          _ = try Exchange.copyRunCache(from: remote.runCacheFolder, to: "\(project.cacheFolder)/runs")
        }
      }
    }
    return FetchingStore(local: project.store, remotes: remotes.map(\.store))
  }

  private func record(_ outcome: BuildOutcome, _ order: [Int], writesReport: Bool) throws -> Diagnostic? {
    var written: RunRecorder.Written?
    if outcome.didWork {
      let record = Background { [recorder] in Result { try recorder.write(outcome) } }
      defer { _ = record.wait() }
      workspace.pruneStatCache()
      // What was learned of files may be lost, what was agreed may not: a failure is told when that is written.
      let saved = Result { try workspace.saveStatCache() }
      // A lock file names only what a run record tells of.
      try agree(on: outcome) { written = try record.wait().get() }
      try saved.get()
      try? AtomicFile.removeAll("\(project.scratchFolder)/\(recorder.runID)")
    } else {
      try workspace.saveStatCache()
    }
    listener.summary(outcome)
    try enter(outcome)
    return writesReport ? try report(written, order) : nil
  }

  /// Lock files and pointer files learn the results; Git is kept away from what the store has.
  ///
  /// - Parameter ready: called before the first of them is written.
  private func agree(on outcome: BuildOutcome, once ready: () throws -> Void) throws {
    let results = AgreedResults(project: project, loaded: loaded)
    var written: [WorkspacePath] = []
    // First, since an agreed result has nothing left to do: after a kill in between nobody would come back for the lines.
    if !project.dialect.isNative {
      let made = outcome.stages.filter { $0.isGood && $0.madeResult }.flatMap(\.stage.outputs).filter(\.isCached).map(\.path)
      written += try results.ignore(made)
    }
    written += try results.write(outcome.lock, once: ready)
    try results.stage(written)
    let made = outcome.stages.filter { $0.isGood && $0.madeResult }
    try PlacedData.record(made.flatMap(placed), in: project)
  }

  private func placed(_ outcome: StageOutcome) -> [(WorkspacePath, Digest)] {
    outcome.stage.outputs.filter(\.isCached).compactMap { output in
      outcome.known?.outputs.first { $0.path == output.path.text }.map { (output.path, $0.digest) }
    }
  }

  /// New versions go to the registry also when their stage was restored, or a build was killed before it got here.
  private func enter(_ outcome: BuildOutcome) throws {
    guard !pipeline.models.isEmpty, !outcome.isInterrupted else { return }
    let isGood = outcome.stages.allSatisfy(\.isGood)
    guard isGood else { return }
    for version in try Registration(project: project, pipeline: pipeline).apply(outcome.lock, run: recorder.runID) {
      Terminal.standard.note("registered \(version.reference)")
    }
  }

  /// - Parameters:
  ///   - written: the run's own record, which needs not be read again; `nil` when nothing was done.
  ///   - order: the stages of this build.
  /// - Returns: that gates are missed, also where the report of a run with nothing to do was written before.
  private func report(_ written: RunRecorder.Written?, _ order: [Int]) throws -> Diagnostic? {
    let log = RunLog(folder: project.runsFolder)
    guard let newest = try log.ids().last else { return nil }
    let writer = ReportWriter(project: project, pipeline: pipeline, graph: graph)
    if writer.isOwed(newest), let run = written?.record.id == newest ? written?.record : try log.record(newest) {
      Terminal.standard.note("report: \(try writer.write(run, known: written?.earlier))")
    }
    return writer.missedGates(newest, among: order)
  }

  /// Absolute path of this program, by which stages call it again.
  static func program() throws -> String {
    guard let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") else {
      throw Diagnostic(.bug, "this program does not know its own path", hints: ["/proc has to be mounted"])
    }
    return path
  }
}

extension Project {
  /// Where results of earlier runs are looked for and kept.
  func traceStore(_ loaded: LoadedProject) -> any TraceStore {
    dialect.isNative ? traces : RunCache(root: "\(cacheFolder)/runs", facts: traces, stages: loaded.pipeline.stages)
  }
}

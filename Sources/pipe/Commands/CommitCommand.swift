// `pipe commit`: what is in the workspace becomes the agreed result.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import BuildEngine
import ContentStore
import Diagnostics
import Glibc
import PipelineModel
import Tracking

struct CommitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "commit",
    abstract: "Take the workspace as it is: keep outputs in the store and record them, without running a stage.",
    discussion: """
      It asks before a record changes; without a terminal to ask at, --force is needed.

      Examples:
        pipe repro --no-commit && pipe commit
        pipe commit --force train
      """)

  @Argument(help: "Stages, pointer files, or tracked paths and parts of them. Default: all.", completion: .custom(completeStages))
  var targets: [String] = []
  @Flag(name: .shortAndLong, help: "Record what changed without asking.") var force = false
  @Flag(name: [.customShort("d"), .long], help: "Also the stages that the named ones need.") var withDeps = false
  @Flag(name: [.customShort("R"), .long], help: "A folder stands for all that is declared below it.") var recursive = false
  @Flag(help: "Leave the files as they are, be they links or not.") var noRelink = false
  @Flag(name: .shortAndLong, help: "Print only problems.") var quiet = false

  func run() throws {
    let project = try Project.find()
    try project.holdingWorkspace { loaded, workspace in
      let graph = try loaded.graph()
      var commit = DataCommit(loaded, graph, workspace)
      commit.force = force
      commit.relinks = !noRelink
      do {
        for (stage, part) in try stages(project, graph) { try commit.take(stage, part: part) }
      } catch {
        // What was taken before stays taken.
        try commit.write()
        throw error
      }
      let count = try commit.write()
      if !quiet { Terminal.standard.note(count == 0 ? "nothing changed" : "recorded \(count) stages") }
    }
  }

  private func stages(_ project: Project, _ graph: StageGraph) throws -> [(Stage, part: WorkspacePath?)] {
    if targets.isEmpty { return graph.stages.map { ($0, nil) } }
    var selection = TargetSelection(project, graph)
    selection.isRecursive = recursive
    var found: [(Stage, part: WorkspacePath?)] = []
    for target in targets {
      if let path = project.path(target), let index = graph.producerIndex(of: path), !selection.isName(target),
        !(recursive && FileStat(target)?.kind == .directory)
      {
        found.append((graph.stages[index], path))
        continue
      }
      let indices = try selection.indices(of: [target])
      found += (withDeps ? graph.closure(of: indices) : indices).map { (graph.stages[$0], nil) }
    }
    return found
  }
}

extension TargetSelection {
  /// Whether a stage of the manifest in this folder has this name.
  func isName(_ target: String) -> Bool {
    let manifest = WorkspacePath(project.dialect.manifestName, in: project.current)
    return graph.stages.contains { $0.manifest == manifest && $0.work != .data && ($0.localName == target || $0.group == target) }
  }
}

/// Write order: objects → run cache → lock files and pointer files → ignore files.
struct DataCommit {
  private let loaded: LoadedProject
  private let workspace: Workspace
  private let inspector: Inspector
  private let recorder: RunRecorder
  private var project: Project { loaded.project }
  private var results: AgreedResults { AgreedResults(project: project, loaded: loaded) }
  var force = false
  var relinks = true
  private var lock: LockFile
  private var saved: [(stage: Stage, entry: LockEntry)] = []
  private var placed: [(WorkspacePath, Digest)] = []

  init(_ loaded: LoadedProject, _ graph: StageGraph, _ workspace: Workspace) {
    self.loaded = loaded
    self.workspace = workspace
    lock = loaded.lock
    recorder = RunRecorder(project: loaded.project, workspace: workspace)
    inspector = Inspector(
      workspace: workspace, work: .live(loaded.project), dialect: loaded.project.dialect, graph: graph)
  }

  /// - Parameter part: only the output at this path, or this part of it, goes to the store.
  mutating func take(_ stage: Stage, part: WorkspacePath?) throws {
    let saves = try mayRecord(stage)
    for output in stage.outputs where !workspace.exists(output.path) {
      throw Diagnostic(
        .input, "`\(project.display(output.path))` of `\(project.display(stage))` is not there", at: output.location)
    }
    if saves, let path = try results.firstTracked(stage.outputs.filter(isIgnored).map(\.path)) {
      throw Diagnostic(
        .input, "Git tracks `\(project.display(path))`, or files in it", at: stage.location,
        hints: ["`git rm -r --cached \(project.display(path))` makes Git forget it"])
    }
    // Before anything is kept: a dependency that is missing is found here.
    let recipe = saves ? try inspector.recipe(of: stage) : nil
    var found: [Trace.Result] = []
    for output in stage.outputs { found.append(Trace.Result(output, try keep(output, of: stage, saves: saves, part: part))) }
    guard let recipe else { return }
    let entry = LockEntry(recipe: recipe, outputs: found.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) })
    lock.entries[stage.name] = entry
    saved.append((stage, entry))
  }

  /// - Returns: number of records that are new.
  @discardableResult
  mutating func write() throws -> Int {
    if !saved.isEmpty || !placed.isEmpty { try project.store.flush() }
    var recorded = loaded
    recorded.pipeline.stages = recorded.pipeline.stages.map(\.asKept)
    let traces = project.traceStore(recorded)
    for (stage, entry) in saved where stage.work != .data {
      try traces.insert(Trace(stage: stage.name, recipe: entry.recipe, outputs: entry.outputs, facts: facts()))
    }
    let changed = saved.count { $0.entry != loaded.lock.entries[$0.stage.name] }
    // In this order: an agreed result owes nothing more, so nobody would come back for the lines after a kill.
    _ = try results.ignore(saved.flatMap { $0.stage.outputs }.filter(isIgnored).map(\.path))
    _ = try results.write(lock)
    try PlacedData.record(placed, in: project)
    saved = []
    placed = []
    return changed
  }

  /// Whether Git is kept away from it: in a native project its owner decides that for what stages make.
  private func isIgnored(_ output: Output) -> Bool {
    output.isCached
      && (!project.dialect.isNative || loaded.pointers.values.contains { $0.file.outputs.contains { $0.place == output.path } })
  }

  private func facts() -> Trace.Facts {
    let facts = recorder.facts
    let (commit, isDirty) = facts.commit()
    return Trace.Facts(
      run: facts.run, finishedAt: facts.now(), durationSeconds: 0, peakMemoryBytes: 0, host: facts.host, commit: commit,
      isDirty: isDirty, log: nil, woven: nil)
  }

  // MARK: May it?

  private func mayRecord(_ stage: Stage) throws -> Bool {
    if force { return true }
    var stage = stage
    // A frozen stage's dependencies count here.
    stage.isFrozen = false
    let status = try inspector.status(
      of: stage, locked: lock.entries[stage.name], rules: .of(project.dialect), isKept: { _ in true })
    let what = (status.dependencies + status.outputs).map(Self.name) + (status.commandChanged ? ["its command"] : [])
    if what.isEmpty { return false }
    let list = what.prefix(5).map { "`\($0)`" }.joined(separator: ", ") + (what.count > 5 ? " and \(what.count - 5) more" : "")
    guard isatty(STDIN_FILENO) == 1 else {
      throw Diagnostic(
        .input, "`\(project.display(stage))` changed: \(list)", hints: ["--force records it as it is now"])
    }
    Terminal.standard.write("`\(project.display(stage))` changed: \(list). Record it? [y/n] ", to: STDERR_FILENO)
    guard ["y", "yes"].contains((readLine() ?? "").lowercased()) else {
      throw Diagnostic(.input, "`\(project.display(stage))` was left as it is")
    }
    return true
  }

  private static func name(_ item: StageStatus.Item) -> String {
    switch item {
    case .file(let path, _): path
    case .parameters(let file, _): file
    }
  }

  // MARK: Keeping

  private mutating func keep(_ output: Output, of stage: Stage, saves: Bool, part: WorkspacePath?) throws -> Content {
    let kinds: [LinkKind]? = relinks ? nil : [.copy]
    let agreed = lock.entries[stage.name]?.outputs.first { $0.path == output.path.text }?.digest
    let isNamed = part.map { $0.isWithin(output.path) } ?? true
    let isKept = isNamed && (project.dialect.isNative ? output.isStored : output.isCached || (saves && stage.asKept.hasRunCache))
    if let agreed, agreed.algorithm != project.dialect.algorithm {
      // Data that did not change since DVC 2 recorded it stays as that did.
      let content = try workspace.content(of: output.path, agreed.algorithm)
      if content.digest == agreed {
        if isKept { try workspace.take(output.path, content, into: project.store, links: kinds) }
        return content
      }
    }
    guard isKept else { return try workspace.content(of: output.path) }
    if let part, part != output.path { return try keep(part, of: output, kinds) }
    let content = try workspace.keep(output.path, into: project.store, links: output.isCached ? kinds : [.copy])
    if relinks, output.isCached {
      let isExecutable = saves ? content.isExecutable : lock.entries[stage.name]?.isExecutable(output.path) ?? false
      try workspace.settle(output.path, isExecutable: isExecutable, project)
      if let digest = content.digest { placed.append((output.path, digest)) }
    }
    return content
  }

  /// The list of the folder, and of its files those of the part.
  private func keep(_ part: WorkspacePath, of output: Output, _ kinds: [LinkKind]?) throws -> Content {
    let content = try workspace.content(of: output.path)
    guard case .directory(let tree, let digest) = content else { return content }
    let files = tree.entries.compactMap { WorkspacePath($0.path, in: output.path) }.filter { $0.isWithin(part) }
    _ = try workspace.keep(files, into: project.store, links: kinds)
    try project.store.insert(tree.encoded(digest.algorithm), as: digest)
    return content
  }
}

extension Stage {
  /// As DVC's `commit` looks at it: it keeps a result in the run cache also when the stage is frozen or Git keeps its outputs.
  fileprivate var asKept: Stage {
    guard work != .data else { return self }
    var stage = self
    stage.isFrozen = false
    for index in stage.outputs.indices { stage.outputs[index].isCached = true }
    return stage
  }
}

extension LockEntry {
  fileprivate func isExecutable(_ path: WorkspacePath) -> Bool { outputs.first { $0.path == path.text }?.isExecutable ?? false }
}

// Runs a commit's stages again, each in a folder that holds what it declares and nothing else, and compares.
// SPDX-License-Identifier: Apache-2.0
package import BuildEngine
package import ContentStore
package import Diagnostics
package import PipelineModel

/// What became of one output.
package struct OutputVerdict: Sendable, Equatable {
  package enum Verdict: Sendable, Equatable {
    case identical
    /// Other bytes; where they first differ, in words.
    case different(String)
    /// The stage failed, so there is nothing to compare.
    case failed(String)
    /// A stage before it failed.
    case notRun(after: String)
    /// The lock file has no result to compare with.
    case notLocked
    /// The stage is frozen: nothing was run, so nothing is said of it.
    case frozen
  }

  package var stage: String
  package var path: String
  package var verdict: Verdict

  /// Whether nothing speaks against the output.
  package var isGood: Bool { verdict == .identical || verdict == .frozen }
}

/// A commit laid out in a folder, and a place to run in.
package struct Verification: Sendable {
  private let graph: StageGraph
  private let lock: LockFile
  /// The commit's files.
  private let source: String
  /// Files that the commit's stages read and Git does not keep; taken from here if their digest is the locked one.
  private let workspace: Workspace
  private let scratch: String
  private let store: DirectoryObjectStore
  private let program: String
  private let environment: [String: String]
  private let executor: any Executor
  private let work: WorkReader

  /// - Parameters:
  ///   - source: folder with the commit's files.
  ///   - workspace: the project as it is, for declared files that Git does not keep.
  ///   - scratch: an empty folder to run in; its store is used and no other.
  ///   - program: absolute path of `pipe`.
  ///   - work: reads notebooks of the commit.
  package init(
    graph: StageGraph, lock: LockFile, source: String, workspace: Workspace, scratch: String, program: String,
    environment: [String: String], executor: any Executor, work: WorkReader
  ) {
    self.graph = graph
    self.lock = lock
    self.source = source
    self.workspace = workspace
    self.scratch = scratch
    self.program = program
    self.environment = environment
    self.executor = executor
    self.work = work
    store = DirectoryObjectStore(root: "\(scratch)/store")
  }

  /// Runs the stages in order.
  ///
  /// - Parameter emit: hears of every stage.
  /// - Returns: one verdict an output, in order.
  /// - Throws: a `Diagnostic` for a declared file that is nowhere to be had, `StoreError`.
  package func run(
    isInterrupted: @escaping @Sendable () -> Bool, emit: @escaping @Sendable (BuildEvent) -> Void
  ) async throws -> [OutputVerdict] {
    var verdicts: [OutputVerdict] = []
    var made: [String: Trace.Result] = [:]
    var broken: [Int: String] = [:]
    for index in graph.order {
      let stage = graph.stages[index]
      if let origin = graph.upstream[index].lazy.compactMap({ broken[$0] }).first {
        broken[index] = origin
        verdicts += stage.outputs.map { OutputVerdict(stage: stage.name, path: $0.path.text, verdict: .notRun(after: origin)) }
        continue
      }
      if stage.isFrozen {
        verdicts += stage.outputs.map { OutputVerdict(stage: stage.name, path: $0.path.text, verdict: .frozen) }
        continue
      }
      let room = try lay(stage, made)
      let outcome = await build(stage, index, in: room, isInterrupted: isInterrupted, emit: emit)
      switch outcome.result {
      case .ran:
        for result in outcome.known?.outputs ?? [] { made[result.path] = result }
        verdicts += try compare(stage, outcome.known?.outputs ?? [], made: room)
      case .failed(let diagnostic):
        broken[index] = stage.name
        let why = ([diagnostic.message] + diagnostic.causes).joined(separator: "\n")
        verdicts += stage.outputs.map { OutputVerdict(stage: stage.name, path: $0.path.text, verdict: .failed(why)) }
      default:
        broken[index] = stage.name
        verdicts += stage.outputs.map { OutputVerdict(stage: stage.name, path: $0.path.text, verdict: .failed("interrupted")) }
      }
      try AtomicFile.removeAll(room.root)
    }
    return verdicts
  }

  // MARK: Laying out

  /// A folder with the stage's notebook, its parameter files' folder and its dependencies.
  private func lay(_ stage: Stage, _ made: [String: Trace.Result]) throws -> Workspace {
    let room = Workspace(root: "\(scratch)/stages/\(stage.name)", statCacheFile: "\(scratch)/stat-\(stage.name)")
    try AtomicFile.makeFolder(room.root)
    if let folder = stage.workingDirectory { try AtomicFile.makeFolder(room.absolute(folder)) }
    if case .notebook(let path) = stage.work { try copyFromCommit(path, to: room) }
    for dependency in stage.dependencies {
      guard let path = dependency.path else { continue }
      try bring(path, dependency, stage, made, to: room)
    }
    return room
  }

  private func bring(
    _ path: WorkspacePath, _ dependency: Dependency, _ stage: Stage, _ made: [String: Trace.Result], to room: Workspace
  ) throws {
    // What stages of this verification made: the path itself, a part of a directory, or parts below a directory.
    for (name, result) in made.sorted(by: { $0.key < $1.key }) {
      guard let output = WorkspacePath(name) else { continue }
      if path.isWithin(output) || output.isWithin(path) {
        try room.put(result.digest, at: output, isExecutable: result.isExecutable, from: store)
      }
    }
    if room.exists(path), !isDirectory(room.absolute(path)) { return }
    if FileStat("\(source)/\(path)") != nil { return try copyFromCommit(path, to: room) }
    if room.exists(path) { return }
    try copyFromWorkspace(path, dependency, stage, to: room)
  }

  private func copyFromCommit(_ path: WorkspacePath, to room: Workspace) throws {
    try room.makeParent(of: path)
    let commit = Workspace(root: source, statCacheFile: "\(scratch)/stat-source")
    try copy(path, try commit.content(of: path), from: commit, to: room)
  }

  private func copyFromWorkspace(_ path: WorkspacePath, _ dependency: Dependency, _ stage: Stage, to room: Workspace) throws {
    let content = try workspace.content(of: path)
    let locked = lock.entries[stage.name]?.recipe.inputs.first { $0.path == path.text }
    guard let digest = content.digest, digest == locked?.digest else {
      throw Diagnostic(
        .input, "`\(path)`, which stage `\(stage.name)` reads, is neither in the commit nor as locked in the workspace",
        at: dependency.location, hints: ["bring back the file that the lock file names, or commit it"])
    }
    try copy(path, content, from: workspace, to: room)
  }

  private func copy(_ path: WorkspacePath, _ content: Content, from: Workspace, to room: Workspace) throws {
    guard let digest = content.digest else { return }
    var isExecutable = false
    if case .file(_, _, let bit) = content { isExecutable = bit }
    try from.take(path, content, into: store)
    try room.put(digest, at: path, isExecutable: isExecutable, from: store)
  }

  // MARK: Running and comparing

  private func build(
    _ stage: Stage, _ index: Int, in room: Workspace, isInterrupted: @escaping @Sendable () -> Bool,
    emit: @escaping @Sendable (BuildEvent) -> Void
  ) async -> StageOutcome {
    let place = BuildPlace(
      workspace: room, store: store, scratch: "\(scratch)/tmp", program: program, environment: environment)
    let build = Build(
      graph: graph, order: [index], options: BuildOptions(force: true), place: place,
      inspector: Inspector(workspace: room, work: work), traces: MemoryTraceStore(), executor: executor,
      facts: BuildFacts(run: "verify", host: "", now: { "" }, commit: { (nil, false) }), isInterrupted: isInterrupted, emit: emit)
    let outcome = await build.run(lock: LockFile())
    return outcome.stages.first ?? StageOutcome(stage: stage, result: .interrupted)
  }

  private func compare(_ stage: Stage, _ results: [Trace.Result], made room: Workspace) throws -> [OutputVerdict] {
    let locked = lock.entries[stage.name]?.outputs ?? []
    return try results.map { result in
      guard let agreed = locked.first(where: { $0.path == result.path }) else {
        return OutputVerdict(stage: stage.name, path: result.path, verdict: .notLocked)
      }
      if agreed.digest == result.digest { return OutputVerdict(stage: stage.name, path: result.path, verdict: .identical) }
      let difference = try FirstDifference(agreed: agreed, kept: workspace, made: result, room: room).text
      return OutputVerdict(stage: stage.name, path: result.path, verdict: .different(difference))
    }
  }
}

private func isDirectory(_ path: String) -> Bool { FileStat(path)?.kind == .directory }

// Doing one stage: bring its outputs back, or run it and take in what it made.
// SPDX-License-Identifier: Apache-2.0
package import ContentStore
internal import Diagnostics
internal import Glibc
package import PipelineModel

/// Where a build finds and leaves things.
package struct BuildPlace: Sendable {
  package let workspace: Workspace
  package let store: DirectoryObjectStore
  /// Keeps logs and woven notebooks; in a native project the same as `store`.
  package let records: DirectoryObjectStore
  /// Gives objects back: the store, or one that asks a remote for what the store lacks.
  package let source: any ObjectStore
  package let dialect: Dialect
  /// A folder of this build's own, on the workspace's file system.
  package let scratch: String
  /// Absolute path of the running `pipe`.
  package let program: String
  /// What stages inherit.
  package let environment: [String: String]
  /// What records leave out.
  package let redaction: Redaction

  package init(
    workspace: Workspace, store: DirectoryObjectStore, records: DirectoryObjectStore? = nil, source: (any ObjectStore)? = nil,
    dialect: Dialect = .native, scratch: String, program: String, environment: [String: String], secrets: [String] = []
  ) {
    self.workspace = workspace
    self.store = store
    self.records = records ?? store
    self.source = source ?? store
    self.dialect = dialect
    self.scratch = scratch
    self.program = program
    redaction = Redaction(environment: environment, declared: secrets)
    // Those of a stage that runs this very program.
    self.environment = environment.filter { name, _ in
      !name.hasPrefix("PIPE_DEP_") && !name.hasPrefix("PIPE_OUT_") && !name.hasPrefix("PIPE_PARAM_")
    }
  }
}

/// The work of one stage. Blocks its thread.
struct StageWork: Sendable {
  let place: BuildPlace
  let inspector: Inspector
  let executor: any Executor
  let isInterrupted: @Sendable () -> Bool
  let emit: @Sendable (BuildEvent) -> Void

  /// Brings the outputs of a known result into the workspace.
  ///
  /// - Throws: `StoreError`; an object that turned out damaged is taken out of the store first.
  func restore(_ stage: Stage, _ known: Trace.Known, commits: Bool) throws(StoreError) {
    for output in known.outputs {
      guard let path = WorkspacePath(output.path) else { throw .escapes(path: output.path) }
      let declared = stage.outputs.first { $0.path == path }
      if let disk = inspector.onDisk(output.path, as: output.digest.algorithm), disk == (output.digest, output.isExecutable) {
        if commits { try keep(path, of: stage) }
        if !isLoneFile(path, declared) { continue }
      }
      try put(output.digest, at: path, isExecutable: output.isExecutable, links: declared?.links)
    }
  }

  /// Whether a path has a copy of its own where the workspace is to share the store's bytes.
  private func isLoneFile(_ path: WorkspacePath, _ output: Output?) -> Bool {
    guard output?.isCached == true, (output?.links ?? place.workspace.links).first?.sharesBytes == true else { return false }
    let stat = FileStat(place.workspace.absolute(path), followingLinks: false)
    return stat?.kind == .file && stat?.links == 1
  }

  /// Gives the store what it lacks of an output that is in place.
  private func keep(_ path: WorkspacePath, of stage: Stage) throws(StoreError) {
    guard let output = stage.outputs.first(where: { $0.path == path }), isStored(output, of: stage) else { return }
    let content = try place.workspace.content(of: path)
    guard let digest = content.digest, try !place.store.contains(digest) else { return }
    try place.workspace.take(path, content, into: place.store, links: output.links)
  }

  private func put(_ digest: Digest, at path: WorkspacePath, isExecutable: Bool, links: [LinkKind]? = nil) throws(StoreError) {
    do {
      try place.workspace.put(digest, at: path, isExecutable: isExecutable, from: place.source, links: links)
    } catch {
      if case .corruptObject(let digest, _) = error { try? place.store.remove(digest) }
      if case .malformedTree(let digest, _) = error { try? place.store.remove(digest) }
      throw error
    }
  }

  /// Makes what is in the workspace the stage's result.
  func record(_ stage: Stage, _ recipe: Recipe, reasons: [Reason], commits: Bool) -> StageOutcome {
    var outcome = StageOutcome(stage: stage, result: .recorded, reasons: reasons, recipe: recipe)
    do {
      if stage.work != .data { outcome.recipe = try inspector.recipe(of: stage) }
      let results = try takeOutputs(of: stage, commits: commits)
      outcome.known = Trace.Known(
        outputs: results,
        id: TraceID(fingerprint: Fingerprint(of: outcome.recipe ?? recipe), outputs: Trace.digest(of: results)))
    } catch {
      outcome.result = .failed(Self.diagnostic(error, stage))
    }
    return outcome
  }

  /// Runs a stage and keeps what it made.
  ///
  /// - Parameters:
  ///   - commits: whether outputs go to the store.
  ///   - bringsInputs: whether dependencies that are absent are taken from the store first.
  func run(_ stage: Stage, _ recipe: Recipe, reasons: [Reason], commits: Bool, bringsInputs: Bool) -> StageOutcome {
    var outcome = StageOutcome(stage: stage, result: .ran, reasons: reasons, recipe: recipe)
    let scratch = StageScratch(folder: "\(place.scratch)/\(Self.folderName(stage))", workspace: place.workspace)
    let fleeting = stage.outputs.filter { !$0.isPersistent }.map(\.path)
    do {
      if bringsInputs { try bring(recipe.inputs, stage) }
      if let folder = stage.workingDirectory, FileStat(place.workspace.absolute(folder))?.kind != .directory {
        throw Diagnostic(
          .input, "the working directory `\(folder)` of stage `\(stage.name)` is not there", at: stage.location,
          hints: ["make the folder, or mend `wdir`"])
      }
      try scratch.open()
      try scratch.setAside(fleeting)
      for output in stage.outputs where output.isPersistent && place.workspace.isTaken(output.path) {
        try place.workspace.unprotect(output.path)
      }
    } catch {
      outcome.result = .failed(Self.diagnostic(error, stage))
      return outcome
    }
    do {
      if place.dialect.isNative { for output in stage.outputs { try place.workspace.makeParent(of: output.path) } }
      let environment = try StageEnvironment(stage, place, scratch: scratch.folder).write()
      if let failure = try attempts(stage, environment, scratch, fleeting, &outcome) { throw failure }
      outcome.known = try result(of: stage, &outcome, recipe, commits: commits)
      try scratch.discard()
    } catch {
      outcome.result = isInterrupted() ? .interrupted : .failed(Self.diagnostic(error, stage))
      // Best effort: what cannot be put back is in the store, or is found by the next build's start.
      try? scratch.putBack(fleeting)
    }
    return outcome
  }

  /// A stage's address as one name of a folder.
  private static func folderName(_ stage: Stage) -> String { stage.name.split(separator: "/").joined(separator: "%") }

  private func bring(_ inputs: [Recipe.Input], _ stage: Stage) throws {
    for input in inputs {
      guard let path = WorkspacePath(input.path), !place.workspace.exists(path) else { continue }
      guard (try? place.source.containsAll(of: input.digest)) == true else {
        throw Diagnostic(
          .input, "`\(input.path)`, a dependency of stage `\(stage.name)`, is neither in the workspace nor in the store",
          at: stage.location, hints: ["`pipe pull` gets what the remote has"])
      }
      try put(input.digest, at: path, isExecutable: input.isExecutable)
    }
  }

  /// Executes until an attempt succeeds or none is left; each begins without what the one before it wrote.
  private func attempts(
    _ stage: Stage, _ environment: [String: String], _ scratch: StageScratch, _ fleeting: [WorkspacePath],
    _ outcome: inout StageOutcome
  ) throws -> Diagnostic? {
    var left = stage.retries
    while true {
      guard let failure = execute(stage, environment, scratch, &outcome) else { return nil }
      guard left > 0, !isInterrupted() else { return failure }
      left -= 1
      let note = "attempt \(stage.retries - left) of \(stage.retries + 1) failed (\(failure.message)); the next begins\n"
      emit(.output(stage: stage.name, bytes: Array(note.utf8)))
      for path in fleeting { try place.workspace.remove(path) }
    }
  }

  private static func diagnostic(_ error: any Error, _ stage: Stage) -> Diagnostic {
    if let error = error as? any DiagnosticConvertible {
      var diagnostic = error.diagnostic
      if diagnostic.location == nil, diagnostic.category == .storage {
        diagnostic.causes.append("while stage `\(stage.name)` was recorded")
      }
      return diagnostic
    }
    return Diagnostic(.bug, "stage `\(stage.name)` ended in an unexpected way: \(error)")
  }

  // MARK: Executing

  private func execute(_ stage: Stage, _ environment: [String: String], _ scratch: StageScratch, _ outcome: inout StageOutcome)
    -> Diagnostic?
  {
    let started = ContinuousClock.now
    let log = LogFile(path: "\(scratch.folder)/log")
    var failure: Diagnostic?
    for arguments in commandLines(stage, scratch) {
      if isInterrupted() { break }
      let folder = stage.workingDirectory.map(place.workspace.absolute) ?? place.workspace.root
      let left = stage.timeoutSeconds.map { max(0.001, $0 - Self.seconds(since: started)) }
      let command = Command(arguments: arguments, environment: environment, folder: folder, timeoutSeconds: left)
      let result = executor.run(command) { bytes in
        log.append(bytes)
        emit(.output(stage: stage.name, bytes: Array(bytes)))
      }
      outcome.peakMemoryBytes = max(outcome.peakMemoryBytes, result.peakMemoryBytes)
      if !result.succeeded {
        failure = Self.failure(stage, result, seconds: Self.seconds(since: started), tail: log.tail.map(place.redaction.applied))
        break
      }
    }
    outcome.seconds = Self.seconds(since: started)
    log.close()
    outcome.log = log.isEmpty ? nil : keep("\(scratch.folder)/log")
    if case .notebook = stage.work { outcome.woven = keep("\(scratch.folder)/woven.json") }
    return failure ?? (isInterrupted() ? Diagnostic(.work, "interrupted") : nil)
  }

  /// Without what is secret; a record that could not be freed of it is not kept.
  private func keep(_ path: String) -> Digest? {
    guard FileStat(path) != nil, (try? place.redaction.apply(toFile: path)) != nil else { return nil }
    guard let info = FileStat(path), info.size > 0, let (digest, _) = try? Digest.ofFile(path) else { return nil }
    return (try? place.records.insert(contentsOf: path, as: digest)).map { digest }
  }

  private func commandLines(_ stage: Stage, _ scratch: StageScratch) -> [[String]] {
    switch stage.work {
    case .data: return []
    case .notebook(let path):
      return [
        [
          place.program, "notebook", "run-stage", path.text, "--context", "\(scratch.folder)/context.json", "--woven",
          "\(scratch.folder)/woven.json",
        ]
      ]
    case .commands(let commands):
      if place.dialect.isNative { return commands.map { Self.shell + [$0] } }
      // As DVC does: the user's shell, and a text of several lines is as many commands.
      let lines = stage.isCommandList ? commands : commands.flatMap { $0.split(whereSeparator: \.isNewline).map(String.init) }
      let shell = Self.shell(of: place.environment)
      return lines.map { shell + [$0] }
    }
  }

  private static func shell(of environment: [String: String]) -> [String] {
    let program = environment["SHELL"].flatMap { $0.isEmpty ? nil : $0 } ?? "/bin/sh"
    switch program.split(separator: "/").last {
    case "bash": return [program, "--noprofile", "--norc", "-c"]
    case "zsh": return [program, "--no-rcs", "-c"]
    default: return [program, "-c"]
    }
  }

  /// The same shell on every machine that has it, without anyone's start-up files.
  private static let shell: [String] =
    access("/bin/bash", X_OK) == 0
    ? ["/bin/bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c"] : ["/bin/sh", "-e", "-c"]

  private static func seconds(since start: ContinuousClock.Instant) -> Double {
    let parts = (ContinuousClock.now - start).components
    return Double(parts.seconds) + Double(parts.attoseconds) / 1e18
  }

  private static func failure(_ stage: Stage, _ result: CommandResult, seconds: Double, tail: [String]) -> Diagnostic {
    let after = "after \(durationText(seconds))"
    var diagnostic = Diagnostic(.work, "", at: stage.location)
    switch result.end {
    case .exited(let status): diagnostic.message = "stage `\(stage.name)` failed: exit status \(status) \(after)"
    case .signalled(let signal):
      diagnostic.message = "stage `\(stage.name)` was killed by signal \(signal) \(after)"
      if signal == SIGKILL {
        diagnostic.causes = ["memory may have run out (the largest process had \(result.peakMemoryBytes >> 20) MiB)"]
      }
    case .timedOut:
      diagnostic.message =
        "stage `\(stage.name)` took longer than its timeout of \(durationText(stage.timeoutSeconds ?? seconds)) and was ended"
    case .notStarted(let code):
      diagnostic.message = "stage `\(stage.name)` could not be started: \(String(cString: strerror(code)))"
    }
    if !tail.isEmpty { diagnostic.causes.append(tail.joined(separator: "\n")) }
    return diagnostic
  }

  // MARK: Taking in

  private func result(of stage: Stage, _ outcome: inout StageOutcome, _ recipe: Recipe, commits: Bool) throws -> Trace.Known {
    let results = try takeOutputs(of: stage, commits: commits)
    let after = try inspector.recipe(of: stage)
    if let change = Rebuilder(rules: .of(place.dialect)).differences(from: recipe, to: after).first {
      guard place.dialect.kind == .dvc else {
        throw Diagnostic(
          .work, "\(change) while stage `\(stage.name)` ran, so its result is not recorded", at: stage.location,
          hints: ["run `pipe repro` again when the file is at rest; a stage may not change what it reads"])
      }
      // DVC records what the dependencies are when the stage has ended.
      outcome.recipe = after
    }
    return Trace.Known(
      outputs: results,
      id: TraceID(fingerprint: Fingerprint(of: outcome.recipe ?? recipe), outputs: Trace.digest(of: results)))
  }

  /// What is at the places of the outputs, sorted by path, kept in the store if asked.
  private func takeOutputs(of stage: Stage, commits: Bool) throws -> [Trace.Result] {
    var results: [Trace.Result] = []
    for output in stage.outputs {
      // What is kept is read once, for its digest and its copy.
      let content =
        commits && isStored(output, of: stage)
        ? try place.workspace.keep(output.path, into: place.store, links: output.links)
        : try place.workspace.content(of: output.path)
      if case .missing = content { throw Self.missing(output, of: stage) }
      results.append(Trace.Result(output, content))
    }
    return results.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
  }

  private func isStored(_ output: Output, of stage: Stage) -> Bool {
    place.dialect.isNative ? output.isStored : output.isCached || (output.kind != .data && stage.hasRunCache)
  }

  private static func missing(_ output: Output, of stage: Stage) -> Diagnostic {
    guard !stage.isIdle else {
      return Diagnostic(
        .storage, "`\(output.path)` is not there", at: output.location,
        hints: ["`pipe checkout` brings back what the store has, `pipe pull` what the remote has"])
    }
    return Diagnostic(
      .work, "stage `\(stage.name)` did not write its output `\(output.path)`", at: output.location,
      hints: ["make the stage write it, or take it out of the stage's outputs"])
  }
}

extension Stage {
  /// Whether DVC keeps the stage's result in its run cache.
  package var hasRunCache: Bool {
    guard !isIdle, !runsAlways, !outputs.isEmpty, !dependencies.isEmpty || !parameters.isEmpty else { return false }
    return outputs.allSatisfy { !$0.isPersistent && ($0.isCached || $0.kind != .data) }
  }
}

extension Output {
  /// What Git keeps is a file of its own; all else is laid as the workspace's setting says.
  fileprivate var links: [LinkKind]? { isCached ? nil : [.reflink, .copy] }
}

extension Trace.Result {
  /// - Parameter content: not `missing`.
  package init(_ output: Output, _ content: Content) {
    switch content {
    case .missing: preconditionFailure("a missing output has no result")
    case .file(let digest, let size, let isExecutable):
      self.init(path: output.path.text, digest: digest, size: size, files: nil, isExecutable: isExecutable, kind: output.kind)
    case .directory(let tree, let digest):
      self.init(
        path: output.path.text, digest: digest, size: tree.size, files: tree.entries.count, isExecutable: false, kind: output.kind
      )
    }
  }
}

/// `0.4 s`, `41 s`, `3 min 20 s`.
package func durationText(_ seconds: Double) -> String {
  if seconds < 10 { return "\((seconds * 10).rounded() / 10) s" }
  let whole = Int(seconds.rounded())
  return whole < 120 ? "\(whole) s" : "\(whole / 60) min \(whole % 60) s"
}

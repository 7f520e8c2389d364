// Doing one stage: bring its outputs back, or run it and take in what it made.
// SPDX-License-Identifier: Apache-2.0
package import ContentStore
package import Diagnostics
internal import Glibc
package import PipelineModel

/// Where a build finds and leaves things.
package struct BuildPlace: Sendable {
  package let workspace: Workspace
  package let store: DirectoryObjectStore
  /// A folder of this build's own, on the workspace's file system.
  package let scratch: String
  /// Absolute path of the running `pipe`.
  package let program: String
  /// What stages inherit.
  package let environment: [String: String]

  package init(
    workspace: Workspace, store: DirectoryObjectStore, scratch: String, program: String, environment: [String: String]
  ) {
    self.workspace = workspace
    self.store = store
    self.scratch = scratch
    self.program = program
    self.environment = environment
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
  func restore(_ stage: Stage, _ known: Trace.Known) throws(StoreError) {
    for output in known.outputs {
      guard let path = WorkspacePath(output.path) else { continue }
      if let disk = inspector.onDisk(output.path), disk == (output.digest, output.isExecutable) { continue }
      do {
        try place.workspace.put(output.digest, at: path, isExecutable: output.isExecutable, from: place.store)
      } catch {
        if case .corruptObject(let digest, _) = error { try? place.store.remove(digest) }
        if case .malformedTree(let digest, _) = error { try? place.store.remove(digest) }
        throw error
      }
    }
  }

  /// Runs a stage and keeps what it made.
  func run(_ stage: Stage, _ recipe: Recipe, reasons: [Reason]) -> StageOutcome {
    var outcome = StageOutcome(stage: stage, result: .ran, reasons: reasons, recipe: recipe)
    let scratch = StageScratch(folder: "\(place.scratch)/\(stage.name)", workspace: place.workspace)
    let fleeting = stage.outputs.filter { !$0.isPersistent }.map(\.path)
    do {
      try scratch.open()
      try scratch.setAside(fleeting)
    } catch {
      outcome.result = .failed(Self.diagnostic(error, stage))
      return outcome
    }
    do {
      for output in stage.outputs { try place.workspace.makeParent(of: output.path) }
      let environment = try StageEnvironment(stage, place, scratch: scratch.folder).write()
      let failure = execute(stage, environment, scratch, &outcome)
      if let failure { throw failure }
      outcome.known = try takeOutputs(of: stage, recipe)
      try scratch.discard()
    } catch {
      outcome.result = isInterrupted() ? .interrupted : .failed(Self.diagnostic(error, stage))
      // Best effort: what cannot be put back is in the store, or is found by the next build's start.
      try? scratch.putBack(fleeting)
    }
    return outcome
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
      let result = executor.run(Command(arguments: arguments, environment: environment, folder: folder)) { bytes in
        log.append(bytes)
        emit(.output(stage: stage.name, bytes: Array(bytes)))
      }
      outcome.peakMemoryBytes = max(outcome.peakMemoryBytes, result.peakMemoryBytes)
      if !result.succeeded {
        failure = Self.failure(stage, result, seconds: Self.seconds(since: started), tail: log.tail)
        break
      }
    }
    outcome.seconds = Self.seconds(since: started)
    log.close()
    outcome.log = keep("\(scratch.folder)/log")
    outcome.woven = keep("\(scratch.folder)/woven.json")
    return failure ?? (isInterrupted() ? Diagnostic(.work, "interrupted") : nil)
  }

  private func keep(_ path: String) -> Digest? {
    guard let info = FileStat(path), info.size > 0, let (digest, _) = try? Digest.ofFile(path) else { return nil }
    return (try? place.store.insert(contentsOf: path, as: digest)).map { digest }
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
      return commands.map { Self.shell + [$0] }
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
    case .notStarted(let code):
      diagnostic.message = "stage `\(stage.name)` could not be started: \(String(cString: strerror(code)))"
    }
    if !tail.isEmpty { diagnostic.causes.append(tail.joined(separator: "\n")) }
    return diagnostic
  }

  // MARK: Taking in

  private func takeOutputs(of stage: Stage, _ recipe: Recipe) throws -> Trace.Known {
    var results: [Trace.Result] = []
    for output in stage.outputs {
      let content = try place.workspace.content(of: output.path)
      if case .missing = content {
        throw Diagnostic(
          .work, "stage `\(stage.name)` did not write its output `\(output.path)`", at: output.location,
          hints: ["make the stage write it, or take it out of the stage's outputs"])
      }
      if output.isStored { try place.workspace.take(output.path, content, into: place.store) }
      results.append(Trace.Result(output, content))
    }
    let after = try inspector.recipe(of: stage)
    if let change = Rebuilder.differences(from: recipe, to: after).first {
      throw Diagnostic(
        .work, "\(change) while stage `\(stage.name)` ran, so its result is not recorded", at: stage.location,
        hints: ["run `pipe repro` again when the file is at rest; a stage may not change what it reads"])
    }
    results.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    return Trace.Known(outputs: results, id: TraceID(fingerprint: Fingerprint(of: recipe), outputs: Trace.digest(of: results)))
  }
}

extension Trace.Result {
  fileprivate init(_ output: Output, _ content: Content) {
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

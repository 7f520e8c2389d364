// Whoever changes a project holds it: `pipe`'s own lock and, beside DVC, DVC's.
// SPDX-License-Identifier: Apache-2.0
import BuildEngine
import ContentStore
import Diagnostics
import Glibc
import PipelineModel

/// Held to the end of its life.
struct ProjectLock: ~Copyable {
  private let own: WorkspaceLock
  /// `nil` in a native project.
  let dvc: DVCRepositoryLock?

  init(_ project: Project, waits: Bool) throws(StoreError) {
    let own = try WorkspaceLock(file: project.workspaceLockFile, waits: waits)
    let dvc =
      project.dialect.isNative
      ? nil
      : try DVCRepositoryLock(
        file: "\(project.markerFolder)/tmp/lock", usesHardLink: project.settings.usesHardLinkLock,
        patienceMilliseconds: waits ? nil : DVCRepositoryLock.patienceMilliseconds)
    self.own = own
    self.dvc = dvc
  }

  deinit { dvc?.release() }
}

extension Project {
  /// Takes the project for this process.
  ///
  /// - Parameter waits: whether to wait for another holder, which is named, instead of throwing.
  func takeLock(waits: Bool = GlobalOptions.waitsForLock) throws(StoreError) -> ProjectLock {
    do throws(StoreError) {
      return try ProjectLock(self, waits: false)
    } catch {
      guard waits, case .locked(let holder) = error else { throw error }
      Terminal.standard.note("waiting for the workspace: \(holder)")
      return try ProjectLock(self, waits: true)
    }
  }
}

/// Runs a stage's commands with DVC's lock let go, as DVC does, so that they may call `dvc`; what the stage reads and
/// writes is entered in DVC's table of paths for that time.
struct SharingExecutor: Executor {
  let base: any Executor
  let lock: DVCRepositoryLock
  let paths: DVCPathLocks
  /// By what `DVC_STAGE` says.
  let claims: [String: DVCPathLocks.Claim]

  init(_ base: any Executor, _ lock: DVCRepositoryLock, _ project: Project, _ pipeline: Pipeline) {
    self.base = base
    self.lock = lock
    paths = DVCPathLocks(
      folder: "\(project.markerFolder)/tmp", usesHardLink: project.settings.usesHardLinkLock,
      command: "pipe " + CommandLine.arguments.dropFirst().joined(separator: " "))
    claims = Dictionary(
      pipeline.stages.map { stage in
        let reads = stage.dependencies.map { dependency in
          dependency.path.map { "\(project.root)/\($0)" } ?? dependency.place.text
        }
        return (stage.name, DVCPathLocks.Claim(reads: reads, writes: stage.outputs.map { "\(project.root)/\($0.path)" }))
      }, uniquingKeysWith: { first, _ in first })
  }

  func run(_ command: Command, onOutput: (UnsafeRawBufferPointer) -> Void) -> CommandResult {
    let claim = command.environment["DVC_STAGE"].flatMap { claims[$0] }
    do {
      if let claim { try paths.enter(claim) }
    } catch {
      let said = ([error.diagnostic.message] + error.diagnostic.causes).joined(separator: ": ") + "\n"
      Array(said.utf8).withUnsafeBytes(onOutput)
      return CommandResult(end: .notStarted(EBUSY))
    }
    let result = lock.released { base.run(command, onOutput: onOutput) }
    if let claim { try? paths.leave(claim) }
    return result
  }
}

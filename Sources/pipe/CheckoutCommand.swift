// `pipe checkout`: make the workspace hold what the lock file says.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import BuildEngine
import ContentStore
import Diagnostics
import PipelineModel

struct CheckoutCommand: ParsableCommand, HasVolume {
  static let configuration = CommandConfiguration(
    commandName: "checkout",
    abstract: "Bring the outputs that the lock file names from the store into the workspace.",
    discussion: """
      Outputs that differ are replaced; one whose bytes the store does not know is kept unless --force is given.

      Example:
        git switch other-branch && pipe checkout
      """)

  @Argument(help: "Stages, or files that a stage makes. Default: all.", completion: .custom(completeStages))
  var targets: [String] = []
  @Flag(name: .shortAndLong, help: "Replace outputs even if the store has no copy of what is there.")
  var force = false
  @OptionGroup var volume: Volume

  func run() throws {
    let project = try Project.find()
    let pipeline = try project.pipeline()
    let graph = try StageGraph(pipeline.stages)
    let wanted = targets.isEmpty ? graph.order : try TargetSelection(project, graph).indices(of: targets)
    try project.makeStateFolders()
    let holding = try project.takeLock()
    defer { withExtendedLifetime(holding) {} }
    project.announceHolder()
    let lock = try project.lock()
    let workspace = project.workspace()
    var mistakes = DiagnosticList()
    var restored = 0
    for index in wanted {
      for output in lock.entries[graph.stages[index].name]?.outputs ?? [] {
        do {
          if try bring(output, workspace, project.store) { restored += 1 }
        } catch let error as any DiagnosticConvertible {
          mistakes.add(error.diagnostic)
        }
      }
    }
    try workspace.saveStatCache()
    Terminal.standard.note(restored == 0 ? "nothing to bring back" : "brought back \(restored) outputs")
    try mistakes.throwIfErrors()
  }

  /// - Returns: whether the output was not in place.
  private func bring(_ output: Trace.Result, _ workspace: Workspace, _ store: DirectoryObjectStore) throws -> Bool {
    guard let path = WorkspacePath(output.path) else { return false }
    let current = try workspace.content(of: path)
    if current.digest == output.digest { return false }
    guard try store.containsAll(of: output.digest) else {
      throw Diagnostic(
        .storage, "the store has no `\(output.path)` (\(output.digest.short)…)",
        hints: ["`pipe fetch` gets it from the remote; `pipe repro` makes it again"])
    }
    if let there = current.digest, !force, try !store.containsAll(of: there) {
      throw Diagnostic(
        .input, "`\(output.path)` was changed and the store has no copy of it",
        hints: ["move it away, or pass --force to lose it"])
    }
    try workspace.put(output.digest, at: path, isExecutable: output.isExecutable, from: store)
    return true
  }
}

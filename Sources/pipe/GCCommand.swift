// `pipe gc`: remove from the store what nothing names any more.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import ContentStore
import Diagnostics
import PipelineModel
import SourceControl
import Tracking

struct GCCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gc",
    abstract: "Remove objects that no branch, tag, registered model or run needs.",
    discussion: """
      Kept are the outputs that the lock file names here and on every branch and tag, the bundles of registered
      models, and the metrics, logs and notebooks of every run. Traces and run records always stay.

      Example:
        pipe gc --dry
      """)

  @Flag(help: "Say what would go; remove nothing.") var dry = false
  @Flag(name: [.customShort("w"), .customLong("workspace")], help: "Of the lock files, keep only what the one here names.")
  var workspaceOnly = false

  func run() throws {
    let project = try Project.find()
    try project.makeStateFolders()
    let holding = try project.takeLock()
    defer { withExtendedLifetime(holding) {} }
    project.announceHolder()
    var kept: Set<Digest> = []
    for lock in try locks(of: project) {
      let reach = try Reach(
        lock: lock, traces: project.traces, runs: RunLog(folder: project.runsFolder).newest().records,
        bundles: RegisteredBundles(project).digests, documents: project.comparedDocuments)
      kept.formUnion(reach.objects)
    }
    for tree in kept.filter(\.isTree) {
      // A tree that is gone or damaged keeps nothing; the files it listed may be kept by others.
      if let entries = try? project.store.tree(tree).entries { kept.formUnion(entries.map(\.digest)) }
    }
    var removed = 0
    var bytes: Int64 = 0
    for digest in try project.store.list() where !kept.contains(digest) {
      bytes += FileStat(project.store.path(of: digest))?.size ?? 0
      removed += 1
      if !dry { try project.store.remove(digest) }
    }
    if !dry { try project.store.removeLeftovers() }
    Terminal.standard.note("\(dry ? "would remove" : "removed") \(removed) objects, \(byteText(Int(bytes)))")
  }

  private func locks(of project: Project) throws -> [LockFile] {
    var locks = [try project.lock()]
    guard !workspaceOnly, let repository = try GitRepository.open(at: project.root) else { return locks }
    let path = [repository.path(below: project.root), Project.lockName].compactMap { $0 }.filter { !$0.isEmpty }.joined(
      separator: "/")
    for reference in try repository.references() {
      guard let bytes = try repository.fileContents(at: path, revision: reference) else { continue }
      locks.append(try LockFileText.read(String(decoding: bytes, as: UTF8.self), file: "\(reference):\(path)"))
    }
    return locks
  }
}

/// `812 B`, `4.2 kB`, `31 MB`.
func byteText(_ bytes: Int) -> String {
  var value = Double(bytes)
  for unit in ["B", "kB", "MB", "GB"] {
    if value < 1000 {
      return unit == "B" || value >= 100 ? "\(Int(value.rounded())) \(unit)" : "\((value * 10).rounded() / 10) \(unit)"
    }
    value /= 1000
  }
  return "\((value * 10).rounded() / 10) TB"
}

// `pipe push`, `pipe fetch`, `pipe pull`: exchange results with a remote.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import BuildEngine
import ContentStore
import Diagnostics
import PipelineModel
import Tracking

struct PushCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "push",
    abstract: "Copy results to a remote: objects, traces and run records.",
    discussion: """
      What is there already is not copied again, so a push that was cut off goes on where it stopped.

      Example:
        pipe push --remote /mnt/team/store
      """)

  @Option(help: "The remote's folder. Default: `remote:` of .pipe/config.yaml.", completion: .directory) var remote: String?

  func run() throws {
    let project = try Project.find()
    let remote = try Remote(of: project, named: remote)
    let runs = try RunLog(folder: project.runsFolder).newest().records
    let reach = try Reach(
      lock: project.lock(), traces: project.traces, runs: runs, bundles: try RegisteredBundles(project).digests,
      documents: try project.comparedDocuments)
    let summary = try Exchange(from: project.store, to: remote.store).copy(reach.objects)
    // After the objects they name: a reader of the remote never finds a trace without its outputs.
    try Exchange.copyTraces(reach.traces, from: project.traces, to: remote.traces)
    try Exchange.copyRuns(runs, to: remote.runsFolder)
    Terminal.standard.note("pushed \(summary.copied) objects, \(summary.alreadyThere) were there")
    let lost = summary.missing
    guard lost.isEmpty else {
      throw Diagnostic(
        .storage, "\(lost.count) objects are not in the store and could not be pushed",
        causes: [lost.prefix(5).map(\.short).joined(separator: ", ")], hints: ["`pipe repro` makes them again"])
    }
  }
}

struct FetchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fetch",
    abstract: "Copy results from a remote into the store; the workspace stays as it is.",
    discussion: """
      Example:
        git clone … && pipe fetch --remote /mnt/team/store && pipe repro
      """)

  @Option(help: "The remote's folder. Default: `remote:` of .pipe/config.yaml.", completion: .directory) var remote: String?

  func run() throws { _ = try Self.fetch(named: remote) }

  static func fetch(named name: String?) throws -> Project {
    let project = try Project.find()
    let remote = try Remote(of: project, named: name)
    guard FileStat(remote.root) != nil else {
      throw Diagnostic(.storage, "the remote `\(remote.root)` is not there", hints: ["check the path, or whether it is mounted"])
    }
    try project.makeStateFolders()
    let runs = try RunLog(folder: remote.runsFolder).newest().records
    let reach = try Reach(
      lock: project.lock(), traces: remote.traces, runs: runs, bundles: try RegisteredBundles(project).digests,
      documents: try project.comparedDocuments)
    let summary = try Exchange(from: remote.store, to: project.store).copy(reach.objects)
    try Exchange.copyTraces(reach.traces, from: remote.traces, to: project.traces)
    try Exchange.copyRuns(runs, to: project.runsFolder)
    Terminal.standard.note("fetched \(summary.copied) objects, \(summary.alreadyThere) were there")
    if !summary.missing.isEmpty {
      Terminal.standard.say(
        Diagnostic(.warning, "the remote lacks \(summary.missing.count) objects", hints: ["`pipe push` where they were made"]))
    }
    return project
  }
}

struct PullCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pull",
    abstract: "Fetch, then bring the outputs into the workspace.",
    discussion: """
      Example:
        pipe pull --remote /mnt/team/store
      """)

  @Option(help: "The remote's folder. Default: `remote:` of .pipe/config.yaml.", completion: .directory) var remote: String?

  func run() throws {
    _ = try FetchCommand.fetch(named: remote)
    var checkout = try CheckoutCommand.parse([])
    try checkout.run()
  }
}

/// Copying between two places with progress on a terminal.
struct Exchange {
  private let transfer: Transfer
  private let destination: DirectoryObjectStore

  init(from source: DirectoryObjectStore, to destination: DirectoryObjectStore) throws(StoreError) {
    try AtomicFile.makeFolder(destination.root)
    transfer = Transfer(from: source, to: destination)
    self.destination = destination
  }

  func copy(_ digests: [Digest]) throws(StoreError) -> Transfer.Summary {
    let summary = try transfer.copy(digests)
    if summary.copied > 0 { try destination.flush() }
    return summary
  }

  static func copyTraces(_ ids: Set<String>, from source: DirectoryTraceStore, to destination: DirectoryTraceStore)
    throws(StoreError)
  {
    let there = Set(try destination.list())
    for id in ids.subtracting(there).sorted() { if let trace = try source.trace(id) { try destination.insert(trace) } }
  }

  static func copyRuns(_ runs: [RunRecord], to folder: String) throws {
    try AtomicFile.makeFolder(folder)
    let log = RunLog(folder: folder)
    let there = Set(try log.ids())
    for run in runs where !there.contains(run.id) { try log.append(run) }
  }
}

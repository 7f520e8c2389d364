// A remote: a folder with a store, traces and run records, like the project's own.
// SPDX-License-Identifier: Apache-2.0
import BuildEngine
import ContentStore
import Diagnostics
import PipelineModel
import Tracking

/// The folder that `push` and `fetch` exchange with.
struct Remote {
  let root: String

  var store: DirectoryObjectStore { DirectoryObjectStore(root: "\(root)/store") }
  var traces: DirectoryTraceStore { DirectoryTraceStore(root: "\(root)/traces") }
  var runsFolder: String { "\(root)/runs" }

  /// - Parameter named: what the command line says; otherwise `remote:` of `.pipe/config.yaml`.
  init(of project: Project, named: String?) throws {
    if let named {
      guard !named.isEmpty else { throw Diagnostic(.input, "the remote's folder is empty") }
      root = named
      return
    }
    root = try project.settings.configuration.remote(nil).url
  }
}

/// What a project needs elsewhere to answer as it does here.
struct Reach {
  private(set) var objects: [Digest] = []
  private(set) var traces: Set<String> = []
  private(set) var runs: [RunRecord] = []
  private var seen: Set<Digest> = []

  /// Outputs of the lock file and of registered models, all traces and run records, and of earlier runs what the
  /// reports need: metrics, documents, logs and woven notebooks.
  ///
  /// - Parameter documents: paths of the outputs that a report compares with those of the run before.
  init(
    lock: LockFile, traces store: DirectoryTraceStore, runs: [RunRecord], bundles: [Digest], documents: Set<String>
  ) throws {
    self.runs = runs
    for entry in lock.entries.values {
      for output in entry.outputs where entry.recipe.isStored(output.path) { add(output.digest) }
    }
    for digest in bundles { add(digest) }
    for id in try store.list() {
      traces.insert(id)
      guard let trace = try store.trace(id) else { continue }
      for output in trace.outputs where output.kind != .data || documents.contains(output.path) { add(output.digest) }
      if let log = trace.facts.log { add(log) }
      if let woven = trace.facts.woven { add(woven) }
    }
    for run in runs {
      for stage in run.stages {
        for text in [stage.log, stage.woven] { if let digest = text.flatMap({ Digest($0) }) { add(digest) } }
        for output in stage.outputs where output.kind != "data" || documents.contains(output.path) {
          if let digest = Digest(output.digest) { add(digest) }
        }
      }
    }
  }

  private mutating func add(_ digest: Digest) {
    if seen.insert(digest).inserted { objects.append(digest) }
  }
}

extension Project {
  /// Outputs that a report compares with those of the run before: the evaluation and the gates.
  var comparedDocuments: Set<String> {
    get throws { Set(try pipeline().reportSources.filter { ["evaluation", "gates"].contains($0.role) }.map(\.path.text)) }
  }
}

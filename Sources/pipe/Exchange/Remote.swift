// A remote: where objects are kept elsewhere, with the results that name them.
// SPDX-License-Identifier: Apache-2.0
import BuildEngine
import ContentStore
import Diagnostics
import Glibc
import PipelineModel
import Tracking

/// A place that `push` and `fetch` exchange with. Folders alone so far: another kind is one more case in `folder(of:)`.
struct Remote {
  /// As the configuration calls it, or the folder that was given.
  let name: String
  /// Absolute, or as typed.
  let root: String
  let dialect: Dialect
  /// Whether objects are believed without being hashed.
  let isTrusted: Bool

  var store: DirectoryObjectStore {
    dialect.isNative
      ? DirectoryObjectStore(root: "\(root)/store")
      : DirectoryObjectStore(root: root, layout: .dvc(verifies: !isTrusted))
  }
  /// The same objects, looked for without reading them: what a push has to know.
  var places: DirectoryObjectStore {
    dialect.isNative ? store : DirectoryObjectStore(root: root, layout: .dvc(verifies: false))
  }
  var traces: DirectoryTraceStore { DirectoryTraceStore(root: "\(root)/traces") }
  /// Run records of a native project.
  var runsFolder: String { "\(root)/runs" }
  /// DVC's run cache.
  var runCacheFolder: String { "\(root)/runs" }

  /// - Parameter named: what the command line says, a configured remote or a folder; `nil` is the default remote.
  init(of project: Project, named: String?) throws {
    let configuration = project.settings.configuration
    dialect = project.dialect
    guard let named else {
      let settings = try configuration.remote(nil)
      name = settings.name
      root = try Self.folder(of: settings.url, name: settings.name)
      isTrusted = configuration["remote.\(settings.name).verify"]?.lowercased() == "false"
      return
    }
    guard !named.isEmpty else { throw Diagnostic(.input, "the remote's folder is empty") }
    let isConfigured = configuration.remoteNames.contains(named.lowercased())
    let isFolder = named.contains("/") || (project.dialect.isNative && FileStat(named)?.kind == .directory)
    if isConfigured || !isFolder {
      let settings = try configuration.remote(named)
      name = settings.name
      root = try Self.folder(of: settings.url, name: settings.name)
      isTrusted = configuration["remote.\(settings.name).verify"]?.lowercased() == "false"
    } else {
      name = named
      root = try Self.folder(of: named, name: named)
      isTrusted = false
    }
  }

  private static func folder(of url: String, name: String) throws(Diagnostic) -> String {
    if url.hasPrefix("file://") { return String(url.dropFirst(7)) }
    guard url.contains("://") else { return url }
    let scheme = url.prefix { $0 != ":" }
    throw Diagnostic(
      .input, "remote `\(name)` is of a kind that `pipe` does not speak yet: `\(scheme)`", causes: ["its url is `\(url)`"],
      hints: ["a folder works: `pipe remote add NAME FOLDER`, also one that is mounted from elsewhere"])
  }

  /// - Throws: a `Diagnostic` when the folder is not there.
  func mustExist() throws(Diagnostic) {
    guard FileStat(root)?.kind != .directory else { return }
    throw Diagnostic(.storage, "the remote `\(root)` is not there", hints: ["check the path, or whether it is mounted"])
  }
}

extension Project {
  /// What a project's stages may get objects from: the default remote, then those that outputs name.
  ///
  /// - Throws: a `Diagnostic` for a remote that is named and not known, or of a kind that is not spoken.
  func remotes(of stages: [Stage]) throws -> [Remote] {
    var names: [String?] = settings.configuration.defaultRemote == nil ? [] : [nil]
    for name in stages.flatMap(\.outputs).compactMap(\.remote) where !names.contains(name) { names.append(name) }
    return try names.map { try Remote(of: self, named: $0) }
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

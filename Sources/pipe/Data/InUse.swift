// Which objects, run-cache entries and traces a project uses: in its workspace and at the revisions in scope.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import PipelineModel
import SourceControl

/// What the agreed results of a project's states name; grows by one state after the other.
struct InUse {
  /// Remote as outputs name it (`nil` is the default one) → objects of outputs that go there, with the files of directories.
  private(set) var objects: [String?: Set<Digest>] = [:]
  /// Entries of DVC's run cache, as `ab…/cd…`.
  private(set) var runCacheEntries: Set<String> = []
  /// Traces of a native project.
  private(set) var traces: Set<String> = []
  /// Directories whose list is in no store: what only they hold is not known. Path and digest.
  private(set) var unlisted: [(path: String, digest: Digest)] = []

  private var trees: [Digest: [Digest]] = [:]
  private var missing: Set<Digest> = []

  var all: Set<Digest> { objects.values.reduce(into: []) { $0.formUnion($1) } }

  /// Adds the workspace and the chosen commits.
  ///
  /// - Parameter skipsFailed: passes over commits whose files cannot be read, with a warning.
  /// - Throws: mistakes of the workspace's files; a `Diagnostic` for a commit that cannot be read.
  mutating func add(_ project: Project, _ choice: RevisionChoice, skipsFailed: Bool) throws {
    try add(try project.load())
    guard !choice.isEmpty else { return }
    guard let repository = try GitRepository.open(at: project.root) else {
      throw Diagnostic(.input, "branches, tags and commits need a Git repository, and the project is in none")
    }
    for named in try repository.commits(choice) {
      let name = named.names.first ?? named.commit.hex
      do {
        try add(try project.load(at: named.commit.hex))
      } catch {
        let cause = Self.cause(error)
        guard skipsFailed, !(error is StoreError) else {
          throw Diagnostic(
            .input, "what `\(name)` uses cannot be known, so nothing is removed", causes: cause,
            hints: ["`--skip-failed` passes over such commits: what only they use goes"])
        }
        Terminal.standard.say(Diagnostic(.warning, "`\(name)` is passed over", causes: cause))
      }
    }
  }

  private static func cause(_ error: any Error) -> [String] {
    switch error {
    case let list as DiagnosticList: list.diagnostics.prefix(1).map { "\($0.location.map { "\($0): " } ?? "")\($0.message)" }
    case let error as any DiagnosticConvertible: [error.diagnostic.message]
    default: ["\(error)"]
    }
  }

  mutating func add(_ loaded: LoadedProject) throws {
    let isNative = loaded.project.dialect.isNative
    for stage in loaded.pipeline.stages where !loaded.isRepositoryImport(stage) {
      guard let entry = loaded.lock.entries[stage.name] else { continue }
      for output in stage.outputs where isNative ? output.isStored : output.isCached {
        guard let agreed = entry.outputs.first(where: { $0.path == output.path.text }) else { continue }
        try add(agreed.digest, of: output, loaded.project)
      }
      if isNative, stage.work != .data {
        traces.insert("\(TraceID(fingerprint: Fingerprint(of: entry.recipe), outputs: Trace.digest(of: entry.outputs)))")
      }
    }
    guard !isNative else { return }
    for (path, text) in loaded.lockTexts {
      for (_, entry) in try DVCLockText.read(text, file: path.text).entries {
        runCacheEntries.insert("\(RunCacheText.key(of: entry))/\(RunCacheText.value(of: entry))")
      }
    }
  }

  /// An object that no output names, as bundles, logs and earlier metrics are.
  mutating func add(_ digests: [Digest], _ project: Project) throws {
    for digest in digests {
      objects[nil, default: []].insert(digest)
      // Such a tree may be gone; what it listed may be kept by others.
      if digest.isTree, let files = try? files(of: digest, nil, project) { objects[nil, default: []].formUnion(files) }
    }
  }

  private mutating func add(_ digest: Digest, of output: Output, _ project: Project) throws {
    guard objects[output.remote, default: []].insert(digest).inserted, digest.isTree else { return }
    guard let files = try files(of: digest, output.remote, project) else {
      if missing.insert(digest).inserted { unlisted.append((output.path.text, digest)) }
      return
    }
    objects[output.remote, default: []].formUnion(files)
  }

  /// The files of a directory, from the store or else a remote; `nil` when neither has its list.
  ///
  /// - Throws: `StoreError` for a list that is damaged: its files would be taken for garbage.
  private mutating func files(of digest: Digest, _ remote: String?, _ project: Project) throws -> [Digest]? {
    if let known = trees[digest] { return known }
    let tree = try project.store.contains(digest) ? try project.store.tree(digest) : fetched(digest, remote, project)
    guard let files = tree?.entries.map(\.digest) else { return nil }
    trees[digest] = files
    return files
  }
}

extension InUse {
  /// The list of a directory from a remote, which the store keeps from then on. The remote may not be set up, or not be one that is spoken.
  private func fetched(_ digest: Digest, _ remote: String?, _ project: Project) -> FileTree? {
    guard let place = try? Remote(of: project, named: remote).store else { return nil }
    // Where the store cannot be written to, the list is read all the same.
    return (try? FetchingStore(local: project.store, remotes: [place]).tree(digest)) ?? (try? place.tree(digest))
  }
}

extension LoadedProject {
  /// Whether a stage is data of another repository, which is kept there.
  func isRepositoryImport(_ stage: Stage) -> Bool {
    guard let manifest = stage.manifest, let pointer = pointers[manifest]?.file else { return false }
    return pointer.dependencies.contains { $0.repository != nil }
  }
}

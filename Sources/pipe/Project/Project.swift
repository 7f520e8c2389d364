// Where a project is, which dialect it speaks and where its parts are kept. No verbs but finding.
// SPDX-License-Identifier: Apache-2.0
import BuildEngine
import ContentStore
import Diagnostics
import Glibc
import PipelineModel

struct Project: Sendable {
  /// Absolute, without links.
  let root: String
  let dialect: Dialect
  /// The folder one is in, from the root; `nil` is the root itself, or a folder outside the project.
  let current: WorkspacePath?
  let settings: ProjectSettings
  /// Where outputs are kept, unless the configuration has another place.
  let cacheFolder: String
  let store: DirectoryObjectStore

  static let manifestName = Dialect.native.manifestName
  static let lockName = Dialect.native.lockName

  var markerFolder: String { "\(root)/\(dialect.markerFolder)" }
  /// What `pipe` keeps for itself; beside DVC, a folder that Git and DVC leave alone.
  var stateFolder: String { dialect.isNative ? markerFolder : "\(markerFolder)/tmp/pipe" }
  /// Keeps logs and woven notebooks.
  var records: DirectoryObjectStore { dialect.isNative ? store : DirectoryObjectStore(root: "\(stateFolder)/store") }
  /// Traces with the facts of their execution.
  var traces: DirectoryTraceStore { DirectoryTraceStore(root: "\(stateFolder)/traces") }
  var runsFolder: String { "\(stateFolder)/runs" }
  var ledgerFile: String { "\(stateFolder)/ledger.sqlite" }
  var scratchFolder: String { "\(stateFolder)/tmp" }
  var statCacheFile: String { "\(stateFolder)/stat" }
  var workspaceLockFile: String { "\(stateFolder)/lock" }
  var registryFolder: String { "\(root)/registry" }
  var manifestFile: String { "\(root)/\(dialect.manifestName)" }

  /// The project that a folder lies in.
  ///
  /// - Throws: a `Diagnostic` that says where it was looked for.
  static func find(from folder: String? = nil) throws -> Project {
    let start = folder ?? "."
    guard let real = realpath(start, nil) else {
      throw Diagnostic(.input, "there is no folder `\(start)`")
    }
    defer { free(real) }
    let here = String(cString: real)
    var unmarked: String?
    var stray: String?
    for candidate in ancestors(of: here) {
      if let dialect = try marked(candidate) { return try Project(root: candidate, dialect: dialect, here: here) }
      if unmarked == nil, FileStat("\(candidate)/\(manifestName)") != nil { unmarked = candidate }
      if stray == nil, FileStat("\(candidate)/\(Dialect.dvc.manifestName)") != nil { stray = candidate }
    }
    if let unmarked { return try Project(root: unmarked, dialect: .native, here: here) }
    if let stray {
      throw Diagnostic(
        .input, "`\(stray)` has a `dvc.yaml`, but no folder around it has `.dvc`", hints: ["`pipe init --dvc` makes it"])
    }
    throw Diagnostic(
      .input, "no `\(manifestName)` and no `.dvc` here or in a folder above",
      hints: ["`pipe init` makes a project in this folder"])
  }

  private init(root: String, dialect: Dialect, here: String) throws {
    if FileStat("\(root)/\(Dialect.native.manifestName)") != nil, FileStat("\(root)/\(Dialect.dvc.manifestName)") != nil {
      throw Diagnostic(
        .input, "`\(root)` has both `pipeline.yaml` and `dvc.yaml`", hints: ["keep one: the schema is the same"])
    }
    self.root = root
    self.dialect = dialect
    current = WorkspacePath(here.dropFirst(root.utf8.count + 1))
    settings = try ProjectSettings.read(root: root, dialect: dialect, here: here)
    let marker = "\(root)/\(dialect.markerFolder)"
    cacheFolder = settings.cacheFolder ?? (dialect.isNative ? "\(marker)/store" : "\(marker)/cache")
    store =
      dialect.isNative
      ? DirectoryObjectStore(root: cacheFolder)
      : DirectoryObjectStore(
        root: cacheFolder, layout: .dvc(isShared: settings.isCacheShared, verifies: settings.configuration.isCacheVerified))
  }

  /// The folder, then those above it, without the file system's root.
  private static func ancestors(of folder: String) -> [String] {
    var found: [String] = []
    var current = folder
    while !current.isEmpty {
      found.append(current)
      guard let slash = current.lastIndex(of: "/") else { break }
      current = String(current[..<slash])
    }
    return found
  }

  /// The dialect of a folder that is marked as a project's root.
  private static func marked(_ folder: String) throws -> Dialect? {
    if FileStat("\(folder)/\(Dialect.native.markerFolder)")?.kind == .directory { return .native }
    if FileStat("\(folder)/\(Dialect.dvc.markerFolder)")?.kind == .directory { return .dvc }
    return nil
  }

  /// Makes the folders that hold state, with the file that keeps Git away from them.
  ///
  /// - Throws: `system` also when one is a link, but for the store's: what lies there is written over and cleared, and a
  ///   link can be part of what was cloned.
  func makeStateFolders() throws(StoreError) {
    let ledger = ["", "-wal", "-shm", "-journal"].map { ledgerFile + $0 }
    for path in [stateFolder, traces.root, runsFolder, scratchFolder] + ledger
    where FileStat(path, followingLinks: false)?.kind == .link {
      throw .system("use", path: path, code: ELOOP)
    }
    for folder in [stateFolder, store.root, traces.root, runsFolder, scratchFolder] { try AtomicFile.makeFolder(folder) }
    let ignore = "\(markerFolder)/.gitignore"
    if dialect.isNative, FileStat(ignore) == nil {
      try AtomicFile.write("/*\n!/.gitignore\n!/config\n!/config.yaml\n", to: ignore)
    }
  }

  func workspace() -> Workspace {
    Workspace(
      root: root, statCacheFile: statCacheFile, stagingFolder: scratchFolder, algorithm: dialect.algorithm,
      links: LinkKind.list(settings.configuration.cacheTypes.joined(separator: ",")) ?? LinkKind.usual, ignore: ignoreRules)
  }

  /// Tells others who holds the workspace; without effect on the work when it cannot be told.
  func announceHolder() {
    let command = CommandLine.arguments.dropFirst().joined(separator: " ")
    try? WorkspaceLock.announce("process \(getpid()) runs `pipe \(command)`", in: workspaceLockFile)
  }
}

extension Project {
  /// A path from the folder one is in, as messages and JSON show it: `../data.csv`.
  func display(_ path: WorkspacePath) -> String { relativePath(from: current, to: path.text).shownName }

  /// A stage's address from the folder one is in: `train`, `../dvc.yaml:train`, `data.csv.dvc`.
  func display(_ stage: Stage) -> String {
    guard let manifest = stage.manifest else { return stage.name }
    let file = display(manifest)
    if stage.work == .data { return file }
    return file == dialect.manifestName ? stage.localName : "\(file):\(stage.localName)"
  }

  /// What a path on the command line names; `nil` when it lies outside the project.
  func path(_ typed: String) -> WorkspacePath? {
    if typed.hasPrefix("/") {
      guard typed.hasPrefix(root + "/") else { return nil }
      return WorkspacePath(typed.dropFirst(root.utf8.count + 1))
    }
    return WorkspacePath(typed, in: current)
  }
}

/// A path inside the project as seen from one of its folders.
func relativePath(from folder: WorkspacePath?, to path: String) -> String {
  guard let folder else { return path }
  let from = folder.text.split(separator: "/")
  let to = path.split(separator: "/")
  let shared = zip(from, to).prefix { $0 == $1 }.count
  return (Array(repeating: "..", count: from.count - shared) + to.dropFirst(shared).map(String.init)).joined(separator: "/")
}

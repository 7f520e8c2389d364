// Where a project is and where its parts are kept. No verbs but finding and reading.
// SPDX-License-Identifier: Apache-2.0
import BuildEngine
import ContentStore
import Diagnostics
import Foundation
import Glibc
import PipelineModel

struct Project: Sendable {
  /// Absolute, without links.
  let root: String

  static let manifestName = "pipeline.yaml"
  static let lockName = "pipeline.lock"

  var manifestFile: String { "\(root)/\(Self.manifestName)" }
  var lockFile: String { "\(root)/\(Self.lockName)" }
  var stateFolder: String { "\(root)/.pipe" }
  var store: DirectoryObjectStore { DirectoryObjectStore(root: "\(stateFolder)/store") }
  var traces: DirectoryTraceStore { DirectoryTraceStore(root: "\(stateFolder)/traces") }
  var runsFolder: String { "\(stateFolder)/runs" }
  var ledgerFile: String { "\(stateFolder)/ledger.sqlite" }
  var scratchFolder: String { "\(stateFolder)/tmp" }
  var statCacheFile: String { "\(stateFolder)/stat" }
  var workspaceLockFile: String { "\(stateFolder)/lock" }
  var configFile: String { "\(stateFolder)/config.yaml" }
  var registryFolder: String { "\(root)/registry" }

  /// The project that a folder lies in.
  ///
  /// - Throws: a `Diagnostic` that says where it was looked for.
  static func find(from folder: String? = nil) throws -> Project {
    let start = folder ?? FileManager.default.currentDirectoryPath
    guard let real = realpath(start, nil) else {
      throw Diagnostic(.input, "there is no folder `\(start)`")
    }
    defer { free(real) }
    var current = String(cString: real)
    while true {
      if FileStat("\(current)/\(manifestName)") != nil { return Project(root: current) }
      if FileStat("\(current)/dvc.yaml") != nil {
        throw Diagnostic(
          .input, "`\(current)` is a DVC project, which this version of `pipe` does not run",
          hints: ["rename `dvc.yaml` to `pipeline.yaml`: the schema is the same"])
      }
      guard let slash = current.lastIndex(of: "/"), slash != current.startIndex else { break }
      current = String(current[..<slash])
    }
    throw Diagnostic(
      .input, "no `\(manifestName)` here or in a folder above", hints: ["`pipe init` makes a project in this folder"])
  }

  /// Makes the folders that hold state, with the file that keeps Git away from them.
  func makeStateFolders() throws(StoreError) {
    for folder in [stateFolder, store.root, traces.root, runsFolder, scratchFolder] { try AtomicFile.makeFolder(folder) }
    let ignore = "\(stateFolder)/.gitignore"
    if FileStat(ignore) == nil { try AtomicFile.write("/*\n!/.gitignore\n!/config.yaml\n", to: ignore) }
  }

  func workspace() -> Workspace { Workspace(root: root, statCacheFile: statCacheFile, stagingFolder: scratchFolder) }

  /// Takes the workspace for this process.
  func takeLock(waits: Bool = false) throws(StoreError) -> WorkspaceLock {
    try WorkspaceLock(file: workspaceLockFile, waits: waits)
  }

  /// Tells others who holds the workspace; without effect on the work when it cannot be told.
  func announceHolder() {
    let command = CommandLine.arguments.dropFirst().joined(separator: " ")
    try? WorkspaceLock.announce("process \(getpid()) runs `pipe \(command)`", in: workspaceLockFile)
  }

  /// Reads manifest and parameters.
  ///
  /// - Throws: `DiagnosticList` with every mistake.
  func pipeline() throws -> Pipeline {
    guard let text = try AtomicFile.readText(manifestFile) else {
      throw Diagnostic(.input, "`\(Self.manifestName)` is gone")
    }
    guard let manifest = WorkspacePath(Self.manifestName) else { preconditionFailure("the manifest's name is a path") }
    return try ManifestReader.read(text, at: manifest, dialect: .native, surroundings()).pipeline
  }

  /// What the manifest may look at.
  private func surroundings() -> ManifestSurroundings {
    ManifestSurroundings(
      text: { (path) throws(StoreError) -> String? in try AtomicFile.readText("\(root)/\(path)") },
      variable: { name in getenv(name).map { String(cString: $0) } })
  }

  /// A parameter file as a tree; an empty file is an empty mapping.
  func parameterTree(_ path: WorkspacePath, text: String?) throws(DiagnosticList) -> YAMLNode? {
    guard let text else { return nil }
    let (tree, mistakes) = YAMLReader.read(text, file: path.text)
    try mistakes.throwIfErrors()
    return tree ?? YAMLNode(.mapping([]), at: YAMLMark(line: 1, column: 1))
  }

  func lock() throws -> LockFile {
    guard let text = try AtomicFile.readText(lockFile) else { return LockFile() }
    return try LockFileText.read(text, file: Self.lockName)
  }

  /// Writes the lock file if its bytes differ. By way of the scratch folder, so that a kill leaves nothing beside it.
  func write(_ lock: LockFile, for pipeline: Pipeline) throws {
    let text = LockFileText.write(lock, order: pipeline.stages.map(\.name))
    if try AtomicFile.readText(lockFile) == text { return }
    if lock.entries.isEmpty, FileStat(lockFile) == nil { return }
    let staging = "\(scratchFolder)/\(Self.lockName)"
    try AtomicFile.write(text, to: staging, durable: true)
    guard rename(staging, lockFile) == 0 else { throw StoreError.system("write", path: lockFile, code: errno) }
  }
}

extension Project {
  /// What a path on the command line names: from the folder one is in, or from the project's.
  static func paths(_ typed: String) -> [WorkspacePath] {
    guard let project = try? find() else { return [] }
    if typed.hasPrefix("/") {
      return typed.hasPrefix(project.root + "/") ? [WorkspacePath(typed.dropFirst(project.root.count + 1))].compactMap { $0 } : []
    }
    guard let real = realpath(".", nil) else { return [] }
    defer { free(real) }
    let below = WorkspacePath(String(cString: real).dropFirst(project.root.count + 1))
    return [WorkspacePath(typed, in: below), WorkspacePath(typed)].compactMap { $0 }
  }
}

extension StageGraph {
  /// Indices of the named stages, or of those that make the named files, or of all.
  ///
  /// - Throws: a `Diagnostic` for every unknown name.
  func indices(of targets: [String], file: String) throws(DiagnosticList) -> [Int] {
    var mistakes = DiagnosticList()
    var found: [Int] = []
    for target in targets {
      if let index = stages.firstIndex(where: { $0.name == target }) {
        found.append(index)
      } else if let stage = Project.paths(target).lazy.compactMap({ producer(of: $0) }).first,
        let index = stages.firstIndex(where: { $0.name == stage.name })
      {
        found.append(index)
      } else {
        let near = closestMatch(to: target, among: stages.map(\.name))
        mistakes.add(
          Diagnostic(
            .input, "no stage and no output is named `\(target)` in \(file)",
            hints: [near.map { "did you mean `\($0)`?" } ?? "stages are \(stages.map(\.name).joined(separator: ", "))"]))
      }
    }
    try mistakes.throwIfErrors()
    return targets.isEmpty ? order : found
  }
}

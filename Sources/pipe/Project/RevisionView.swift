// What a project holds at one revision: its declarations, and the bytes of its files from disk, Git or the store.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import PipelineModel
import SourceControl

struct RevisionView {
  /// `workspace`, or the revision as it is shown.
  let name: String
  let project: Project
  let loaded: LoadedProject
  private let source: any ProjectSource
  /// `nil` is the workspace.
  private let commit: RevisionSource?
  /// What the lock agreed on, by path.
  private let agreed: [String: Trace.Result]

  static let workspaceName = "workspace"

  /// - Parameters:
  ///   - revision: `nil` or `workspace` is the workspace.
  ///   - name: how results call it; the revision as typed unless said.
  /// - Throws: `GitError` for an unknown revision, the mistakes of its manifests.
  init(_ project: Project, revision: String?, name: String? = nil) throws {
    self.project = project
    let revision = revision == Self.workspaceName ? nil : revision
    self.name = name ?? revision ?? Self.workspaceName
    commit = try revision.map { try RevisionSource(project, revision: $0) }
    source = commit ?? WorkspaceSource(root: project.root)
    loaded = try ProjectReader(project, source).read()
    agreed = Dictionary(
      loaded.lock.entries.values.lazy.flatMap(\.outputs).map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The bytes of a file: as the revision has it, or as its lock says the store has it.
  ///
  /// - Returns: `nil` when the file is neither here nor there.
  func bytes(of path: WorkspacePath) throws -> [UInt8]? {
    if let commit {
      // A folder is no file; its contents are asked for one by one.
      if let bytes = try commit.bytes(of: path.text) { return bytes }
    } else if FileStat("\(project.root)/\(path)")?.kind == .file, let bytes = try AtomicFile.read("\(project.root)/\(path)") {
      return bytes
    }
    guard let digest = try digest(of: path), try project.store.contains(digest) else { return nil }
    return try project.store.bytes(of: digest)
  }

  func text(of path: WorkspacePath) throws -> String? { try bytes(of: path).map { String(decoding: $0, as: UTF8.self) } }

  /// Files in a folder and below it, sorted; `nil` when the path is no folder.
  func files(below folder: WorkspacePath) throws -> [WorkspacePath]? {
    var found = try listed(folder)
    if found.isEmpty, let output = output(at: folder), output.digest.isTree {
      guard try project.store.contains(output.digest) else { return nil }
      found = try project.store.tree(output.digest).entries.compactMap { WorkspacePath($0.path, in: folder) }
    }
    return found.isEmpty ? nil : found.sorted { $0.text.utf8.lexicographicallyPrecedes($1.text.utf8) }
  }

  func exists(_ path: WorkspacePath) -> Bool {
    if (try? bytes(of: path)) ?? nil != nil { return true }
    return ((try? files(below: path)) ?? nil) != nil
  }

  private func listed(_ folder: WorkspacePath) throws -> [WorkspacePath] {
    if commit == nil, FileStat("\(project.root)/\(folder)")?.kind != .directory { return [] }
    var found: [WorkspacePath] = []
    for (name, isFolder) in try source.entries(of: folder) {
      guard let path = WorkspacePath(name, in: folder) else { continue }
      if isFolder { found += try listed(path) } else { found.append(path) }
    }
    return found
  }

  private func output(at path: WorkspacePath) -> Trace.Result? { agreed[path.text] }

  /// The object that the lock names for an output, or for a file inside an output.
  func digest(of path: WorkspacePath) throws -> Digest? {
    if let output = output(at: path) { return output.digest.isTree ? nil : output.digest }
    var folder = path.parent
    while let current = folder {
      if let output = output(at: current), output.digest.isTree, try project.store.contains(output.digest) {
        let rest = path.text.dropFirst(current.text.utf8.count + 1)
        return try project.store.tree(output.digest).entries.first { $0.path == rest }?.digest
      }
      folder = current.parent
    }
    return nil
  }
}

// MARK: Parameters and metrics

extension RevisionView {
  /// The metrics of all stages and of `metrics:`, or of the targets alone.
  func metrics(targets: [WorkspacePath]) throws -> DocumentReadings {
    var paths = targets
    if paths.isEmpty {
      paths = loaded.pipeline.stages.flatMap(\.outputs).filter { $0.kind == .metrics }.map(\.path) + loaded.pipeline.metricsFiles
    }
    return try expanded(paths).map { path in
      (project.display(path), try reading(path) { $0.metrics })
    }
  }

  /// The parameters that stages name and, unless `ofStagesOnly`, all of `params.yaml` and of the files under `params:`.
  func parameters(targets: [WorkspacePath], ofStagesOnly: Bool) throws -> DocumentReadings {
    var order: [WorkspacePath] = []
    /// `nil` is the whole file.
    var keys: [WorkspacePath: [String]?] = [:]
    func add(_ path: WorkspacePath, _ key: String?) {
      guard let known = keys[path] else {
        order.append(path)
        keys[path] = .some(key.map { [$0] })
        return
      }
      keys[path] = .some(known.flatMap { known in key.map { known + [$0] } })
    }
    if targets.isEmpty {
      for parameter in loaded.pipeline.stages.flatMap(\.parameters) { add(parameter.file, parameter.key) }
      if !ofStagesOnly {
        for file in loaded.pipeline.parameterFiles { add(file, nil) }
        if let file = WorkspacePath("params.yaml"), try bytes(of: file) != nil { add(file, nil) }
      }
    } else {
      for target in targets { add(target, nil) }
    }
    return try order.flatMap { path in
      let wanted = keys[path] ?? nil
      return try expanded([path]).map { file in
        (project.display(file), try reading(file) { value in wanted.map { value.selecting($0) } ?? value })
      }
    }
  }

  /// Folders become their files; each path once.
  private func expanded(_ paths: [WorkspacePath]) throws -> [WorkspacePath] {
    var seen: Set<WorkspacePath> = []
    return try paths.flatMap { path in try files(below: path) ?? [path] }.filter { seen.insert($0).inserted }
  }

  private func reading(_ path: WorkspacePath, _ part: (ParameterValue) -> ParameterValue) throws -> DocumentReading {
    guard let text = try text(of: path) else {
      return .failure(kind: "FileNotFoundError", message: "[Errno 2] No such file or directory: '\(path)'")
    }
    do {
      return .value(part(try ParameterFile.read(text, path)))
    } catch {
      let kind = [".json": "JSON", ".toml": "TOML", ".py": "Python"].first { path.text.hasSuffix($0.key) }?.value ?? "YAML"
      return .failure(
        kind: "\(kind)FileCorruptedError",
        message: error.diagnostics.first.map { "\($0.location?.description ?? path.text): \($0.message)" } ?? "\(path)")
    }
  }
}

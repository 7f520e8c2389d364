// Where a project's text files are read from: the workspace as it is, or a commit.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import Foundation
import Glibc
import PipelineModel
import SourceControl

/// Manifests, lock files, pointer files and parameter files, by path from the project's root.
protocol ProjectSource {
  /// For messages: empty, or the revision's name with a colon.
  var label: String { get }
  /// `nil` when the file is not there.
  func text(of path: WorkspacePath) throws -> String?
  /// Names in a folder with their kind, sorted; `nil` is the root.
  func entries(of folder: WorkspacePath?) throws -> [(name: String, isFolder: Bool)]
  /// The patterns of paths that count for nothing in this state.
  func ignoreRules(of project: Project) throws -> IgnoreRules
}

extension ProjectSource {
  func ignoreRules(of project: Project) -> IgnoreRules { project.ignoreRules }
}

struct WorkspaceSource: ProjectSource {
  let root: String
  var label: String { "" }

  func text(of path: WorkspacePath) throws -> String? { try AtomicFile.readText("\(root)/\(path)") }

  func entries(of folder: WorkspacePath?) throws -> [(name: String, isFolder: Bool)] {
    try AtomicFile.kinds(folder.map { "\(root)/\($0)" } ?? root)
  }
}

/// A commit's files, read from Git's objects; nothing is checked out.
final class RevisionSource: ProjectSource {
  let revision: String
  private let repository: GitRepository
  /// By path from the project's root.
  private let blobs: [String: BlobID]
  private let folders: [String: [(name: String, isFolder: Bool)]]

  /// - Throws: a `Diagnostic` outside Git, `GitError` for an unknown revision.
  init(_ project: Project, revision: String) throws {
    guard let repository = try GitRepository.open(at: project.root) else {
      throw Diagnostic(.input, "`\(revision)` cannot be looked up: the project is not in a Git repository")
    }
    self.revision = revision
    self.repository = repository
    let below = repository.path(below: project.root) ?? ""
    let prefix = below.isEmpty || below == "." ? "" : "\(below)/"
    var folders: [String: [(name: String, isFolder: Bool)]] = [:]
    var seen: Set<String> = []
    var blobs: [String: BlobID] = [:]
    for (path, blob) in try repository.blobs(of: revision, below: String(prefix.dropLast())) {
      var rest = String(path.dropFirst(prefix.count))
      blobs[rest] = blob
      var isFolder = false
      while true {
        let slash = rest.lastIndex(of: "/")
        let name = slash.map { String(rest[rest.index(after: $0)...]) } ?? rest
        let parent = slash.map { String(rest[..<$0]) } ?? ""
        guard seen.insert(rest).inserted else { break }
        folders[parent, default: []].append((name, isFolder))
        guard slash != nil else { break }
        rest = parent
        isFolder = true
      }
    }
    self.blobs = blobs
    self.folders = folders.mapValues { $0.sorted { $0.name < $1.name } }
  }

  var label: String { "\(revision):" }

  func text(of path: WorkspacePath) throws -> String? {
    try bytes(of: path.text).map { String(decoding: $0, as: UTF8.self) }
  }

  /// A file's bytes, or a link's target; `nil` when the commit has no such file.
  func bytes(of path: String) throws -> [UInt8]? { try blobs[path].map { try repository.contents(of: $0) } }

  func ignoreRules(of project: Project) throws -> IgnoreRules {
    var texts: [String: [UInt8]] = [:]
    let name = project.dialect.ignoreName
    for (folder, entries) in folders where entries.contains(where: { $0.name == name && !$0.isFolder }) {
      let path = folder.isEmpty ? name : "\(folder)/\(name)"
      texts[path] = try bytes(of: path)
    }
    return IgnoreRules(root: project.root, fileName: name, markerFolder: project.dialect.markerFolder, texts: texts)
  }

  func entries(of folder: WorkspacePath?) throws -> [(name: String, isFolder: Bool)] { folders[folder?.text ?? ""] ?? [] }
}

// The project's files as a person sees them: looked at, taken into a store, put out of it.
// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Synchronization

/// What is at a path.
package enum Content: Sendable, Equatable {
  case missing
  case file(Digest, size: Int, isExecutable: Bool)
  case directory(FileTree, Digest)

  package var digest: Digest? {
    switch self {
    case .missing: nil
    case .file(let digest, _, _): digest
    case .directory(_, let digest): digest
    }
  }

  package var size: Int {
    switch self {
    case .missing: 0
    case .file(_, let size, _): size
    case .directory(let tree, _): tree.size
    }
  }
}

/// Reads and changes files below one folder. All methods may be called from several threads.
package final class Workspace: Sendable {
  package let root: String
  private let statCacheFile: String
  let stagingFolder: String?
  let statCache: Mutex<StatCache>
  /// Directories, absolute, in which the last look found only files of their own: no link, and no second name of one.
  let unlinked = Mutex<Set<String>>([])
  /// What digests of this workspace are made with.
  package let algorithm: Digest.Algorithm
  /// The order in which ways to bring an object in are tried.
  package let links: [LinkKind]
  package let ignore: IgnoreRules?

  /// - Parameters:
  ///   - root: absolute, without links.
  ///   - statCacheFile: absolute; read now, written by `saveStatCache`.
  ///   - stagingFolder: where outputs are laid out before they take their place, on the workspace's file system, so that
  ///     nothing of a killed `put` stays among the project's files; `nil` is beside the output.
  ///   - algorithm: that of the project's dialect.
  ///   - links: how objects become files, tried in this order; with `hardlink` or `symlink` first, what is taken into a
  ///     store is linked back from it, as DVC's `cache.type` says.
  ///   - ignore: what directories are looked at without; `nil` is nothing.
  package init(
    root: String, statCacheFile: String, stagingFolder: String? = nil, algorithm: Digest.Algorithm = .sha256,
    links: [LinkKind] = LinkKind.usual, ignore: IgnoreRules? = nil
  ) {
    self.ignore = ignore
    self.algorithm = algorithm
    self.links = links
    self.root = root
    self.statCacheFile = statCacheFile
    self.stagingFolder = stagingFolder
    self.statCache = Mutex(StatCache(file: statCacheFile))
  }

  package func absolute(_ path: WorkspacePath) -> String { "\(root)/\(path.text)" }

  package func exists(_ path: WorkspacePath) -> Bool { FileStat(absolute(path)) != nil }

  /// Whether anything has this name, be it a link that leads nowhere.
  package func isTaken(_ path: WorkspacePath) -> Bool { FileStat(absolute(path), followingLinks: false) != nil }

  func replace(_ target: String, with staging: String) throws(StoreError) {
    if rename(staging, target) == 0 { return }
    guard errno == EISDIR || errno == ENOTDIR || errno == ENOTEMPTY || errno == EEXIST else {
      throw .system("write", path: target, code: errno)
    }
    try AtomicFile.removeAll(target)
    guard rename(staging, target) == 0 else { throw .system("write", path: target, code: errno) }
  }

  /// Makes the folders above a path; refuses, before anything is made, when a link among them leads out of the workspace.
  package func makeParent(of path: WorkspacePath) throws(StoreError) {
    guard let parent = path.parent else { return }
    try checkParent(of: path)
    try AtomicFile.makeFolder(absolute(parent))
  }

  /// - Throws: `escapes` when the nearest folder above `path` that is there lies outside the workspace.
  package func checkParent(of path: WorkspacePath) throws(StoreError) { try Self.checkParent(of: path, in: root) }

  /// - Parameter root: absolute, without links.
  package static func checkParent(of path: WorkspacePath, in root: String) throws(StoreError) {
    var folder = path.parent
    while let current = folder {
      let absolute = "\(root)/\(current)"
      if let real = realpath(absolute, nil) {
        defer { free(real) }
        let text = String(cString: real)
        guard text == root || text.utf8.starts(with: "\(root)/".utf8) else { throw .escapes(path: path.text) }
        return
      }
      guard errno == ENOENT || errno == ENOTDIR else { throw .system("look at", path: absolute, code: errno) }
      // A link that leads nowhere would be followed by whoever makes the folder behind it.
      if FileStat(absolute, followingLinks: false)?.kind == .link { throw .escapes(path: path.text) }
      folder = current.parent
    }
  }

  package func remove(_ path: WorkspacePath) throws(StoreError) {
    try checkParent(of: path)
    try AtomicFile.removeAll(absolute(path))
  }

  /// Renames a path to an absolute one on the same file system; nothing there is fine.
  package func move(_ path: WorkspacePath, to destination: String) throws(StoreError) {
    try checkParent(of: path)
    guard rename(absolute(path), destination) == 0 || errno == ENOENT else {
      throw .system("move", path: absolute(path), code: errno)
    }
  }

  /// Writes what was learned about files, if anything was.
  ///
  /// Files hashed within a tick of their last change are hashed once more when the tick is over: they are few and
  /// fresh, and the next look at an unchanged project then reads no file and writes nothing.
  package func saveStatCache() throws(StoreError) {
    let file = statCacheFile
    let young = statCache.withLock { $0.young }
    if !young.paths.isEmpty {
      StatCache.wait(until: young.newest)
      for (path, algorithm) in young.paths {
        let now = StatCache.coarseNow()
        guard let info = FileStat(path), info.kind == .file, let (digest, _) = try? Digest.ofFile(path, algorithm) else {
          continue
        }
        statCache.withLock { $0.remember(path, info, digest, lookedAt: now) }
      }
    }
    try statCache.withLock { (cache) throws(StoreError) in try cache.save(to: file) }
  }

  /// Forgets files that are gone, where this process learned something or the folder is gone, too; called when a run changed
  /// files anyway.
  package func pruneStatCache() {
    statCache.withLock { $0.prune { FileStat($0, followingLinks: false) == nil } }
  }
}

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
  /// What digests of this workspace are made with.
  package let algorithm: Digest.Algorithm
  /// The order in which ways to bring an object in are tried.
  package let links: [LinkKind]

  /// - Parameters:
  ///   - root: absolute, without links.
  ///   - statCacheFile: absolute; read now, written by `saveStatCache`.
  ///   - stagingFolder: where outputs are laid out before they take their place, on the workspace's file system, so that
  ///     nothing of a killed `put` stays among the project's files; `nil` is beside the output.
  ///   - algorithm: that of the project's dialect.
  ///   - links: how objects become files, tried in this order; with `hardlink` or `symlink` first, what is taken into a
  ///     store is linked back from it, as DVC's `cache.type` says.
  package init(
    root: String, statCacheFile: String, stagingFolder: String? = nil, algorithm: Digest.Algorithm = .sha256,
    links: [LinkKind] = LinkKind.usual
  ) {
    self.algorithm = algorithm
    self.links = links
    self.root = root
    self.statCacheFile = statCacheFile
    self.stagingFolder = stagingFolder
    self.statCache = Mutex(StatCache(file: statCacheFile))
  }

  package func absolute(_ path: WorkspacePath) -> String { "\(root)/\(path.text)" }

  package func exists(_ path: WorkspacePath) -> Bool { FileStat(absolute(path)) != nil }

  /// Looks at a path, hashing only what the stat cache does not know.
  ///
  /// Links inside a directory are followed to files; a link to a directory, a socket or a device is an error.
  ///
  /// - Parameter algorithm: the hash to look with; `nil` is the workspace's own.
  package func content(of path: WorkspacePath, as algorithm: Digest.Algorithm? = nil) throws(StoreError) -> Content {
    try content(absolute: absolute(path), as: algorithm)
  }

  /// The same for a file outside the workspace.
  package func content(absolute path: String, as algorithm: Digest.Algorithm? = nil) throws(StoreError) -> Content {
    guard let info = FileStat(path) else { return .missing }
    let algorithm = algorithm ?? self.algorithm
    switch info.kind {
    case .file:
      return .file(try digest(ofFile: path, info, algorithm), size: Int(info.size), isExecutable: info.isExecutable)
    case .directory:
      var entries: [FileTree.Entry] = []
      try collect(path, below: "", algorithm, into: &entries)
      let tree = FileTree(entries)
      return .directory(tree, tree.digest(algorithm))
    case .link, .other:
      throw .specialFile(path: path)
    }
  }

  /// All files that match, as one tree with their paths from the workspace's root.
  package func content(matching pattern: PathPattern) throws(StoreError) -> Content {
    throw .malformedFile(path: pattern.text, why: "patterns are not read yet")
  }

  private func digest(ofFile path: String, _ info: FileStat, _ algorithm: Digest.Algorithm) throws(StoreError) -> Digest {
    guard algorithm == self.algorithm else { return try Digest.ofFile(path, algorithm).0 }
    if let known = statCache.withLock({ $0.digest(of: path, info) }) { return known }
    let (digest, _) = try Digest.ofFile(path, algorithm)
    statCache.withLock { $0.remember(path, info, digest) }
    return digest
  }

  private func collect(
    _ folder: String, below prefix: String, _ algorithm: Digest.Algorithm, into entries: inout [FileTree.Entry]
  ) throws(StoreError) {
    for name in try AtomicFile.list(folder) {
      let path = "\(folder)/\(name)"
      guard let info = FileStat(path) else { throw .system("follow the link", path: path, code: ENOENT) }
      switch info.kind {
      case .file:
        entries.append(
          FileTree.Entry(
            path: prefix + name, digest: try digest(ofFile: path, info, algorithm), size: Int(info.size), isExecutable: info.isExecutable))
      case .directory:
        guard FileStat(path, followingLinks: false)?.kind == .directory else { throw .specialFile(path: path) }
        try collect(path, below: prefix + name + "/", algorithm, into: &entries)
      case .link, .other:
        throw .specialFile(path: path)
      }
    }
  }

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
  func checkParent(of path: WorkspacePath) throws(StoreError) {
    var folder = path.parent
    while let current = folder {
      if let real = realpath(absolute(current), nil) {
        defer { free(real) }
        let text = String(cString: real)
        guard text == root || text.utf8.starts(with: "\(root)/".utf8) else { throw .escapes(path: path.text) }
        return
      }
      guard errno == ENOENT || errno == ENOTDIR else { throw .system("look at", path: absolute(current), code: errno) }
      // A link that leads nowhere would be followed by whoever makes the folder behind it.
      if FileStat(absolute(current), followingLinks: false)?.kind == .link { throw .escapes(path: path.text) }
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
    if !young.isEmpty {
      usleep(12_000)
      for path in young {
        guard let info = FileStat(path), info.kind == .file, let (digest, _) = try? Digest.ofFile(path, algorithm) else {
          continue
        }
        statCache.withLock { $0.remember(path, info, digest) }
      }
    }
    try statCache.withLock { (cache) throws(StoreError) in try cache.save(to: file) }
  }

  /// Forgets files that are gone; called when a run changed files anyway.
  package func pruneStatCache() {
    statCache.withLock { $0.prune { FileStat($0, followingLinks: false) == nil } }
  }
}

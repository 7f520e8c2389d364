// Looking at what the workspace holds.
// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Synchronization

extension Workspace {
  /// Looks at a path, hashing only what the stat cache does not know.
  ///
  /// Links inside a directory are followed to files. A link to a directory is an error, but is passed over under DVC's
  /// hashes, as DVC does; a socket or a device is an error. What `ignore` leaves out is not part of a directory.
  /// - Parameter algorithm: `nil` is the workspace's own.
  package func content(of path: WorkspacePath, _ algorithm: Digest.Algorithm? = nil) throws(StoreError) -> Content {
    try look(absolute(path), algorithm ?? self.algorithm, store: nil, folder: path.text)
  }

  /// The same for a file outside the workspace, where nothing is left out.
  package func content(absolute path: String, _ algorithm: Digest.Algorithm? = nil) throws(StoreError) -> Content {
    try look(path, algorithm ?? self.algorithm, store: nil, folder: nil)
  }

  /// Looks at a path and keeps it in a store: what must be read is read once for both.
  ///
  /// - Parameter links: as for `take`.
  package func keep(_ path: WorkspacePath, into store: any ObjectStore, links: [LinkKind]? = nil) throws(StoreError) -> Content {
    let kinds = links ?? self.links
    guard let folder = store as? DirectoryObjectStore, kinds.first?.sharesBytes != true else {
      let content = try content(of: path)
      try take(path, content, into: store, links: kinds)
      return content
    }
    return try keep(absolute: absolute(path), into: try folder.opened(makes: true), folder: path.text)
  }

  /// Looks at a path and copies what the store lacks of it.
  ///
  /// - Parameter folder: as for `look`.
  func keep(absolute path: String, into store: OpenStore, folder: String?) throws(StoreError) -> Content {
    if FileStat(path)?.kind == .file { return try keepFile(path, into: store) }
    let content = try look(path, algorithm, store: store, folder: folder)
    // Encoded only when the store has it not.
    if case .directory(let tree, let digest) = content, try !store.contains(digest, Workers.Room()) {
      _ = try DirectoryObjectStore.with(tree.encoded(algorithm)) { (bytes) throws(StoreError) in
        try store.insert(bytes, as: digest, Workers.Room())
      }
    }
    return content
  }

  /// Reads a file once, for its digest and for its copy in the store.
  private func keepFile(_ path: String, into store: OpenStore) throws(StoreError) -> Content {
    let room = Workers.Room()
    let now = StatCache.coarseNow()
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { throw .system("open", path: path, code: errno) }
    defer { close(file) }
    guard let info = FileStat(file), info.kind == .file else { throw .specialFile(path: path) }
    posix_fadvise(file, 0, 0, POSIX_FADV_SEQUENTIAL)
    let known = statCache.withLock { $0.digest(of: path, info, algorithm) }
    var isUnproven = false
    let digest: Digest
    if let known {
      digest = known
      isUnproven = try store.insert(file, path, as: known, hashes: false, sharing: true, room)
    } else {
      digest = try store.insert(file, path, algorithm, room)
    }
    guard let after = FileStat(file), after.isAsRead(info) else {
      // What was not hashed on the way may have other bytes than its name says.
      if isUnproven { try? store.remove(digest) }
      throw .changedMeanwhile(path: path)
    }
    if known == nil { statCache.withLock { $0.remember(path, info, digest, lookedAt: now) } }
    return .file(digest, size: Int(info.size), isExecutable: info.isExecutable)
  }

  /// - Parameter folder: the path below the root; `nil` is outside.
  func look(_ path: String, _ algorithm: Digest.Algorithm, store: OpenStore?, folder: String?) throws(StoreError)
    -> Content
  {
    let now = StatCache.coarseNow()
    guard let info = FileStat(path) else { return .missing }
    switch info.kind {
    case .file:
      let digest = try digest(ofFile: path, info, algorithm, lookedAt: now)
      return .file(digest, size: Int(info.size), isExecutable: info.isExecutable)
    case .directory: return try lookAtDirectory(path, algorithm, store: store, folder: folder)
    case .link, .other: throw .specialFile(path: path)
    }
  }

  /// The digest of a file as the stat cache knows it; `nil` when the file would have to be read.
  package func knownDigest(of path: WorkspacePath, _ algorithm: Digest.Algorithm) -> Digest? {
    let file = absolute(path)
    guard let info = FileStat(file, followingLinks: false), info.kind == .file else { return nil }
    return statCache.withLock { $0.digest(of: file, info, algorithm) }
  }

  private func digest(ofFile path: String, _ info: FileStat, _ algorithm: Digest.Algorithm, lookedAt: Int64) throws(StoreError)
    -> Digest
  {
    if let known = statCache.withLock({ $0.digest(of: path, info, algorithm) }) { return known }
    let (digest, _) = try Digest.ofFile(path, algorithm)
    statCache.withLock { $0.remember(path, info, digest, lookedAt: lookedAt) }
    return digest
  }

  private func lookAtDirectory(_ path: String, _ algorithm: Digest.Algorithm, store: OpenStore?, folder: String?)
    throws(StoreError)
    -> Content
  {
    let rules = folder.flatMap { folder in ignore.map { ($0, folder) } }
    let walk = TreeWalk(top: path, algorithm: algorithm, store: store, rules: rules)
    let result = try walk.run { scans in load(scans, algorithm) }
    let key = StatCache.Key(folder: path, algorithm: algorithm)
    let (seed, memo) = statCache.withLock { ($0.seed, $0.memo(key)) }
    let (tree, print) = result.tree(seed)
    let digest = memo?.print == print ? memo?.digest : nil
    let found = digest ?? tree.digest(algorithm)
    let learned = result.learned(algorithm)
    let isUnlinked = !result.hasLinks
    _ = unlinked.withLock { isUnlinked ? $0.insert(path).inserted : $0.remove(path) != nil }
    statCache.withLock { cache in
      for (key, stats) in learned { cache.remember(key, stats) }
      if digest == nil { cache.remember(key, StatCache.Memo(print: print, digest: found)) }
      if !learned.isEmpty || digest == nil {
        cache.forget(below: path, algorithm, but: Set(result.scans.map(\.path)))
      }
    }
    return .directory(tree, found)
  }

  private func load(_ scans: [FolderScan], _ algorithm: Digest.Algorithm) {
    statCache.withLock { cache in
      for scan in scans {
        let key = StatCache.Key(folder: scan.path, algorithm: algorithm)
        cache.settle(key)
        scan.known = cache.folderStats(key)
      }
    }
  }

  /// Paths of all files that match, sorted; what `ignore` leaves out is not among them.
  package func files(matching pattern: PathPattern) throws(StoreError) -> [WorkspacePath] {
    guard let glob = pattern.glob else { return [] }
    var found: [WorkspacePath] = []
    let top = pattern.base
    guard FileStat(top.map(absolute) ?? root, followingLinks: true)?.kind == .directory else { return [] }
    var folders = [top?.text ?? ""]
    while let folder = folders.popLast() {
      let scan = FolderScan(path: folder.isEmpty ? root : "\(root)/\(folder)", prefix: folder.isEmpty ? "" : folder + "/")
      let list = ignore?.rules(in: folder)
      try scan.list(
        isTop: folder == top?.text ?? "",
        isLeftOut: { (name, isFolder) throws(StoreError) in
          let path = folder.isEmpty ? name : "\(folder)/\(name)"
          if isFolder, ignore?.isProject(path) == true { return true }
          return list?.rule(for: path, isDirectory: isFolder)?.ignores == true
        }, looksAtNames: list?.isUsual == false)
      for item in scan.items {
        let path = scan.relativePath(item)
        if item.kind == .directory {
          folders.append(path)
        } else if glob.matches(path), FileStat("\(root)/\(path)")?.kind == .file, let path = WorkspacePath(path) {
          found.append(path)
        }
      }
    }
    return found.sorted { FileTree.compare($0.text, $1.text).order < 0 }
  }

  /// All files that match, as one tree with their paths from the workspace's root.
  package func content(matching pattern: PathPattern) throws(StoreError) -> Content {
    var entries: [FileTree.Entry] = []
    for path in try files(matching: pattern) {
      guard case .file(let digest, let size, let isExecutable) = try content(of: path) else { continue }
      entries.append(FileTree.Entry(path: path.text, digest: digest, size: size, isExecutable: isExecutable))
    }
    let tree = FileTree(entries)
    return .directory(tree, tree.digest(algorithm))
  }
}

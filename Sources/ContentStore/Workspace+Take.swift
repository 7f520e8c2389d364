// Keeping the workspace's files in a store, and making them files of their own again.
// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Synchronization

extension Workspace {
  /// Keeps a path's content in a store. `content` is what `content(of:)` said; a file that changed since is refused.
  ///
  /// With `hardlink` or `symlink` first in `links`, the files become links to the objects, which are read-only.
  /// - Parameter links: `nil` is the workspace's own order.
  package func take(_ path: WorkspacePath, _ content: Content, into store: any ObjectStore, links: [LinkKind]? = nil)
    throws(StoreError)
  {
    let kinds = links ?? self.links
    if kinds.first?.sharesBytes == true {
      unlinked.withLock { $0.removeAll() }
      // Files are replaced by links: none of another folder, to which the path or one above it is a link.
      try checkParent(of: path)
      if case .directory = content, FileStat(absolute(path), followingLinks: false)?.kind == .link {
        throw .escapes(path: path.text)
      }
    }
    switch content {
    case .missing: break
    case .file(let digest, let size, let isExecutable):
      let entry = FileTree.Entry(path: "", digest: digest, size: size, isExecutable: isExecutable)
      try take([entry], below: absolute(path), into: store, kinds)
    case .directory(let tree, let digest):
      try take(tree.entries, below: absolute(path), into: store, kinds)
      try store.insert(tree.encoded(digest.algorithm), as: digest)
    }
  }

  private func take(_ entries: [FileTree.Entry], below target: String, into store: any ObjectStore, _ kinds: [LinkKind])
    throws(StoreError)
  {
    let paths = { @Sendable (index: Int) -> String in
      entries[index].path.isEmpty ? target : "\(target)/\(entries[index].path)"
    }
    guard let folder = store as? DirectoryObjectStore else {
      for index in entries.indices { try store.insert(contentsOf: paths(index), as: entries[index].digest) }
      return
    }
    let taker = Taker(try folder.opened(makes: true), kinds, Staging(stagingFolder))
    let stats = Slots<FileStat?>(entries.count, nil)
    try Workers.run(entries.count, piece: 64) { (range, room) throws(StoreError) in
      for index in range {
        let path = paths(index)
        let known = self.statCache.withLock { cache in
          FileStat(path).flatMap { cache.digest(of: path, $0, entries[index].digest.algorithm) }
        }
        let isKnown = known == entries[index].digest
        stats[index] = try taker.take(path, entries[index], isKnown: isKnown, room)
      }
    }
    statCache.withLock { cache in
      for index in entries.indices {
        if let info = stats[index] { cache.remember(paths(index), info, entries[index].digest, isOwn: true) }
      }
    }
  }

  /// Gives a file the mode that a new one has, and its owner the right to run it or not.
  ///
  /// A file with several names is left alone: its mode is that of all of them.
  package func setMode(of path: WorkspacePath, isExecutable: Bool) throws(StoreError) {
    try checkParent(of: path)
    let file = absolute(path)
    guard let info = FileStat(file, followingLinks: false), info.kind == .file, info.links == 1 else { return }
    let mode = (0o666 & ~umaskBits) | (isExecutable ? 0o100 : 0)
    guard info.mode & 0o7777 != mode else { return }
    guard chmod(file, mode) == 0 else { throw .system("write", path: file, code: errno) }
    guard let now = FileStat(file) else { return }
    // Only the mode changed: what is known of the bytes stays known.
    statCache.withLock { cache in
      if let digest = cache.digest(of: file, info, algorithm) { cache.remember(file, now, digest, isOwn: true) }
    }
  }

  /// Makes files that are links to objects files of their own again, writable; a directory with all below it.
  ///
  /// - Throws: `system`, `escapes`; a file that could not be copied is the link it was.
  package func unprotect(_ path: WorkspacePath) throws(StoreError) {
    try checkParent(of: path)
    try unprotect(absolute: absolute(path))
  }

  /// The same for a path outside the workspace.
  ///
  /// - Parameter onlyLinks: files that are no links keep their mode, and a directory in which a look found none is not
  ///   looked at again.
  package func unprotect(absolute path: String, onlyLinks: Bool = false) throws(StoreError) {
    if onlyLinks, unlinked.withLock({ $0.contains(path) }) { return }
    let staging = Staging(stagingFolder)
    try Self.unprotect(AT_FDCWD, path, path: path, isTop: true, onlyLinks: onlyLinks, staging, Workers.Room())
  }

  private static func unprotect(
    _ folder: Int32, _ name: String, path: String, isTop: Bool, onlyLinks: Bool, _ staging: Staging,
    _ room: Workers.Room
  ) throws(StoreError) {
    guard let own = FileStat(name, in: folder, followingLinks: false) else {
      if isTop { throw .system("look at", path: path, code: errno) }
      return
    }
    if own.kind == .directory {
      let below = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      guard below >= 0 else { throw .system("open", path: path, code: errno) }
      defer { close(below) }
      for name in try AtomicFile.list(path) {
        try unprotect(below, name, path: "\(path)/\(name)", isTop: false, onlyLinks: onlyLinks, staging, room)
      }
      return
    }
    guard let info = FileStat(name, in: folder) else {
      // A link whose object is gone: what is written through it would become an object with the wrong bytes.
      if own.kind == .link, unlinkat(folder, name, 0) != 0 { throw .system("remove", path: path, code: errno) }
      return
    }
    guard info.kind == .file else { return }
    let mode = (info.isExecutable ? 0o777 : 0o666) & ~umaskBits
    if own.kind == .file, own.links == 1 {
      if !onlyLinks, own.mode & 0o7777 != mode, fchmodat(folder, name, mode, 0) != 0 {
        throw .system("write", path: path, code: errno)
      }
      return
    }
    try replaceByCopy(folder, name, mode: mode, path: path, staging, room)
  }

  private static func replaceByCopy(
    _ folder: Int32, _ name: String, mode: UInt32, path: String, _ staging: Staging, _ room: Workers.Room
  ) throws(StoreError) {
    let input = openat(folder, name, O_RDONLY | O_CLOEXEC)
    guard input >= 0 else { throw .system("open", path: path, code: errno) }
    defer { close(input) }
    let temporary = staging.place(for: path)
    let output = Glibc.open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
    guard output >= 0 else { throw .system("write", path: path, code: errno) }
    do throws(StoreError) {
      defer { close(output) }
      _ = try FileCopy.copy(input, to: output, hashing: nil, sharing: true, paths: (path, path), room)
      guard renameat(AT_FDCWD, temporary, folder, name) == 0 else { throw .system("write", path: path, code: errno) }
    } catch {
      unlink(temporary)
      throw error
    }
  }
}

/// Where a file is made that will take another's place. In a folder apart, a kill leaves nothing among data that is tracked.
private struct Staging: Sendable {
  private let folder: String?
  private let device: UInt64?

  init(_ folder: String?) {
    self.folder = folder
    device = folder.flatMap(Self.device)
  }

  /// Beside the path where it lies on another file system, or there is no folder.
  func place(for path: String) -> String {
    let unique = "\(getpid())-\(UInt32.random(in: 0 ... .max)).tmp"
    guard let folder, device != nil, device == Self.device(path) else { return "\(path).\(unique)" }
    return "\(folder)/take-\(unique)"
  }

  private static func device(_ path: String) -> UInt64? {
    var info = stat()
    return lstat(path, &info) == 0 ? UInt64(info.st_dev) : nil
  }
}

/// Takes files into a directory store and, where links are wanted, links them back.
private struct Taker: Sendable {
  private let store: OpenStore
  private let placer: ObjectPlacer?
  private let linksFirst: Bool
  private let kinds: [LinkKind]
  private let staging: Staging

  init(_ store: OpenStore, _ kinds: [LinkKind], _ staging: Staging) {
    self.store = store
    self.kinds = kinds
    self.staging = staging
    linksFirst = kinds.first?.sharesBytes == true
    placer = linksFirst ? ObjectPlacer(store, kinds) : nil
  }

  /// - Parameters:
  ///   - isKnown: whether the stat cache says that the file has this digest; else it is hashed on the way.
  /// - Returns: the file's stat when it was replaced by a link.
  func take(_ path: String, _ entry: FileTree.Entry, isKnown: Bool, _ room: Workers.Room) throws(StoreError) -> FileStat? {
    if linksFirst, let own = FileStat(path, followingLinks: false), isLinked(path, own, entry.digest) {
      return nil
    }
    if try !store.contains(entry.digest, room) { try keep(path, entry, isKnown: isKnown, room) }
    // An empty file is never a hard link: a file system allows only so many names of one file.
    guard let placer, !entry.isExecutable, let info = FileStat(path), info.size > 0 || kinds.first == .symlink else {
      return nil
    }
    if let own = FileStat(path, followingLinks: false), isLinked(path, own, entry.digest) { return info }
    let temporary = staging.place(for: path)
    try withKernelText(temporary) { (name) throws(StoreError) in
      _ = try placer.place(entry.digest, in: AT_FDCWD, as: name, path: path, isExecutable: false, room)
    }
    // The bytes that the name leads to now are those that were looked at, or they would be lost with the old file.
    guard FileStat(path) == info else {
      unlink(temporary)
      throw .changedMeanwhile(path: path)
    }
    guard rename(temporary, path) == 0 else {
      let code = errno
      unlink(temporary)
      throw .system("write", path: path, code: code)
    }
    return FileStat(path)
  }

  /// Whether the file is the object already, in a way that is wanted.
  private func isLinked(_ path: String, _ own: FileStat, _ digest: Digest) -> Bool {
    let isWanted = own.kind == .link ? kinds.contains(.symlink) : own.links > 1 && kinds.first == .hardlink
    guard isWanted, let object = FileStat(store.path(of: digest), followingLinks: false) else {
      return false
    }
    return FileStat(path)?.inode == object.inode
  }

  private func keep(_ path: String, _ entry: FileTree.Entry, isKnown: Bool, _ room: Workers.Room) throws(StoreError) {
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { throw .system("open", path: path, code: errno) }
    defer { close(file) }
    let before = FileStat(file)
    // Where the file will be a link to the object anyway, it becomes the object: no byte is copied.
    if linksFirst, isKnown, !entry.isExecutable, let before, before.links == 1, before.size > 0,
      FileStat(path, followingLinks: false)?.inode == before.inode, try store.adopt(file, path, as: entry.digest) == 0
    {
      guard let now = FileStat(file), now.modified == before.modified, now.size == before.size else {
        try store.remove(entry.digest)
        throw .changedMeanwhile(path: path)
      }
      return
    }
    do throws(StoreError) {
      try store.insert(file, path, as: entry.digest, hashes: !isKnown, sharing: true, room)
    } catch .corruptObject {
      throw .changedMeanwhile(path: path)
    }
    // What was not hashed on the way must have been at rest while it was copied.
    if isKnown, FileStat(file) != before || before?.size != entry.knownSize.map(Int64.init) {
      try? store.remove(entry.digest)
      throw .changedMeanwhile(path: path)
    }
  }
}

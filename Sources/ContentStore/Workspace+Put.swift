// Bringing objects of a store into the workspace.
// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Synchronization

extension Workspace {
  /// Makes a path hold what a digest names, writing beside it and renaming.
  ///
  /// - Parameters:
  ///   - tree: the list of a directory, when the caller has read it from the store already.
  ///   - links: how objects become files, in order; `nil` is the workspace's own order.
  /// - Throws: `missingObject`, `corruptObject`, `malformedTree`, `escapes`, `system`; then the path holds what it held.
  package func put(
    _ digest: Digest, _ tree: FileTree? = nil, at path: WorkspacePath, isExecutable: Bool = false, from store: any ObjectStore,
    links: [LinkKind]? = nil
  ) throws(StoreError) {
    try makeParent(of: path)
    unlinked.withLock { $0.removeAll() }
    let target = absolute(path)
    let unique = "put-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    let staging = stagingFolder.map { "\($0)/\(unique)" } ?? "\(target).\(unique).tmp"
    let store = try (store as? FetchingStore)?.local(with: digest) ?? store
    let layer = try Layer(store, links ?? self.links)
    do throws(StoreError) {
      if digest.isTree {
        let list = if let tree { tree } else { try store.tree(digest) }
        let plan = TreePlan(list)
        let stats = try plan.lay(at: staging, by: layer)
        try replace(target, with: staging)
        remember(plan, stats, at: target, digest)
      } else {
        try layer.layFile(digest, at: staging, isExecutable: isExecutable)
        try replace(target, with: staging)
        if let info = FileStat(target) { statCache.withLock { $0.remember(target, info, digest, isOwn: true) } }
      }
    } catch {
      try? AtomicFile.removeAll(staging)
      throw error
    }
  }

  /// Remembers what was laid out, so that the next look reads and encodes nothing.
  private func remember(_ plan: TreePlan, _ stats: Slots<FileStat?>, at target: String, _ digest: Digest) {
    // A folder without files of its own has nothing to be remembered, nor does its path cost anything.
    let folders = plan.folders.indices.compactMap { folder -> (path: String, stats: FolderStats?)? in
      let known = plan.stats(ofFolder: folder, stats)
      if folder == 0 { return (target, known) }
      return known.map { ("\(target)/\(plan.path(of: folder))", $0) }
    }
    let seed = statCache.withLock { $0.seed }
    // A list that somebody else spelled has another digest than the one that a look will find.
    let print = plan.tree.digest(digest.algorithm) == digest ? plan.listPrint(seed, stats, digest.algorithm) : nil
    statCache.withLock { cache in
      for (path, stats) in folders { cache.remember(StatCache.Key(folder: path, algorithm: digest.algorithm), stats) }
      let key = StatCache.Key(folder: target, algorithm: digest.algorithm)
      if let print { cache.remember(key, StatCache.Memo(print: print, digest: digest)) }
      cache.forget(below: target, digest.algorithm, but: Set(folders.map(\.path)))
    }
  }
}

/// Where objects come from and how they become files.
struct Layer: Sendable {
  private let store: any ObjectStore
  /// `nil` for a store that is no folder: its objects are copied one by one.
  let placer: ObjectPlacer?

  init(_ store: any ObjectStore, _ kinds: [LinkKind]) throws(StoreError) {
    self.store = store
    if let folder = store as? DirectoryObjectStore {
      placer = ObjectPlacer(try folder.opened(), kinds)
    } else {
      placer = nil
    }
  }

  func layFile(_ digest: Digest, at path: String, isExecutable: Bool) throws(StoreError) {
    guard let placer else {
      try store.copy(digest, to: path)
      if isExecutable, chmod(path, 0o777 & ~umaskBits) != 0 { throw .system("write", path: path, code: errno) }
      return
    }
    try withKernelText(path) { (name) throws(StoreError) in
      _ = try placer.place(digest, in: AT_FDCWD, as: name, path: path, isExecutable: isExecutable, Workers.Room())
    }
  }
}

/// A tree with its files ordered by the folder that they lie in.
struct TreePlan: Sendable {
  /// A folder by the one above it, so that deep folders cost no more than their names.
  struct Folder: Sendable, Hashable {
    /// Index among the folders.
    let parent: Int
    let name: Substring

    /// By bytes: what Unicode calls equal are two names to the kernel.
    static func == (a: Self, b: Self) -> Bool { a.parent == b.parent && a.name.utf8.elementsEqual(b.name.utf8) }

    func hash(into hasher: inout Hasher) {
      hasher.combine(parent)
      for byte in name.utf8 { hasher.combine(byte) }
    }
  }

  let tree: FileTree
  /// Each after the folder above it; the first is the tree itself, with an empty name.
  private(set) var folders = [Folder(parent: 0, name: "")]
  /// Indices of entries, folder by folder, in pieces that one thread lays at a time.
  private(set) var pieces: [(folder: Int, entries: [Int])] = []
  /// Indices of a folder's own entries, in order, by the folder's number.
  private let members: [[Int]]

  private static let pieceLength = 256

  init(_ tree: FileTree) {
    self.tree = tree
    var numbers: [Folder: Int] = [:]
    var members: [[Int]] = [[]]
    var last: (path: Substring, number: Int) = ("", 0)
    for (index, entry) in tree.entries.enumerated() {
      let path = entry.path.utf8.lastIndex(of: UInt8(ascii: "/")).map { entry.path[..<$0] } ?? ""
      if !path.utf8.elementsEqual(last.path.utf8) { last = (path, Self.number(of: path, &numbers, &folders, &members)) }
      members[last.number].append(index)
    }
    self.members = members
    for (folder, indices) in members.enumerated() {
      for start in stride(from: 0, to: indices.count, by: Self.pieceLength) {
        pieces.append((folder, Array(indices[start..<min(start + Self.pieceLength, indices.count)])))
      }
    }
  }

  /// What the cache is to know of a folder's own files; `nil` when there are none.
  func stats(ofFolder folder: Int, _ stats: Slots<FileStat?>) -> FolderStats? {
    let laid = members[folder].filter { stats[$0] != nil }
    guard !laid.isEmpty else { return nil }
    let skipped = folder == 0 ? 0 : path(of: folder).utf8.count + 1
    return FolderStats(count: laid.count, nameBytes: laid.reduce(0) { $0 + tree.entries[$1].path.utf8.count - skipped }) {
      (index, names) in
      let entry = tree.entries[laid[index]]
      let length = withBytes(entry.path) { path in
        let name = UnsafeBufferPointer(rebasing: path[skipped...])
        if let base = name.baseAddress { names.update(from: base, count: name.count) }
        return name.count
      }
      // Written by this process a moment ago, so nobody else can have changed it since.
      guard let stat = stats[laid[index]] else { preconditionFailure("only files that were laid are asked for") }
      return (length, FolderStats.Entry(stat: stat, digest: entry.digest, isTrusted: true))
    }
  }

  /// The fingerprint that a walk of the tree as it was laid out will find; `nil` when a file is not as the list says, or
  /// its stat is not known.
  func listPrint(_ seed: ListPrint, _ stats: Slots<FileStat?>, _ algorithm: Digest.Algorithm) -> ListPrint? {
    var print = seed
    for (index, entry) in tree.entries.enumerated() {
      guard let stat = stats[index], algorithm != .sha256 || stat.isExecutable == entry.isExecutable else { return nil }
      print.mix(entry.path, entry.digest, size: stat.size, isExecutable: stat.isExecutable)
    }
    return print
  }

  private static func number(
    of path: Substring, _ numbers: inout [Folder: Int], _ folders: inout [Folder], _ members: inout [[Int]]
  ) -> Int {
    var current = 0
    for name in path.utf8.split(separator: UInt8(ascii: "/")) {
      let folder = Folder(parent: current, name: Substring(name))
      if let known = numbers[folder] {
        current = known
      } else {
        current = folders.count
        numbers[folder] = current
        folders.append(folder)
        members.append([])
      }
    }
    return current
  }

  /// Relative to the tree; empty for the tree itself.
  func path(of folder: Int) -> String {
    var names: [Substring] = []
    var current = folder
    while current != 0 {
      names.append(folders[current].name)
      current = folders[current].parent
    }
    return names.reversed().joined(separator: "/")
  }

  /// Lays the tree out in a new folder.
  ///
  /// - Returns: the stat of every file, by the index of its entry.
  func lay(at staging: String, by layer: Layer) throws(StoreError) -> Slots<FileStat?> {
    try AtomicFile.makeFolder(staging)
    for folder in folders.indices.dropFirst() {
      let path = "\(staging)/\(path(of: folder))"
      guard mkdir(path, 0o777) == 0 else { throw .system("make the folder", path: path, code: errno) }
    }
    let stats = Slots<FileStat?>(tree.entries.count, nil)
    guard let placer = layer.placer else {
      for (index, entry) in tree.entries.enumerated() {
        let path = "\(staging)/\(entry.path)"
        try layer.layFile(entry.digest, at: path, isExecutable: entry.isExecutable)
        stats[index] = FileStat(path)
      }
      return stats
    }
    try Workers.run(pieces.count, piece: 1) { (range, room) throws(StoreError) in
      for piece in range { try lay(pieces[piece], at: staging, by: placer, stats, room) }
    }
    return stats
  }

  private func lay(
    _ piece: (folder: Int, entries: [Int]), at staging: String, by placer: ObjectPlacer, _ stats: Slots<FileStat?>,
    _ room: Workers.Room
  ) throws(StoreError) {
    let inner = path(of: piece.folder)
    let path = inner.isEmpty ? staging : "\(staging)/\(inner)"
    let folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard folder >= 0 else { throw .system("open", path: path, code: errno) }
    defer { close(folder) }
    let skipped = inner.isEmpty ? 0 : inner.utf8.count + 1
    for index in piece.entries {
      let entry = tree.entries[index]
      stats[index] = try withKernelText(entry.path, skipping: skipped) { (name) throws(StoreError) in
        try placer.place(
          entry.digest, in: folder, as: name, path: "\(staging)/\(entry.path)", isExecutable: entry.isExecutable, room)
      }
    }
  }
}

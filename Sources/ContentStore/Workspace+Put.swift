// Bringing objects of a store into the workspace.
// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Synchronization

extension Workspace {
  /// Makes a path hold what a digest names, writing beside it and renaming.
  ///
  /// - Parameter links: how objects become files, in order; `nil` is the workspace's own order.
  /// - Throws: `missingObject`, `corruptObject`, `malformedTree`, `escapes`, `system`; then the path holds what it held.
  package func put(
    _ digest: Digest, at path: WorkspacePath, isExecutable: Bool = false, from store: any ObjectStore, links: [LinkKind]? = nil
  ) throws(StoreError) {
    try makeParent(of: path)
    let target = absolute(path)
    let unique = "put-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    let staging = stagingFolder.map { "\($0)/\(unique)" } ?? "\(target).\(unique).tmp"
    let store = try (store as? FetchingStore)?.local(with: digest) ?? store
    let layer = try Layer(store, links ?? self.links)
    do throws(StoreError) {
      if digest.isTree {
        let plan = TreePlan(try store.tree(digest))
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

  private func remember(_ plan: TreePlan, _ stats: Slots<FileStat?>, at target: String, _ digest: Digest) {
    statCache.withLock { cache in
      for (index, entry) in plan.tree.entries.enumerated() {
        guard let info = stats[index] else { continue }
        cache.remember("\(target)/\(entry.path)", info, entry.digest, isOwn: true)
      }
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
    try placer.place(digest, in: AT_FDCWD, as: path, path: path, isExecutable: isExecutable, Workers.Room())
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

  private static let pieceLength = 256

  init(_ tree: FileTree) {
    self.tree = tree
    var numbers: [Folder: Int] = [:]
    var members: [[Int]] = [[]]
    var last: (path: Substring, number: Int) = ("", 0)
    for (index, entry) in tree.entries.enumerated() {
      let path = entry.path.utf8.lastIndex(of: UInt8(ascii: "/")).map { entry.path[..<$0] } ?? ""
      if !path.utf8.elementsEqual(last.path.utf8) { last = (path, number(of: path, &numbers, &members)) }
      members[last.number].append(index)
    }
    for (folder, indices) in members.enumerated() {
      for start in stride(from: 0, to: indices.count, by: Self.pieceLength) {
        pieces.append((folder, Array(indices[start..<min(start + Self.pieceLength, indices.count)])))
      }
    }
  }

  private mutating func number(of path: Substring, _ numbers: inout [Folder: Int], _ members: inout [[Int]]) -> Int {
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
  private func path(of folder: Int) -> String {
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
      let name =
        skipped == 0 ? entry.path : String(entry.path[entry.path.utf8.index(entry.path.startIndex, offsetBy: skipped)...])
      try placer.place(
        entry.digest, in: folder, as: name, path: "\(path)/\(name)", isExecutable: entry.isExecutable, room)
      stats[index] = FileStat(name, in: folder)
    }
  }
}

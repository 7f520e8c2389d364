// Changing a directory of the workspace file by file, and data that comes from outside of it.
// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Synchronization

extension Workspace {
  /// Removes files of a directory and brings others in; what is not named stays, also what `ignore` leaves out.
  ///
  /// New files are laid out elsewhere first and then renamed into place, so a missing object changes nothing. Folders that
  /// lose their last file go, but not the directory itself.
  /// - Parameters:
  ///   - removed: paths of files, relative to the directory.
  ///   - added: files that are to be there; one that is there already is replaced.
  /// - Throws: as `put`; `escapes` before anything is changed when a link on the way leads out of the workspace.
  package func patch(
    _ path: WorkspacePath, removing removed: [String], adding added: FileTree, from store: any ObjectStore,
    links: [LinkKind]? = nil
  ) throws(StoreError) {
    try checkFolders(of: removed + added.entries.map(\.path), below: path)
    unlinked.withLock { $0.removeAll() }
    let staging = "\(stagingFolder ?? absolute(path) + ".tmp")/patch-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    let plan = TreePlan(added)
    do throws(StoreError) {
      if !added.entries.isEmpty { _ = try plan.lay(at: staging, by: try Layer(store, links ?? self.links)) }
      try removeFiles(removed, below: absolute(path))
      try moveInto(absolute(path), from: staging, plan)
    } catch {
      try? AtomicFile.removeAll(staging)
      throw error
    }
    try AtomicFile.removeAll(staging)
  }

  private func checkFolders(of paths: [String], below path: WorkspacePath) throws(StoreError) {
    var folders: Set<Substring> = []
    for relative in paths {
      let folder = relative.utf8.lastIndex(of: UInt8(ascii: "/")).map { relative[..<$0] } ?? ""
      guard folders.insert(folder).inserted else { continue }
      guard let file = WorkspacePath(relative, in: path) else { throw .escapes(path: "\(path)/\(relative)") }
      try checkParent(of: file)
    }
  }

  private func removeFiles(_ paths: [String], below folder: String) throws(StoreError) {
    var emptied: Set<String> = []
    for relative in paths {
      let file = "\(folder)/\(relative)"
      guard unlink(file) == 0 || errno == ENOENT || errno == ENOTDIR else { throw .system("remove", path: file, code: errno) }
      if let slash = relative.utf8.lastIndex(of: UInt8(ascii: "/")) { emptied.insert(String(relative[..<slash])) }
    }
    // The deepest first; one that still has something stays, and so do those above it.
    for start in emptied.sorted(by: { $0.utf8.count > $1.utf8.count }) {
      var current = start
      while !current.isEmpty, rmdir("\(folder)/\(current)") == 0 {
        current = current.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(current[..<$0]) } ?? ""
      }
    }
  }

  private func moveInto(_ target: String, from staging: String, _ plan: TreePlan) throws(StoreError) {
    guard !plan.tree.entries.isEmpty else { return }
    for folder in plan.folders.indices { try AtomicFile.makeFolder(folder == 0 ? target : "\(target)/\(plan.path(of: folder))") }
    for entry in plan.tree.entries {
      let file = "\(target)/\(entry.path)"
      guard rename("\(staging)/\(entry.path)", file) == 0 else { throw .system("write", path: file, code: errno) }
    }
    statCache.withLock { cache in
      for entry in plan.tree.entries {
        let file = "\(target)/\(entry.path)"
        if let info = FileStat(file) { cache.remember(file, info, entry.digest, isOwn: true) }
      }
    }
  }

  /// Keeps data from outside the workspace in a store.
  ///
  /// - Parameter path: absolute.
  package func keep(absolute path: String, into store: DirectoryObjectStore) throws(StoreError) -> Content {
    try keep(absolute: path, into: try store.opened(makes: true), folder: nil)
  }

  /// Looks at several paths, files among them at the same time, and keeps them in a store as `keep` does.
  ///
  /// - Parameters:
  ///   - store: `nil` only looks.
  /// - Returns: in the order of the paths.
  package func keep(_ paths: [WorkspacePath], into store: (any ObjectStore)?, links: [LinkKind]? = nil) throws(StoreError)
    -> [Content]
  {
    let found = Slots<Content>(paths.count, .missing)
    let isFolder = paths.map { FileStat(absolute($0))?.kind == .directory }
    let files = paths.indices.filter { !isFolder[$0] }
    let look = { @Sendable (path: WorkspacePath) throws(StoreError) -> Content in
      if let store { try self.keep(path, into: store, links: links) } else { try self.content(of: path) }
    }
    try Workers.run(files.count, piece: 1) { (range, _) throws(StoreError) in
      for index in range { found[files[index]] = try look(paths[files[index]]) }
    }
    // A directory keeps all threads busy by itself.
    for index in paths.indices where isFolder[index] { found[index] = try look(paths[index]) }
    return found.array()
  }
}

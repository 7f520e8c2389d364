// The data of a project at one moment, path by path: what `diff` and `data status` compare.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import PipelineModel

/// Outputs that the project keeps, each with the files below it as far as they are known.
struct DataIndex {
  struct Entry {
    /// From the project's root.
    var path: String
    /// `nil` for what is there without a known digest.
    var digest: Digest?
    var isFolder: Bool

    /// With a slash at the end of a folder.
    var shown: String { isFolder ? path + "/" : path }
  }

  struct Root {
    var entry: Entry
    /// Files and folders below by path; `nil` when the list is not in the store.
    var below: [String: Entry]?
  }

  private(set) var roots: [String: Root] = [:]

  /// What lock files and pointer files say.
  ///
  /// - Parameter listing: whether to read the lists of folders.
  init(agreed loaded: LoadedProject, store: DirectoryObjectStore, listing: Bool) {
    for (output, result) in Self.outputs(loaded) {
      guard let result else { continue }
      let path = output.path.text
      let entry = Entry(path: path, digest: result.digest, isFolder: result.digest.isTree)
      var below: [String: Entry]? = [:]
      if listing, result.digest.isTree { below = (try? store.tree(result.digest)).map { Self.below(path, $0) } }
      roots[path] = Root(entry: entry, below: below)
    }
  }

  /// What the workspace has at the same places.
  init(workspace: Workspace, of loaded: LoadedProject, listing: Bool) throws {
    for (output, result) in Self.outputs(loaded) {
      let path = output.path.text
      switch try workspace.content(of: output.path, result?.digest.algorithm) {
      case .missing: continue
      case .file(let digest, _, _):
        roots[path] = Root(entry: Entry(path: path, digest: digest, isFolder: false), below: [:])
      case .directory(let tree, let digest):
        roots[path] = Root(
          entry: Entry(path: path, digest: digest, isFolder: true), below: listing ? Self.below(path, tree) : [:])
      }
    }
  }

  private static func outputs(_ loaded: LoadedProject) -> [(Output, Trace.Result?)] {
    loaded.pipeline.stages.flatMap { stage in
      let agreed = loaded.lock.entries[stage.name]?.outputs ?? []
      return stage.outputs.filter { loaded.project.dialect.isNative ? $0.isStored : $0.isCached }.map { output in
        (output, agreed.first { $0.path == output.path.text })
      }
    }
  }

  private static func below(_ folder: String, _ tree: FileTree) -> [String: Entry] {
    var entries: [String: Entry] = [:]
    entries.reserveCapacity(tree.entries.count)
    for file in tree.entries {
      let path = "\(folder)/\(file.path)"
      entries[path] = Entry(path: path, digest: file.digest, isFolder: false)
    }
    return entries
  }
}

/// One difference of two indices.
struct DataChange {
  enum Kind { case added, deleted, modified, renamed, unchanged, unknown }

  var kind: Kind
  var old: DataIndex.Entry?
  var new: DataIndex.Entry?

  /// All differences, also what is equal; without renames.
  ///
  /// - Parameters:
  ///   - granular: whether to look below outputs.
  ///   - targets: only these paths and what lies below them; empty is all.
  static func all(from old: DataIndex, to new: DataIndex, granular: Bool, targets: [String] = []) -> [DataChange] {
    func isWanted(_ path: String) -> Bool { targets.isEmpty || targets.contains { path == $0 || path.hasPrefix($0 + "/") } }
    var changes: [DataChange] = []
    for path in Set(old.roots.keys).union(new.roots.keys).sorted(by: Self.precedes) {
      let before = old.roots[path]
      let after = new.roots[path]
      if isWanted(path) { changes.append(DataChange(before?.entry, after?.entry)) }
      guard granular else { continue }
      // Nothing can be said of single files when one of the lists is not known.
      let isKnown = (before == nil || before?.below != nil) && (after == nil || after?.below != nil)
      let olds = before?.below ?? [:]
      let news = after?.below ?? [:]
      guard isKnown else {
        for entry in Self.withFolders(news, in: path) where isWanted(entry.path) {
          var change = DataChange(nil, entry)
          change.kind = .unknown
          changes.append(change)
        }
        continue
      }
      for below in Set(olds.keys).union(news.keys).sorted(by: Self.precedes) where isWanted(below) {
        changes.append(DataChange(olds[below], news[below]))
      }
    }
    return changes
  }

  /// Files with the folders that they lie in.
  private static func withFolders(_ files: [String: DataIndex.Entry], in root: String) -> [DataIndex.Entry] {
    var found = files
    for path in files.keys {
      var folder = path[...]
      while let slash = folder.lastIndex(of: "/"), slash > path.index(path.startIndex, offsetBy: root.count) {
        folder = folder[..<slash]
        let name = String(folder)
        if found.updateValue(DataIndex.Entry(path: name, digest: nil, isFolder: true), forKey: name) != nil { break }
      }
    }
    return found.values.sorted { precedes($0.path, $1.path) }
  }

  private init(_ old: DataIndex.Entry?, _ new: DataIndex.Entry?) {
    self.old = old
    self.new = new
    switch (old, new) {
    case (nil, _): kind = .added
    case (_, nil): kind = .deleted
    case (let old?, let new?): kind = old.digest == new.digest && old.isFolder == new.isFolder ? .unchanged : .modified
    }
  }

  private init(renamed old: DataIndex.Entry?, _ new: DataIndex.Entry?) {
    kind = .renamed
    self.old = old
    self.new = new
  }

  /// What was added with the digest of something deleted counts as renamed; the first of each by path.
  static func joiningRenames(_ changes: [DataChange]) -> [DataChange] {
    var deleted: [Digest: [DataChange]] = [:]
    for change in changes.reversed() where change.kind == .deleted {
      if let digest = change.old?.digest { deleted[digest, default: []].append(change) }
    }
    var joined = changes.filter { $0.kind != .added && $0.kind != .deleted }
    var taken: Set<String> = []
    for change in changes where change.kind == .added {
      if let digest = change.new?.digest, let source = deleted[digest]?.popLast() {
        taken.insert(source.old?.path ?? "")
        joined.append(DataChange(renamed: source.old, change.new))
      } else {
        joined.append(change)
      }
    }
    return joined + changes.filter { $0.kind == .deleted && !taken.contains($0.old?.path ?? "") }
  }

  private static func precedes(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }
}

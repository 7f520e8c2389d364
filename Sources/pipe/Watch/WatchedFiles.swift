// What a build follows from: the files whose edit makes a stage stale, where they would appear, and how they look now.
// SPDX-License-Identifier: Apache-2.0
import BuildEngine
import ContentStore
import PipelineModel

/// Paths are relative to the project's root, or absolute when they lie outside.
struct WatchedFiles {
  /// How a file is recognised as the one that was there.
  struct Sight: Equatable {
    var inode: UInt64
    var size: Int64
    var modified: Int64
    var mode: UInt32
  }

  /// What was to be seen at one moment.
  struct Look {
    var files: [String: Sight] = [:]
    /// Folders in which something that counts may change or appear.
    var folders: Set<String> = []

    /// Paths that differ from an earlier look, sorted.
    func changes(since earlier: Look) -> [String] {
      let changed = files.filter { earlier.files[$0.key] != $0.value }.map(\.key)
      return (changed + earlier.files.keys.filter { files[$0] == nil }).sorted()
    }

    /// Takes over how some files look in a later look: those that `pipe` writes itself.
    mutating func accept(_ paths: Set<String>, from later: Look) {
      for path in paths { files[path] = later.files[path] }
    }
  }

  private let root: String
  private let dialect: Dialect
  private let rules: IgnoreRules
  /// Single files, there or not.
  private var files: Set<String> = []
  /// Files, or folders with all that is below.
  private var trees: Set<String> = []
  /// Made by stages.
  private var outputs: Set<String> = []
  /// Folders that may hold manifests and pointer files.
  private var folders: [String] = []
  /// Lock files and pointer files, which a build writes.
  private(set) var written: Set<String> = []

  /// Whether the manifests could not be read: then every file counts that may mend them, and no other.
  let isUnread: Bool

  /// - Parameter outputs: what the stages made when the manifests could be read.
  init(unread project: Project, made outputs: Set<String>) {
    self.init(project, isUnread: true)
    self.outputs = outputs
    trees = [""]
  }

  private init(_ project: Project, isUnread: Bool) {
    root = project.root
    dialect = project.dialect
    rules = project.ignoreRules
    self.isUnread = isUnread
  }

  /// What the stages in `order` follow from.
  init(_ loaded: LoadedProject, _ graph: StageGraph, _ order: [Int]) {
    self.init(loaded.project, isUnread: false)
    folders = loaded.folders
    files = Set(loaded.sources.map(\.text))
    for source in loaded.pipeline.reportSources where source.role == "card" { files.insert(source.path.text) }
    for pattern in loaded.patterns { trees.insert(pattern.base?.text ?? "") }
    // What `add` keeps is people's own.
    outputs = Set(loaded.pipeline.stages.filter { $0.work != .data }.flatMap { $0.outputs.map(\.path.text) })
    written = Set(loaded.pointers.keys.map(\.text))
    let reader = ProjectReader(loaded.project, WorkspaceSource(root: root))
    written.formUnion(loaded.pipeline.stages.compactMap(\.manifest).map { reader.lockPath(of: $0).text })
    for index in order { add(graph.stages[index]) }
  }

  private mutating func add(_ stage: Stage) {
    switch stage.work {
    case .notebook(let path): files.insert(path.text)
    case .data: trees.formUnion(stage.outputs.map(\.path.text))
    case .commands: break
    }
    for dependency in stage.dependencies {
      switch dependency.place {
      case .workspace(let path): trees.insert(path.text)
      case .external(let path): trees.insert(path)
      case .pattern(let pattern): trees.insert(pattern.base?.text ?? "")
      }
    }
    files.formUnion(stage.parameters.map(\.file.text))
  }

  var made: Set<String> { outputs }

  // MARK: Hints

  /// Whether an event at a path is a reason to look. Folders that appear are; what editors leave behind for a moment is not.
  func concerns(_ path: String) -> Bool {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    if files.contains(path) { return true }
    if isMade(path) || isState(path) || Self.isScrap(name) { return false }
    if decidesReading(name) { return true }
    let isFolder = FileStat(absolute(path))?.kind == .directory
    if !path.hasPrefix("/"), rules.isIgnored(path, isDirectory: isFolder) { return false }
    return isFolder || (isWithin(path, trees) && mayCount(name)) || leads(path)
  }

  /// Of a project that cannot be read, what a manifest is or may refer to.
  private func mayCount(_ name: String) -> Bool {
    !isUnread || decidesReading(name)
      || [".yaml", ".yml", ".json", ".toml", ".py", dialect.lockName].contains { name.hasSuffix($0) }
  }

  /// Whether a file of this name decides, in any folder, which stages there are.
  private func decidesReading(_ name: String) -> Bool {
    name == dialect.manifestName || name == dialect.ignoreName || name.hasSuffix(dialect.pointerSuffix)
  }

  /// Names that Vim, Emacs and others use while they save.
  private static func isScrap(_ name: String) -> Bool {
    name == "4913" || name.hasSuffix("~") || name.hasPrefix(".#") || (name.hasPrefix("#") && name.hasSuffix("#"))
      || (name.hasPrefix(".") && [".swp", ".swo", ".swx"].contains { name.hasSuffix($0) })
  }

  private func isMade(_ path: String) -> Bool { isWithin(path, outputs) }

  private func isState(_ path: String) -> Bool {
    guard !path.hasPrefix("/") else { return false }
    return path.split(separator: "/").contains { [".git", ".hg", ".pipe", ".dvc"].contains($0) }
  }

  private func isWithin(_ path: String, _ places: Set<String>) -> Bool {
    if places.contains(path) || (places.contains("") && !path.hasPrefix("/")) { return true }
    var rest = path[...]
    while let slash = rest.lastIndex(of: "/"), slash > rest.startIndex {
      rest = rest[..<slash]
      if places.contains(String(rest)) { return true }
    }
    return false
  }

  /// Whether something that counts lies below a path: a folder that was moved in or away.
  private func leads(_ path: String) -> Bool {
    let below = path + "/"
    return files.contains { $0.hasPrefix(below) } || trees.contains { $0.hasPrefix(below) }
  }

  private func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : path.isEmpty ? root : "\(root)/\(path)" }

  // MARK: Looking

  func look() -> Look {
    var look = Look()
    for file in files {
      watchAround(file, &look)
      see(file, &look)
    }
    for tree in trees {
      if !tree.isEmpty { watchAround(tree, &look) }
      walk(tree, &look)
    }
    for folder in folders {
      look.folders.insert(folder)
      for entry in (try? AtomicFile.kinds(absolute(folder))) ?? [] where !entry.isFolder {
        let name = entry.name
        if decidesReading(name) { see(folder.isEmpty ? name : "\(folder)/\(name)", &look) }
      }
    }
    return look
  }

  private func see(_ path: String, _ look: inout Look) {
    guard let stat = FileStat(absolute(path)), stat.kind == .file else { return }
    look.files[path] = Sight(inode: stat.inode, size: stat.size, modified: stat.modified, mode: stat.mode)
  }

  /// The folder that a path is in, or the nearest one that is there.
  private func watchAround(_ path: String, _ look: inout Look) {
    var folder = path[...]
    while let slash = folder.lastIndex(of: "/"), slash > folder.startIndex {
      folder = folder[..<slash]
      if look.folders.contains(String(folder)) { return }
      guard FileStat(absolute(String(folder)))?.kind == .directory else { continue }
      look.folders.insert(String(folder))
      return
    }
    look.folders.insert(path.hasPrefix("/") ? "/" : "")
  }

  private func walk(_ path: String, _ look: inout Look) {
    var waiting = [path]
    while let current = waiting.popLast() {
      if !current.isEmpty, isMade(current) { continue }
      let kind = FileStat(absolute(current), followingLinks: current == path)?.kind
      guard kind == .directory else {
        if mayCount(current) { see(current, &look) }
        continue
      }
      look.folders.insert(current)
      for (name, isFolder) in (try? AtomicFile.kinds(absolute(current))) ?? [] where !Self.isScrap(name) {
        let inner = current.isEmpty ? name : "\(current)/\(name)"
        if isState(inner) || (!inner.hasPrefix("/") && rules.isIgnored(inner, isDirectory: isFolder)) { continue }
        waiting.append(inner)
      }
    }
  }
}

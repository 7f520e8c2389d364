// What `add` does: from typed paths to pointer files, with every refusal before the first change.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import Glibc
import PipelineModel
import SourceControl

/// Write order: objects → pointer files → ignore files. A kill between them leaves what a second `add` completes.
struct DataAddition {
  private let loaded: LoadedProject
  private let graph: StageGraph
  private let workspace: Workspace
  private var project: Project { loaded.project }
  private var results: AgreedResults { AgreedResults(project: project, loaded: loaded) }
  /// `false` writes pointer files alone.
  var keepsObjects = true
  /// Whether links among the files become what `cache.type` says.
  var relinks = true
  /// Pointer files as they are to be.
  private var pointers: [WorkspacePath: PointerFile] = [:]
  private var order: [WorkspacePath] = []
  private var ignored: [WorkspacePath] = []

  init(_ loaded: LoadedProject, _ graph: StageGraph, _ workspace: Workspace) {
    self.loaded = loaded
    self.graph = graph
    self.workspace = workspace
  }

  /// A path with the row of a pointer file that it is, or lies in.
  private struct Target {
    var path: WorkspacePath
    var pointer: WorkspacePath
    var row: Int
    /// Below the row's folder; `nil` is all of it.
    var part: String?
  }

  mutating func add(_ typed: [String]) throws {
    var seen: Set<WorkspacePath> = []
    let targets = try typed.compactMap { text -> Target? in
      let target = try find(text, mustExist: true)
      return seen.insert(target.path).inserted ? target : nil
    }
    try checkTogether(targets)
    let contents = try look(at: targets)
    for (target, content) in zip(targets, contents) { try apply(content, to: target) }
    if relinks, keepsObjects {
      for (target, content) in zip(targets, contents) where content != .missing {
        try workspace.settle(target.path, isExecutable: target.part == nil ? content.isExecutable : nil, project)
      }
    }
    try write(placed: relinks && keepsObjects)
  }

  /// Data from anywhere, copied to a place in the project.
  mutating func copy(_ source: String, to out: String, replacing: Bool) throws {
    if source.contains("://") {
      throw Diagnostic(.input, "`\(source)` is not a path", hints: ["download it first; `pipe add` then keeps it"])
    }
    guard FileStat(source) != nil, let real = realpath(source, nil) else { throw Diagnostic(.input, "there is no `\(source)`") }
    defer { free(real) }
    let name = source.split(separator: "/").last.map(String.init) ?? source
    let place = FileStat(out)?.kind == .directory ? "\(out)/\(name)" : out
    if FileStat(place) != nil, !replacing {
      throw Diagnostic(.input, "`\(place)` is there already", hints: ["--force replaces it"])
    }
    let target = try find(place, mustExist: false)
    guard target.part == nil else {
      throw Diagnostic(.input, "`\(place)` lies in data that is tracked already", hints: ["copy it there, then `pipe add` it"])
    }
    try checkTogether([target])
    var content = try workspace.keep(absolute: String(cString: real), into: project.store)
    // As DVC does, which knows of no modes in what it copies.
    if case .file(let digest, let size, _) = content { content = .file(digest, size: size, isExecutable: false) }
    guard let digest = content.digest else { throw Diagnostic(.input, "there is no `\(source)`") }
    try workspace.put(digest, at: target.path, from: project.store)
    try apply(content, to: target)
    try write(placed: true)
  }

  func tell() {
    for path in order { Terminal.standard.note("wrote `\(project.display(path))`") }
  }

  // MARK: Finding

  private mutating func find(_ typed: String, mustExist: Bool) throws -> Target {
    guard let path = project.path(typed) else {
      throw Diagnostic(
        .input, "`\(typed)` lies outside the project", hints: ["`--out PLACE` copies it into the project, and tracks it there"])
    }
    try checkLinks(path)
    if let index = graph.producerIndex(of: path) { return try tracked(path, by: graph.stages[index], typed) }
    if mustExist, !workspace.exists(path) { throw Diagnostic(.input, "there is no `\(typed)`") }
    try checkName(path)
    if let inner = graph.producers(below: path).first {
      throw Diagnostic(
        .input, "`\(typed)` holds data that is tracked already, by `\(project.display(graph.stages[inner]))`",
        hints: ["`pipe remove \(project.display(graph.stages[inner]))` first, or leave that data out"])
    }
    guard let pointer = WorkspacePath(path.name + project.dialect.pointerSuffix, in: path.parent) else {
      throw Diagnostic(.input, "`\(typed)` can have no pointer file")
    }
    if project.ignoreRules.isIgnored(pointer.text, isDirectory: false) {
      throw Diagnostic(.input, "the pointer file `\(project.display(pointer))` would be ignored")
    }
    // One that is there for other data gives its comments and its notes.
    var file = loaded.pointers[pointer]?.file ?? PointerFile(outputs: [])
    file.workingDirectory = nil
    file.dependencies = []
    file.stageDigest = nil
    file.isFrozen = false
    file.outputs = [PointerFile.Output(place: path, digest: nil, size: nil)]
    enter(pointer, file)
    return Target(path: path, pointer: pointer, row: 0)
  }

  private mutating func tracked(_ path: WorkspacePath, by stage: Stage, _ typed: String) throws -> Target {
    guard stage.work == .data, let pointer = stage.manifest, let file = pointers[pointer] ?? loaded.pointers[pointer]?.file,
      let row = file.outputs.firstIndex(where: { path.isWithin($0.place) })
    else {
      throw Diagnostic(
        .input, "`\(typed)` is made by stage `\(project.display(stage))`",
        hints: ["`pipe repro \(project.display(stage))` makes it; `pipe commit` keeps it as it is"])
    }
    let output = file.outputs[row]
    var target = Target(path: path, pointer: pointer, row: row)
    if output.place != path {
      target.part = String(path.text.dropFirst(output.place.text.count + 1))
      if let digest = output.digest, !digest.isTree {
        throw Diagnostic(.input, "`\(output.place)` is tracked as a file, so `\(typed)` cannot be part of it")
      }
    } else if !workspace.exists(path) {
      throw Diagnostic(.input, "there is no `\(typed)`", hints: ["`pipe checkout` brings it back"])
    }
    enter(pointer, file)
    return target
  }

  private mutating func enter(_ pointer: WorkspacePath, _ file: PointerFile) {
    if pointers.updateValue(file, forKey: pointer) == nil { order.append(pointer) }
  }

  private func checkLinks(_ path: WorkspacePath) throws {
    var folder = path.parent
    while let current = folder {
      if FileStat(workspace.absolute(current), followingLinks: false)?.kind == .link {
        throw Diagnostic(.input, "`\(project.display(path))` lies behind the link `\(project.display(current))`")
      }
      folder = current.parent
    }
    let file = workspace.absolute(path)
    if FileStat(file, followingLinks: false)?.kind == .link, FileStat(file)?.kind == .directory {
      throw Diagnostic(
        .input, "`\(project.display(path))` is a link to a folder", hints: ["add that folder, or put a copy in its place"])
    }
  }

  private func checkName(_ path: WorkspacePath) throws {
    if path.name == project.dialect.manifestName || path.name.hasSuffix(project.dialect.pointerSuffix) {
      throw Diagnostic(.input, "`\(project.display(path))` is a file of the project itself, not data")
    }
    let isFolder = FileStat(workspace.absolute(path))?.kind == .directory
    let verdict = project.ignoreRules.verdict(path.text, isDirectory: isFolder)
    if verdict.isIgnored {
      throw Diagnostic(
        .input, "`\(project.display(path))` is ignored", causes: verdict.matches.last.map { ["by \($0.text)"] } ?? [])
    }
  }

  private func checkTogether(_ targets: [Target]) throws {
    let whole = targets.filter { $0.part == nil }.sorted { $0.path < $1.path }
    let places = Set(whole.map(\.path))
    for target in whole {
      var folder = target.path.parent
      while let current = folder {
        if places.contains(current) {
          throw Diagnostic(.input, "`\(project.display(target.path))` lies in `\(project.display(current))`: add one of the two")
        }
        folder = current.parent
      }
    }
    let outputs = targets.compactMap { pointers[$0.pointer]?.outputs[$0.row] }.filter(\.isCached).map(\.place)
    if let path = try results.firstTracked(outputs) {
      throw Diagnostic(
        .input, "Git tracks `\(project.display(path))`, or files in it",
        hints: ["`git rm -r --cached \(project.display(path))` makes Git forget it, and then it can be added"])
    }
  }

  // MARK: Looking

  private func look(at targets: [Target]) throws -> [Content] {
    let kinds: [LinkKind]? = relinks ? nil : [.copy]
    var contents = [Content](repeating: .missing, count: targets.count)
    var kept: [Int] = []
    var seen: [Int] = []
    for index in targets.indices where workspace.exists(targets[index].path) {
      guard let output = pointers[targets[index].pointer]?.outputs[targets[index].row] else { continue }
      if targets[index].part == nil, let old = try legacy(output, kinds) {
        contents[index] = old
      } else if output.isCached, keepsObjects {
        kept.append(index)
      } else {
        seen.append(index)
      }
    }
    let store = project.store
    for (index, content) in zip(kept, try workspace.keep(kept.map { targets[$0].path }, into: store, links: kinds)) {
      contents[index] = content
    }
    for (index, content) in zip(seen, try workspace.keep(seen.map { targets[$0].path }, into: nil)) {
      contents[index] = content
    }
    return contents
  }

  /// Data as DVC 2 recorded it, when it has not changed since: its record stays as it is.
  private func legacy(_ output: PointerFile.Output, _ kinds: [LinkKind]?) throws -> Content? {
    guard let agreed = output.digest, agreed.algorithm == .md5dos2unix else { return nil }
    let content = try workspace.content(of: output.place, .md5dos2unix)
    guard content.digest == agreed else { return nil }
    if keepsObjects, output.isCached { try workspace.take(output.place, content, into: project.store, links: kinds) }
    return content
  }

  // MARK: Applying

  private mutating func apply(_ content: Content, to target: Target) throws {
    guard var file = pointers[target.pointer] else { return }
    if let part = target.part {
      try apply(content, to: &file.outputs[target.row], part: part)
    } else {
      file.outputs[target.row].take(content)
    }
    if file.outputs[target.row].isCached { ignored.append(file.outputs[target.row].place) }
    pointers[target.pointer] = file
  }

  private func apply(_ content: Content, to output: inout PointerFile.Output, part: String) throws {
    let old = try output.digest.map { try project.store.tree($0) } ?? FileTree([])
    let change = TreeChange(old, part: part, content)
    guard content != .missing || change.removed > 0 else {
      throw Diagnostic(
        .input, "there is no `\(output.place)/\(part)`, neither in the workspace nor in what `\(output.place)` was")
    }
    let algorithm = project.dialect.algorithm
    let digest = change.tree.digest(algorithm)
    if keepsObjects, output.isCached { try project.store.insert(change.tree.encoded(algorithm), as: digest) }
    // The list of files says nothing of their sizes, so the sum is known only while nothing goes.
    if content != .missing, change.removed == 0, let size = output.size, size > 0 {
      output.size = size + content.size
    } else if digest != output.digest {
      output.size = nil
    }
    output.digest = digest
    output.files = change.tree.entries.count
    output.isExecutable = false
  }

  // MARK: Writing

  private func write(placed: Bool) throws {
    if keepsObjects { try project.store.flush() }
    var written: [WorkspacePath] = []
    for path in order {
      guard let file = pointers[path] else { continue }
      let text = try loaded.pointers[path].map { try PointerFileText.updating($0.text, with: file, file: path.text) }
      if try results.put(text ?? PointerFileText.write(file), at: path) { written.append(path) }
    }
    written += try results.ignore(ignored)
    // Also those that are the same: they may be new to Git.
    try results.stage(written + order)
    guard placed else { return }
    let outputs = order.flatMap { pointers[$0]?.outputs ?? [] }.filter(\.isCached)
    try PlacedData.record(outputs.compactMap { output in output.digest.map { (output.place, $0) } }, in: project)
  }
}

/// A folder's list of files with one part of it replaced.
struct TreeChange {
  let tree: FileTree
  /// How many files of the old list gave way.
  let removed: Int

  /// - Parameters:
  ///   - part: path of a file or a folder below.
  ///   - content: what is there now; `missing` takes the part out.
  init(_ old: FileTree, part: String, _ content: Content) {
    let below = part + "/"
    // Also a file where the part has a folder: both cannot be.
    var entries = old.entries.filter { entry in
      entry.path != part && !entry.path.utf8.starts(with: below.utf8) && !below.utf8.starts(with: (entry.path + "/").utf8)
    }
    removed = old.entries.count - entries.count
    switch content {
    case .missing: break
    case .file(let digest, let size, let isExecutable):
      entries.append(FileTree.Entry(path: part, digest: digest, size: size, isExecutable: isExecutable))
    case .directory(let tree, _):
      entries += tree.entries.map { entry in
        FileTree.Entry(path: below + entry.path, digest: entry.digest, size: entry.knownSize, isExecutable: entry.isExecutable)
      }
    }
    tree = FileTree(entries)
  }
}

extension Workspace {
  /// Leaves kept data as `cache.type` wants it when that is copies: no links, and in a DVC project the modes that DVC gives.
  ///
  /// - Parameter isExecutable: what is on record for data that is one file; `nil` for a part of a folder.
  func settle(_ path: WorkspacePath, isExecutable: Bool?, _ project: Project) throws {
    guard links.first?.sharesBytes != true else { return }
    try checkParent(of: path)
    try unprotect(absolute: absolute(path), onlyLinks: true)
    if let isExecutable, !project.dialect.isNative { try setMode(of: path, isExecutable: isExecutable) }
  }
}

extension PointerFile.Output {
  /// The row for what is there now.
  mutating func take(_ content: Content) {
    digest = content.digest
    size = content.size
    files = nil
    isExecutable = false
    switch content {
    case .missing: size = nil
    case .file(_, _, let isExecutable): self.isExecutable = isExecutable
    case .directory(let tree, _): files = tree.entries.count
    }
  }
}

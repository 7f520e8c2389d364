// Bringing agreed data from the store into the workspace, file by file, and taking away what nobody names any more.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import Glibc
import PipelineModel

/// What is to be at one place.
struct CheckoutItem {
  var path: WorkspacePath
  /// `nil` when nothing was agreed yet.
  var digest: Digest?
  var isExecutable = false
  /// Only this part of a folder.
  var part: String?
}

extension CheckoutItem {
  init(_ selected: SelectedOutput) {
    path = selected.output.path
    digest = selected.agreed?.digest
    isExecutable = selected.agreed?.isExecutable ?? false
    part = selected.part
  }
}

/// What a checkout did.
struct CheckoutOutcome {
  enum Kind: String, CaseIterable { case modified, added, deleted }

  struct Change {
    var kind: Kind
    var path: WorkspacePath
    var isFolder: Bool
  }

  var changes: [Change] = []
  /// Files by what happened to them.
  var counts: [Kind: Int] = [:]
  var failed: [(path: WorkspacePath, why: Diagnostic)] = []
  /// What is in place now and was not before.
  var placed: [(WorkspacePath, Digest)] = []
}

/// Looks first, refuses what would lose data, then changes. What a person has made and nobody has a copy of stays.
struct Checkout {
  let project: Project
  let workspace: Workspace
  /// Replaces also what the store has no copy of.
  var force = false
  /// Makes also unchanged files anew, by the link kinds that the configuration has now.
  var relinks = false
  private var store: DirectoryObjectStore { project.store }

  init(_ project: Project, _ workspace: Workspace) {
    self.project = project
    self.workspace = workspace
  }

  func run(_ items: [CheckoutItem]) throws -> CheckoutOutcome {
    var outcome = CheckoutOutcome()
    var differences: [Difference] = []
    for item in items {
      do {
        differences.append(try difference(item))
      } catch let error as any DiagnosticConvertible {
        outcome.failed.append((item.path, about(item, error)))
      }
    }
    if !force { try checkLosses(&differences, &outcome) }
    for difference in differences where difference.isChange || relinks || difference.item.digest == nil {
      do {
        try apply(difference, &outcome)
      } catch let error as any DiagnosticConvertible {
        outcome.failed.append((difference.item.path, about(difference.item, error)))
      }
    }
    return outcome
  }

  /// Objects have no names: what lacks one is told by its path.
  private func about(_ item: CheckoutItem, _ error: any DiagnosticConvertible) -> Diagnostic {
    var diagnostic = error.diagnostic
    guard case StoreError.missingObject = error else { return diagnostic }
    diagnostic.causes.insert(diagnostic.message, at: 0)
    diagnostic.message = "`\(project.display(item.path))` cannot be brought back"
    return diagnostic
  }

  // MARK: Looking

  /// What one item needs. Paths are relative to the output; that of an output that is a file is empty.
  private struct Difference {
    var item: CheckoutItem
    var current: Content
    var wantsFolder = false
    /// Files that are there, and are to go or to be replaced.
    var lost: [FileTree.Entry] = []
    var gone: [FileTree.Entry] = []
    var added: [FileTree.Entry] = []
    var replaced: [FileTree.Entry] = []
    var unchanged: [FileTree.Entry] = []
    var isChange: Bool { !gone.isEmpty || !added.isEmpty || !replaced.isEmpty || (wantsFolder && current == .missing) }
  }

  private func difference(_ item: CheckoutItem) throws -> Difference {
    let algorithm = Digest.Algorithm.of(item.digest, in: project)
    var result = Difference(item: item, current: try workspace.content(of: item.path, algorithm))
    let old = Self.entries(result.current, part: item.part)
    guard let digest = item.digest else {
      result.lost = old
      return result
    }
    result.wantsFolder = digest.isTree
    // Equal digests: nothing to compare, and nothing to read from the store.
    if result.current.digest == digest, !relinks, !item.isExecutable || result.current.isExecutable { return result }
    let new: [FileTree.Entry]
    if digest.isTree {
      new = try Self.entries(.directory(store.tree(digest), digest), part: item.part)
    } else {
      new = [FileTree.Entry(path: "", digest: digest, size: nil, isExecutable: item.isExecutable)]
    }
    // A copy made anew keeps the executable bit that somebody gave the file; a link has the mode of its object.
    Self.compare(old, new, keepsModes: workspace.links.first?.sharesBytes != true, &result)
    return result
  }

  private static func entries(_ content: Content, part: String?) -> [FileTree.Entry] {
    switch content {
    case .missing: return []
    case .file(let digest, let size, let isExecutable):
      return [FileTree.Entry(path: "", digest: digest, size: size, isExecutable: isExecutable)]
    case .directory(let tree, _):
      guard let part else { return tree.entries }
      return tree.entries.filter { $0.path == part || $0.path.utf8.starts(with: (part + "/").utf8) }
    }
  }

  private static func compare(
    _ old: [FileTree.Entry], _ new: [FileTree.Entry], keepsModes: Bool, _ result: inout Difference
  ) {
    // Most often there is nothing yet, and the list may be long.
    guard !old.isEmpty else {
      result.added = new
      return
    }
    let known = Dictionary(old.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
    for entry in new {
      guard let there = known[entry.path] else {
        result.added.append(entry)
        continue
      }
      let isSame = there.digest == entry.digest && (there.isExecutable || !entry.isExecutable)
      if isSame { result.unchanged.append(keepsModes ? there : entry) } else { result.replaced.append(entry) }
      if there.digest != entry.digest { result.lost.append(there) }
    }
    let wanted = Set(new.map(\.path))
    result.gone = old.filter { !wanted.contains($0.path) }
    result.lost += result.gone
  }

  /// In a DVC project one file without a copy stops everything, as it does there; else it stops its own output.
  private func checkLosses(_ differences: inout [Difference], _ outcome: inout CheckoutOutcome) throws {
    var unsaved: [(index: Int, names: [String])] = []
    for (index, difference) in differences.enumerated() where !difference.lost.isEmpty {
      let missing = Set(try store.missing(among: difference.lost.map(\.digest)))
      let names = difference.lost.filter { missing.contains($0.digest) }.map { Self.name($0, of: difference.item) }
      if !names.isEmpty { unsaved.append((index, names)) }
    }
    guard !unsaved.isEmpty else { return }
    if !project.dialect.isNative { throw refusal(unsaved.flatMap(\.names)) }
    for (index, names) in unsaved { outcome.failed.append((differences[index].item.path, refusal(names))) }
    let stopped = Set(unsaved.map(\.index))
    differences = differences.enumerated().filter { !stopped.contains($0.offset) }.map(\.element)
  }

  private static func name(_ entry: FileTree.Entry, of item: CheckoutItem) -> String {
    entry.path.isEmpty ? item.path.text : "\(item.path)/\(entry.path)"
  }

  private func refusal(_ names: [String]) -> Diagnostic {
    let shown = names.prefix(10).map { relativePath(from: project.current, to: $0) }
    if names.count == 1 {
      return Diagnostic(
        .input, "`\(shown[0])` was changed and the store has no copy of it", hints: ["move it away, or pass --force to lose it"])
    }
    let more = names.count > 10 ? ["and \(names.count - 10) more"] : []
    return Diagnostic(
      .input, "\(names.count) files were changed and the store has no copy of them", causes: shown + more,
      hints: ["move them away, or pass --force to lose them"])
  }

  // MARK: Changing

  private func apply(_ difference: Difference, _ outcome: inout CheckoutOutcome) throws {
    let item = difference.item
    guard let digest = item.digest else {
      throw Diagnostic(
        .input, "nothing was agreed on `\(project.display(item.path))` yet",
        hints: ["`pipe repro` makes it, `pipe commit` keeps it"])
    }
    var wanted = difference.added
    if !difference.replaced.isEmpty { wanted += difference.replaced }
    if relinks { wanted += difference.unchanged }
    let missing = Set(try store.missing(among: wanted.map(\.digest)))
    let there = missing.isEmpty ? wanted : wanted.filter { !missing.contains($0.digest) }
    if there.isEmpty, !missing.isEmpty { throw lack(missing.count, of: item, digest) }
    if digest.isTree {
      try applyTree(difference, there, isWhole: missing.isEmpty)
    } else {
      try applyFile(difference, digest, isExecutable: there.first?.isExecutable ?? item.isExecutable)
    }
    guard missing.isEmpty else { throw lack(missing.count, of: item, digest) }
    count(difference, &outcome)
    if item.part == nil { outcome.placed.append((item.path, digest)) }
  }

  private func lack(_ count: Int, of item: CheckoutItem, _ digest: Digest) -> Diagnostic {
    let what =
      digest.isTree
      ? "\(count) \(count == 1 ? "file" : "files") of `\(project.display(item.path))`" : "`\(project.display(item.path))`"
    return Diagnostic(
      .storage, "the store has no \(what) (\(digest.short)…)",
      hints: ["`pipe fetch` gets it from the remote; `pipe repro` makes it again"])
  }

  private func applyFile(_ difference: Difference, _ digest: Digest, isExecutable: Bool) throws {
    let item = difference.item
    if case .directory = difference.current {
      try workspace.patch(item.path, removing: difference.gone.map(\.path), adding: FileTree([]), from: store)
      try removeFolder(item.path)
    }
    if difference.current.digest == digest, !relinks {
      // Only the mode differs.
      return try workspace.setMode(of: item.path, isExecutable: true)
    }
    try workspace.put(digest, at: item.path, isExecutable: isExecutable, from: store)
  }

  private func applyTree(_ difference: Difference, _ files: [FileTree.Entry], isWhole: Bool) throws {
    let path = difference.item.path
    if let digest = difference.item.digest, difference.current == .missing, difference.item.part == nil, isWhole {
      return try workspace.put(digest, FileTree(files), at: path, from: store)
    }
    if case .file = difference.current { try workspace.remove(path) }
    let link = FileStat(workspace.absolute(path), followingLinks: false)
    guard link?.kind != .link else {
      throw Diagnostic(.input, "`\(project.display(path))` is a link to a folder", hints: ["remove the link"])
    }
    let gone = difference.current.isFolder ? difference.gone.map(\.path) : []
    try workspace.patch(path, removing: gone, adding: FileTree(files), from: store)
  }

  private func removeFolder(_ path: WorkspacePath) throws {
    let folder = workspace.absolute(path)
    guard rmdir(folder) == 0 || errno == ENOENT else {
      throw Diagnostic(
        .input, "`\(project.display(path))` is to be a file, but is a folder with files that are not tracked",
        hints: ["move them away"])
    }
  }

  private func count(_ difference: Difference, _ outcome: inout CheckoutOutcome) {
    guard difference.isChange else { return }
    let isNew = difference.current == .missing
    outcome.changes.append(
      CheckoutOutcome.Change(kind: isNew ? .added : .modified, path: difference.item.path, isFolder: difference.wantsFolder))
    outcome.counts[.added, default: 0] += difference.added.count
    outcome.counts[.modified, default: 0] += difference.replaced.count
    outcome.counts[.deleted, default: 0] += difference.gone.count
  }

  // MARK: Data without a name

  /// Takes away what `pipe` placed, is as it placed it, is kept in the store, and belongs to nothing any more.
  func removeUnnamed(_ placed: inout PlacedData, named: [WorkspacePath], _ outcome: inout CheckoutOutcome) throws {
    let names = Set(named)
    for (path, digest) in placed.digests.sorted(by: { $0.key < $1.key }) where !names.contains(path) {
      // Part of other data now: that decides what becomes of it.
      if names.contains(where: { path.isWithin($0) }) {
        placed.remove(path)
        continue
      }
      guard let content = try? workspace.content(of: path, digest.algorithm), content.digest == digest,
        try store.containsAll(of: digest)
      else { continue }
      let inner = names.filter { $0.isWithin(path) }
      try remove(path, content, but: inner)
      placed.remove(path)
      outcome.changes.append(CheckoutOutcome.Change(kind: .deleted, path: path, isFolder: content.isFolder))
      outcome.counts[.deleted, default: 0] += 1
    }
  }

  private func remove(_ path: WorkspacePath, _ content: Content, but inner: Set<WorkspacePath>) throws {
    guard case .directory(let tree, _) = content else { return try workspace.remove(path) }
    let files = tree.entries.map(\.path).filter { file in
      guard let place = WorkspacePath(file, in: path) else { return false }
      return !inner.contains { place.isWithin($0) }
    }
    try workspace.patch(path, removing: files, adding: FileTree([]), from: store)
    rmdir(workspace.absolute(path))
  }
}

extension Content {
  var isFolder: Bool {
    if case .directory = self { true } else { false }
  }

  var isExecutable: Bool {
    if case .file(_, _, let isExecutable) = self { isExecutable } else { false }
  }
}

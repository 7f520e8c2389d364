// Writes what the stages led to where the team keeps it: lock files, pointer files, and Git's ignore files beside the data.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import Glibc
import PipelineModel
import SourceControl

struct AgreedResults {
  let project: Project
  let loaded: LoadedProject

  /// Writes the entries that differ from those that were read. Files whose bytes stay the same are not touched.
  ///
  /// - Parameter ready: called once the texts of lock files are made and before anything is written, to wait for what has
  ///   to be on the disk by then.
  /// - Returns: paths that were written, for `core.autostage`.
  @discardableResult
  func write(_ lock: LockFile, once ready: () throws -> Void = {}) throws -> [WorkspacePath] {
    var written: [WorkspacePath] = []
    var pointers: [(WorkspacePath, Stage, LockEntry)] = []
    var changed: [WorkspacePath: [Stage]] = [:]
    for stage in loaded.pipeline.stages where lock.entries[stage.name] != loaded.lock.entries[stage.name] {
      guard let manifest = stage.manifest, let entry = lock.entries[stage.name] else { continue }
      if stage.work == .data {
        pointers.append((manifest, stage, entry))
      } else {
        changed[manifest, default: []].append(stage)
      }
    }
    let files = try changed.sorted { $0.key < $1.key }.map { manifest, stages in
      let path = ProjectReader(project, WorkspaceSource(root: project.root)).lockPath(of: manifest)
      let seen = FileStat("\(project.root)/\(path)")
      return (path, seen, try text(of: path, manifest, stages, lock), manifest, stages)
    }
    try ready()
    for (manifest, stage, entry) in pointers where try writePointer(manifest, stage, entry) { written.append(manifest) }
    for (path, seen, made, manifest, stages) in files {
      // Another program may have written it while this one waited.
      let isAsSeen = FileStat("\(project.root)/\(path)") == seen
      guard let text = isAsSeen ? made : try text(of: path, manifest, stages, lock) else { continue }
      if try put(text, at: path) { written.append(path) }
    }
    return written
  }

  private func writePointer(_ path: WorkspacePath, _ stage: Stage, _ entry: LockEntry) throws -> Bool {
    guard let (text, file) = loaded.pointers[path] else { return false }
    return try put(PointerFileText.updating(text, with: file.taking(entry), file: path.text), at: path)
  }

  private func text(of path: WorkspacePath, _ manifest: WorkspacePath, _ stages: [Stage], _ lock: LockFile) throws -> String? {
    guard project.dialect.isNative else {
      var entries: [(name: String, entry: DVCLockEntry)] = []
      for stage in stages {
        if let entry = lock.entries[stage.name] { entries.append((stage.localName, DVCLockEntry(entry, of: stage))) }
      }
      // As the file is now: while stages ran, `dvc` may have written other stages' entries.
      let text = try AtomicFile.readText("\(project.root)/\(path)")
      return try DVCLockText.updating(text, replacing: entries, file: path.text)
    }
    let own = loaded.pipeline.stages.filter { $0.manifest == manifest && $0.work != .data }
    var local = LockFile()
    for stage in own { local.entries[stage.localName] = lock.entries[stage.name] }
    return LockFileText.updating(
      try AtomicFile.readText("\(project.root)/\(path)"), local, order: own.map(\.localName),
      changed: Set(stages.map(\.localName)))
  }

  /// By way of the scratch folder, so that a kill leaves nothing beside it.
  ///
  /// - Parameter durable: whether the bytes must be on the disk before the name is.
  /// - Returns: whether the bytes differ from those that were there.
  /// - Throws: `escapes` for a file behind a link that leads out of the project.
  @discardableResult
  func put(_ text: String, at path: WorkspacePath, durable: Bool = true) throws -> Bool {
    let file = "\(project.root)/\(path)"
    if try AtomicFile.readText(file) == text { return false }
    try Workspace.checkParent(of: path, in: project.root)
    let staging = "\(project.scratchFolder)/\(getpid())-\(path.name)"
    try AtomicFile.write(text, to: staging, durable: durable)
    guard rename(staging, file) == 0 else { throw StoreError.system("write", path: file, code: errno) }
    return true
  }

  /// Adds files that were written to Git's index, where the configuration asks for it.
  func stage(_ paths: [WorkspacePath]) throws {
    guard project.settings.isAutostaged, project.settings.usesGit, !paths.isEmpty,
      let repository = try GitRepository.open(at: project.root)
    else { return }
    let below = repository.path(below: project.root).map { $0.isEmpty || $0 == "." ? "" : $0 + "/" } ?? ""
    try repository.stage(paths: Set(paths).sorted().map { below + $0.text })
  }

  // MARK: What Git leaves alone

  /// The first path that Git has in its index, itself or something below it.
  func firstTracked(_ paths: [WorkspacePath]) throws -> WorkspacePath? { try tracked(paths).min() }

  /// Those that Git has in its index, themselves or something below them.
  func tracked(_ paths: [WorkspacePath]) throws -> Set<WorkspacePath> {
    guard project.settings.usesGit, !paths.isEmpty, let repository = try GitRepository.open(at: project.root) else { return [] }
    let below = repository.path(below: project.root).map { $0.isEmpty || $0 == "." ? "" : $0 + "/" } ?? ""
    let found = try repository.tracked(paths.map { below + $0.text })
    return found.isEmpty ? [] : Set(paths.filter { found.contains(below + $0.text) })
  }

  /// Adds data to the ignore files beside it, in a project under Git.
  ///
  /// - Returns: ignore files that were written.
  @discardableResult
  func ignore(_ paths: [WorkspacePath]) throws -> [WorkspacePath] {
    guard project.settings.usesGit, !paths.isEmpty, let repository = try GitRepository.open(at: project.root) else { return [] }
    let below = repository.path(below: project.root).map { $0.isEmpty || $0 == "." ? "" : $0 + "/" } ?? ""
    // Git may have it ignored already, by its own line or by another.
    let visible = try paths.filter { try isSayable($0) && !repository.isIgnored(below + $0.text) }
    var written: [WorkspacePath] = []
    for (folder, paths) in Dictionary(grouping: visible, by: \.parent).sorted(by: { ($0.key?.text ?? "") < ($1.key?.text ?? "") })
    {
      guard let file = WorkspacePath(".gitignore", in: folder) else { continue }
      let text = try AtomicFile.readText("\(project.root)/\(file)")
      let updated = GitIgnoreText.adding(paths.map(\.name), to: text ?? "")
      if updated == text { continue }
      try put(updated, at: file, durable: false)
      written.append(file)
    }
    return written
  }

  /// What follows a line feed would be a rule of its own, for other files.
  private func isSayable(_ path: WorkspacePath) -> Bool {
    guard path.name.utf8.contains(UInt8(ascii: "\n")) else { return true }
    Terminal.standard.say(
      Diagnostic(.warning, "`\(project.display(path))` has a line feed in its name, which `.gitignore` cannot say"))
    return false
  }

  /// Takes data out of the ignore files beside it; an ignore file that becomes empty is removed.
  @discardableResult
  func unignore(_ paths: [WorkspacePath]) throws -> [WorkspacePath] {
    guard project.settings.usesGit else { return [] }
    var written: [WorkspacePath] = []
    for path in paths {
      guard let file = WorkspacePath(".gitignore", in: path.parent),
        let text = try AtomicFile.readText("\(project.root)/\(file)")
      else { continue }
      let updated = GitIgnoreText.removing(path.name, from: text)
      if updated == text { continue }
      try Workspace.checkParent(of: file, in: project.root)
      if let updated { try put(updated, at: file, durable: false) } else { unlink("\(project.root)/\(file)") }
      written.append(file)
    }
    return written
  }
}

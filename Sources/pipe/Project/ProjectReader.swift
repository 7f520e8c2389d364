// All that a project says of itself: manifests, pointer files and lock files, from the workspace or from a commit.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import Glibc
import PipelineModel
import Synchronization

/// What was read, joined to one pipeline and one lock.
struct LoadedProject {
  let project: Project
  /// Stages of every manifest, then one stage for the data of every pointer file.
  var pipeline: Pipeline { didSet { begun = nil } }
  /// The agreed results by stage name.
  var lock = LockFile()
  /// Text of each lock file that is there.
  var lockTexts: [WorkspacePath: String] = [:]
  /// Text and meaning of each pointer file.
  var pointers: [WorkspacePath: (text: String, file: PointerFile)] = [:]
  var warnings = DiagnosticList()
  /// Every file and folder that decides what was read, also those looked for in vain.
  var sources: [WorkspacePath] = []
  /// The empty text is the root.
  var folders: [String] = []
  var variables: [String] = []
  /// Patterns of `foreach` over files.
  var patterns: [PathPattern] = []
  private var begun: Background<Result<StageGraph, DiagnosticList>>?

  init(_ project: Project) {
    self.project = project
    pipeline = Pipeline(file: project.dialect.manifestName, stages: [])
  }

  /// The order of the stages, which nearly everybody asks for of the workspace, is worked out while other things are read.
  fileprivate mutating func beginGraph() {
    begun = Background { [stages = pipeline.stages] in
      Result { () throws(DiagnosticList) in try StageGraph(stages) }
    }
  }

  func graph() throws(DiagnosticList) -> StageGraph {
    if let begun { return try begun.wait().get() }
    return try StageGraph(pipeline.stages)
  }
}

struct ProjectReader {
  let project: Project
  let source: any ProjectSource
  private let dialect: Dialect

  init(_ project: Project, _ source: any ProjectSource) {
    self.project = project
    self.source = source
    dialect = project.dialect
  }

  /// Reads everything.
  ///
  /// - Throws: `DiagnosticList` with the mistakes of all files, `StoreError`, `GitError`.
  func read() throws -> LoadedProject {
    // It takes nearly as long to read as the manifest, and most projects have this one only.
    let rootLock = (source as? WorkspaceSource).map { source in
      Background { [dialect] in WorkspacePath(dialect.lockName).flatMap { try? LockReading(of: $0, in: source, dialect) } }
    }
    var walk = ProjectWalk(source, dialect, rules: try source.ignoreRules(of: project))
    var mistakes = DiagnosticList()
    var readings: [ManifestReading] = []
    var loaded = LoadedProject(project)
    while let found = try walk.next() {
      for path in found.manifests {
        do {
          let reading = try manifest(path, &loaded.patterns)
          readings.append(reading)
          walk.skip(reading.pipeline.stages.flatMap { $0.outputs.map(\.path) })
        } catch let list as DiagnosticList {
          for var diagnostic in list.diagnostics {
            if let file = diagnostic.location?.file { diagnostic.location?.file = source.label + file }
            mistakes.add(diagnostic)
          }
        }
      }
      for path in found.pointers {
        do {
          loaded.sources.append(path)
          guard let text = try source.text(of: path) else { continue }
          let file = try PointerFileText.read(text, file: source.label + path.text, in: path.parent)
          loaded.pointers[path] = (text, file)
          let stage = dataStage(path, file)
          loaded.pipeline.stages.append(stage)
          walk.skip(stage.outputs.map(\.path))
        } catch let list as DiagnosticList {
          for diagnostic in list.diagnostics { mistakes.add(diagnostic) }
        }
      }
    }
    try mistakes.throwIfErrors()
    join(readings, into: &loaded)
    if source is WorkspaceSource { loaded.beginGraph() }
    loaded.folders = walk.folders.map { $0?.text ?? "" }
    try readLocks(into: &loaded, root: rootLock)
    return loaded
  }

  private func join(_ readings: [ManifestReading], into loaded: inout LoadedProject) {
    let data = loaded.pipeline.stages
    loaded.pipeline = Pipeline.merging(readings.map(\.pipeline))
    loaded.pipeline.file = dialect.manifestName
    loaded.pipeline.stages += data
    for reading in readings {
      for warning in reading.warnings.diagnostics { loaded.warnings.add(warning) }
      loaded.sources += reading.filesRead
      loaded.variables += reading.variablesRead
    }
  }

  private func manifest(_ path: WorkspacePath, _ patterns: inout [PathPattern]) throws -> ManifestReading {
    guard let text = try source.text(of: path) else { throw Diagnostic(.input, "`\(path)` is gone") }
    let asked = Mutex<[PathPattern]>([])
    var reading = try ManifestReader.read(
      text, at: path, dialect: dialect,
      ManifestSurroundings(
        text: { (path) throws(StoreError) -> String? in
          do { return try source.text(of: path) } catch let error as StoreError { throw error } catch {
            throw StoreError.malformedFile(path: path.text, why: "\(error)")
          }
        },
        matches: { [project] pattern in
          asked.withLock { $0.append(pattern) }
          return (try? project.workspace().files(matching: pattern)) ?? []
        },
        variable: { getenv($0).map { String(cString: $0) } }, settings: project.settings.interpolation))
    reading.filesRead.append(path)
    patterns += asked.withLock { $0 }
    return reading
  }

  /// The stage that stands for data under `add`.
  private func dataStage(_ path: WorkspacePath, _ file: PointerFile) -> Stage {
    let folder = file.workingDirectory.flatMap { WorkspacePath($0, in: path.parent) } ?? path.parent
    var stage = Stage(
      name: path.text, location: SourceLocation(file: source.label + path.text, line: 1, column: 1), work: .data,
      workingDirectory: folder)
    stage.manifest = path
    stage.isFrozen = file.isFrozen
    for row in file.outputs {
      var output = Output(
        name: nil, path: row.place, kind: .data, isCached: row.isCached, isPersistent: row.isPersistent, location: stage.location)
      output.isPushed = row.isPushed
      output.remote = row.remote
      stage.outputs.append(output)
    }
    return stage
  }

  // MARK: Agreed results

  /// - Parameter root: the reading of the project's own lock file, which began before it was known who asks for it.
  private func readLocks(into loaded: inout LoadedProject, root: Background<LockReading?>?) throws {
    var mistakes = DiagnosticList()
    var stages: [WorkspacePath: [Stage]] = [:]
    for stage in loaded.pipeline.stages {
      guard let manifest = stage.manifest else { continue }
      if stage.work == .data {
        loaded.lock.entries[stage.name] = loaded.pointers[manifest]?.file.lockEntry(of: stage)
      } else {
        stages[lockPath(of: manifest), default: []].append(stage)
      }
    }
    for (path, stages) in stages {
      loaded.sources.append(path)
      let begun = path.text == dialect.lockName ? root?.wait() : nil
      guard let reading = try begun ?? LockReading(of: path, in: source, dialect) else { continue }
      loaded.lockTexts[path] = reading.text
      do {
        try reading.join(stages, into: &loaded.lock)
      } catch {
        for diagnostic in error.diagnostics { mistakes.add(diagnostic) }
      }
    }
    try mistakes.throwIfErrors()
  }

  /// The lock file beside a manifest.
  func lockPath(of manifest: WorkspacePath) -> WorkspacePath {
    guard let path = WorkspacePath(dialect.lockName, in: manifest.parent) else {
      preconditionFailure("a lock file's name is a path")
    }
    return path
  }
}

/// A lock file's text and rows, not joined to stages yet.
private struct LockReading: Sendable {
  private enum Rows {
    case native(LockFile)
    case dvc(DVCLock)
  }
  let text: String
  private let rows: Result<Rows, DiagnosticList>

  /// `nil` when the file is not there.
  init?(of path: WorkspacePath, in source: any ProjectSource, _ dialect: Dialect) throws {
    guard let text = try source.text(of: path) else { return nil }
    let file = source.label + path.text
    self.text = text
    rows = Result { () throws(DiagnosticList) in
      dialect.isNative ? .native(try LockFileText.read(text, file: file)) : .dvc(try DVCLockText.read(text, file: file))
    }
  }

  /// Adds what is agreed of the stages.
  func join(_ stages: [Stage], into lock: inout LockFile) throws(DiagnosticList) {
    lock.entries.reserveCapacity(lock.entries.count + stages.count)
    switch try rows.get() {
    case .native(let rows): for stage in stages { lock.entries[stage.name] = rows.entries[stage.localName] }
    case .dvc(let rows):
      let entries = Workers.map(stages.count, piece: 256) { index in
        rows[stages[index].localName].map { LockEntry($0, of: stages[index]) }
      }
      for (stage, entry) in zip(stages, entries) { lock.entries[stage.name] = entry }
    }
  }
}

/// Goes through a project's folders, outermost first, past what is ignored, what is data, and other projects.
struct ProjectWalk {
  private let source: any ProjectSource
  private let dialect: Dialect
  private var rules: IgnoreRules
  private var waiting: [WorkspacePath?] = [nil]
  private var position = 0
  private var skipped: Set<WorkspacePath> = []
  /// Folders that were looked into.
  private(set) var folders: [WorkspacePath?] = []

  init(_ source: any ProjectSource, _ dialect: Dialect, rules: IgnoreRules) {
    self.source = source
    self.dialect = dialect
    self.rules = rules
  }

  /// Folders that hold data are not looked into.
  mutating func skip(_ paths: [WorkspacePath]) { skipped.formUnion(paths) }

  struct Found {
    var manifests: [WorkspacePath] = []
    var pointers: [WorkspacePath] = []
  }

  /// What the next folder has; `nil` at the end.
  mutating func next() throws -> Found? {
    while position < waiting.count {
      let folder = waiting[position]
      position += 1
      if let folder, skipped.contains(folder) { continue }
      folders.append(folder)
      return try look(into: folder)
    }
    return nil
  }

  private mutating func look(into folder: WorkspacePath?) throws -> Found {
    var found = Found()
    let entries = try source.entries(of: folder)
    // Another project begins here.
    let markers = [Dialect.native.markerFolder, Dialect.dvc.markerFolder]
    if folder != nil, entries.contains(where: { $0.isFolder && markers.contains($0.name) }) { return found }
    for (name, isFolder) in entries {
      guard let path = WorkspacePath(name, in: folder) else { continue }
      if isFolder {
        if name != ".git", !markers.contains(name), !rules.isIgnored(path.text, isDirectory: true) { waiting.append(path) }
      } else if name == dialect.manifestName {
        found.manifests.append(path)
      } else if name.hasSuffix(dialect.pointerSuffix), name != dialect.pointerSuffix,
        !rules.isIgnored(path.text, isDirectory: false)
      {
        found.pointers.append(path)
      }
    }
    return found
  }
}

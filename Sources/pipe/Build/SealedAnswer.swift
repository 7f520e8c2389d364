// What `repro` and `status` answer when nothing changed since they were last asked: nothing is parsed for it.
// SPDX-License-Identifier: Apache-2.0
import BuildEngine
import ContentStore
import Diagnostics
import Glibc
import PipelineModel

/// Seals of the answers "everything is up to date", one a request, in the project's state folder.
///
/// Only such answers are sealed: whatever has something to tell looks at the project itself.
struct SealedAnswer {
  let project: Project
  private let request: [String]

  /// Before anything was looked at.
  static let began = SealSurvey.now
  /// A smaller project is looked at in no time, and asking it writes no file at all.
  private static let fewestStages = 50
  /// Requests that have a seal at once; the oldest make room.
  private static let kept = 8

  init(_ project: Project) {
    self.project = project
    var program = "?"
    if let info = FileStat("/proc/self/exe") { program = "\(info.inode) \(info.size) \(info.modified) \(info.changed)" }
    request =
      [pipeVersion, program, project.root, project.current?.text ?? "", project.dialect.manifestName] + project.settings.files
      + CommandLine.arguments.dropFirst()
  }

  private var folder: String { "\(project.stateFolder)/seals" }
  private var file: String {
    var writer = ByteWriter()
    writer.texts(request)
    return "\(folder)/\(Digest.of(writer.bytes).digits.prefix(32))"
  }

  // MARK: Answering

  /// Answers the command line from a seal, where it has one that holds.
  ///
  /// A `repro` holds the workspace while it looks, as it always does.
  static func give() -> Bool {
    _ = began
    let words = CommandLine.arguments.dropFirst()
    guard let command = words.first, command == "repro" || command == "status" else { return false }
    guard let project = try? Project.find() else { return false }
    let answer = SealedAnswer(project)
    guard access(answer.file, R_OK) == 0 else { return false }
    if command == "status" { return answer.give() }
    guard let lock = try? project.takeLock() else { return false }
    defer { _ = lock }
    return answer.give()
  }

  /// Whether the same was answered before, and something else than the manifest has changed since: who comes here past a
  /// seal that is there finds work, nearly always.
  var awaitsWork: Bool {
    guard let seal = FileStat(file, followingLinks: false),
      let manifest = FileStat("\(project.root)/\(project.dialect.manifestName)")
    else { return false }
    return manifest.changed < seal.modified
  }

  private func give() -> Bool {
    guard let (output, note) = Seal.answer(in: file, to: request, root: project.root, variable: Self.variable) else {
      return false
    }
    if !output.isEmpty { Terminal.standard.out(output) }
    if !note.isEmpty { Terminal.standard.note(note) }
    return true
  }

  private static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

  // MARK: Sealing

  /// Keeps an answer that was just given.
  ///
  /// Without effect when something it follows from is too young, or when the seal cannot be written: it is a convenience.
  ///
  /// - Parameters:
  ///   - order: the stages that the answer is about.
  ///   - asksForAll: whether the store was asked for all files of a directory, not for its list alone.
  func keep(_ loaded: LoadedProject, _ graph: StageGraph, _ order: [Int], asksForAll: Bool = false, output: String) {
    guard let sights = sights(loaded, graph, order, asksForAll: asksForAll, until: Announcement()) else { return }
    keep(loaded, sights, output: output)
  }

  /// Keeps an answer that follows from what was seen.
  func keep(_ loaded: LoadedProject, _ sights: [Seal.Sight], output: String = "", note: String = "") {
    let seal = Seal(
      request: request, variables: Set(loaded.variables).sorted().map { Seal.Variable(name: $0, value: Self.variable($0)) },
      output: output, errorOutput: note, sights: sights)
    do {
      try AtomicFile.makeFolder(folder)
      try AtomicFile.write(seal.bytes, to: file)
      try makeRoom()
    } catch {
      return
    }
  }

  /// Everything that an answer follows from, as it is now; `nil` when there is nothing to seal, or something is too young.
  ///
  /// The answer may be found before, after or meanwhile: a change since the program began refuses the seal where it is seen,
  /// and breaks it where it is not.
  ///
  /// - Parameter work: once announced, there will be no such answer.
  func sights(
    _ loaded: LoadedProject, _ graph: StageGraph, _ order: [Int], asksForAll: Bool = false, until work: Announcement
  ) -> [Seal.Sight]? {
    guard order.count >= Self.fewestStages, loaded.warnings.diagnostics.isEmpty,
      FileStat(project.stateFolder, followingLinks: false)?.kind == .directory,
      // Old seals are cleared away: never what lies behind a link.
      FileStat(folder, followingLinks: false)?.kind != .link
    else { return nil }
    let rules = project.ignoreRules
    let root = project.root
    var survey = SealSurvey(
      root: root, began: Self.began,
      isPassedOver: { folder, name in
        // What is left out always. A rule of the project may bring it back.
        guard [".git", ".hg", ".dvc", ".pipe"].contains(name), !folder.hasPrefix("/") else { return false }
        let path = folder.isEmpty || folder == "." ? name : "\(folder)/\(name)"
        return rules.isIgnored(path, isDirectory: FileStat("\(root)/\(path)")?.kind == .directory)
      })
    survey.reserve(order.count * 4)
    lookAtProject(loaded, &survey)
    for index in order {
      if work.isMade { return nil }
      lookAtStage(graph.stages[index], loaded, asksForAll, &survey)
    }
    return survey.sights
  }

  private func makeRoom() throws(StoreError) {
    let names = try AtomicFile.list(folder)
    guard names.count > Self.kept else { return }
    let byAge = names.map { (FileStat("\(folder)/\($0)")?.modified ?? 0, $0) }.sorted { $0 > $1 }
    for (_, name) in byAge.dropFirst(Self.kept) { try AtomicFile.removeAll("\(folder)/\(name)") }
  }

  /// Settings, and all that says which stages there are.
  private func lookAtProject(_ loaded: LoadedProject, _ survey: inout SealSurvey) {
    for file in project.settings.files { survey.look(at: file) }
    lookAtRules(in: "", &survey)
    for path in loaded.sources { survey.look(at: path.text) }
    for folder in loaded.folders {
      survey.look(at: folder)
      lookAtRules(in: folder, &survey)
    }
    for pattern in loaded.patterns {
      survey.walk(pattern.base?.text ?? "")
      lookAtRules(around: pattern.base, &survey)
    }
    // Where the nearest manifest is looked for.
    var folder = project.current
    while let current = folder {
      survey.look(at: "\(current)/\(project.dialect.manifestName)")
      folder = current.parent
    }
    // What a killed build left is brought back by the next one.
    survey.walk(project.scratchFolder)
    guard project.dialect.isNative else { return }
    // The report and the registry may be owed something.
    survey.walk(project.runsFolder)
    survey.look(at: "\(project.stateFolder)/reported")
    survey.look(at: "reports/index.html")
    for source in loaded.pipeline.reportSources where source.role == "card" { survey.look(at: source.path.text) }
    if !loaded.pipeline.models.isEmpty { survey.walk("registry") }
  }

  private func lookAtStage(_ stage: Stage, _ loaded: LoadedProject, _ asksForAll: Bool, _ survey: inout SealSurvey) {
    if case .notebook(let path) = stage.work { survey.look(at: path.text) }
    for dependency in stage.dependencies {
      switch dependency.place {
      case .workspace(let path):
        survey.walk(path.text)
        lookAtRules(around: path.parent, &survey)
      case .external(let path): survey.walk(path)
      case .pattern(let pattern):
        survey.walk(pattern.base?.text ?? "")
        lookAtRules(around: pattern.base, &survey)
      }
    }
    for parameter in stage.parameters { survey.look(at: parameter.file.text) }
    for output in stage.outputs {
      survey.walk(output.path.text)
      lookAtRules(around: output.path.parent, &survey)
    }
    let store = project.store
    for output in loaded.lock.entries[stage.name]?.outputs ?? [] {
      survey.look(at: shortened(store.path(of: output.digest)))
      if asksForAll, output.digest.isTree, let tree = try? store.tree(output.digest) {
        for entry in tree.entries { survey.look(at: shortened(store.path(of: entry.digest))) }
      }
    }
  }

  /// From the project's root, where it lies in it.
  private func shortened(_ path: String) -> String {
    let root = project.root.utf8
    let bytes = path.utf8
    guard bytes.count > root.count, bytes.starts(with: root), bytes.dropFirst(root.count).first == UInt8(ascii: "/") else {
      return path
    }
    return String(path[bytes.index(bytes.startIndex, offsetBy: root.count + 1)...])
  }

  private func lookAtRules(around path: WorkspacePath?, _ survey: inout SealSurvey) {
    var folder = path
    // Those above a folder that was met were met with it.
    while let current = folder, survey.meets(current.text) {
      lookAtRules(in: current.text, &survey)
      folder = current.parent
    }
  }

  private func lookAtRules(in folder: String, _ survey: inout SealSurvey) {
    let name = project.dialect.ignoreName
    survey.look(at: folder.isEmpty ? name : "\(folder)/\(name)")
  }
}

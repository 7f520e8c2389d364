// `pipe remove`: stages and pointer files go; the data they name stays, unless it is to go too.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import ContentStore
import Diagnostics
import Glibc
import PipelineModel

struct RemoveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove",
    abstract: "Take stages out of the manifest, and stop tracking data.",
    discussion: """
      The data stays in the workspace and in the store. `pipe checkout` takes it away when it is as it was.

      Examples:
        pipe remove data/raw.csv.pipe
        pipe remove train --outs
      """,
    aliases: ["rm"])

  @Argument(help: "Stages and pointer files.", completion: .custom(completeStages)) var targets: [String]
  @Flag(help: "Also remove the data from the workspace.") var outs = false
  @Flag(name: .shortAndLong, help: "Print only problems.") var quiet = false

  func run() throws {
    let project = try Project.find()
    try project.holdingWorkspace { loaded, workspace in
      let removal = try StageRemoval(loaded, workspace, removesData: outs)
      for target in targets {
        for stage in try removal.stages(target) {
          try removal.remove(stage)
          if !quiet { Terminal.standard.note("removed `\(project.display(stage))`") }
        }
      }
    }
  }
}

struct StageRemoval {
  private let loaded: LoadedProject
  private let graph: StageGraph
  private let workspace: Workspace
  private let removesData: Bool
  private var project: Project { loaded.project }

  init(_ loaded: LoadedProject, _ workspace: Workspace, removesData: Bool) throws {
    self.loaded = loaded
    // Names alone: a stage in conflict with another has to be removable.
    graph = try StageGraph(
      loaded.pipeline.stages.map { stage in
        var stage = stage
        stage.outputs = []
        stage.dependencies = []
        return stage
      })
    self.workspace = workspace
    self.removesData = removesData
  }

  /// - Throws: a `Diagnostic` when the target is data, a group, or one stage of a group.
  func stages(_ target: String) throws -> [Stage] {
    let selection = TargetSelection(project, graph)
    if let path = project.path(target), !selection.isName(target),
      let producer = loaded.pipeline.stages.first(where: { $0.outputs.contains { $0.path == path } })
    {
      throw Diagnostic(
        .input, "`\(target)` is data, not a stage or a pointer file", hints: ["did you mean `\(project.display(producer))`?"])
    }
    let found = try selection.indices(of: [target]).map { loaded.pipeline.stages[$0] }
    for stage in found where stage.group != nil {
      throw Diagnostic(
        .input, "`\(target)` is made from the template `\(stage.group ?? "")`, which cannot be removed by a command",
        at: stage.location, hints: ["take the template out of `\(stage.manifest?.text ?? "")` by hand"])
    }
    for stage in found { try checkPlain(stage) }
    return found
  }

  /// DVC refuses a stage that has `${…}` in it.
  private func checkPlain(_ stage: Stage) throws {
    guard !project.dialect.isNative, stage.work != .data, let manifest = stage.manifest,
      let text = try AtomicFile.readText("\(project.root)/\(manifest)"),
      let entry = YAMLReader.read(text, file: manifest.text).tree?["stages"]?[stage.localName], Self.hasTemplate(entry.value)
    else { return }
    throw Diagnostic(
      .input, "stage `\(project.display(stage))` has `${…}` in it and cannot be removed by a command", at: stage.location,
      hints: ["take it out of `\(manifest)` by hand"])
  }

  private static func hasTemplate(_ value: ParameterValue) -> Bool {
    switch value {
    case .text(let text): text.contains("${")
    case .list(let items): items.contains(where: hasTemplate)
    case .mapping(let pairs): pairs.contains { $0.0.contains("${") || hasTemplate($0.1) }
    default: false
    }
  }

  func remove(_ stage: Stage) throws {
    guard let manifest = stage.manifest else { return }
    var placed = try PlacedData(of: project)
    for output in stage.outputs {
      if removesData {
        try workspace.remove(output.path)
      } else if output.isCached, workspace.exists(output.path) {
        placed.forget(output.path, in: workspace)
        try workspace.unprotect(output.path)
      }
    }
    try placed.save()
    _ = try AgreedResults(project: project, loaded: loaded).unignore(stage.outputs.filter(\.isCached).map(\.path))
    if stage.work == .data { return try delete(manifest) }
    try removeEntry(of: stage, manifest)
    try removeDeclaration(of: stage, manifest)
  }

  private func removeEntry(of stage: Stage, _ manifest: WorkspacePath) throws {
    let path = ProjectReader(project, WorkspaceSource(root: project.root)).lockPath(of: manifest)
    guard let text = try AtomicFile.readText("\(project.root)/\(path)") else { return }
    if project.dialect.isNative {
      var lock = try LockFileText.read(text, file: path.text)
      guard lock.entries.removeValue(forKey: stage.localName) != nil else { return }
      let order = loaded.pipeline.stages.filter { $0.manifest == manifest }.map(\.localName)
      return lock.entries.isEmpty ? try delete(path) : try put(LockFileText.write(lock, order: order), at: path)
    }
    guard try DVCLockText.read(text, file: path.text)[stage.localName] != nil else { return }
    guard let rest = try DVCLockText.updating(text, replacing: [], removing: [stage.localName], file: path.text) else {
      return try delete(path)
    }
    try put(rest, at: path)
  }

  private func removeDeclaration(of stage: Stage, _ manifest: WorkspacePath) throws {
    guard let text = try AtomicFile.readText("\(project.root)/\(manifest)") else { return }
    let rest = try YAMLEdit.removing(stage.localName, from: text, file: manifest.text)
    // DVC keeps no `dvc.yaml` without a stage, whatever else it says.
    let isLast = YAMLReader.read(text, file: manifest.text).tree?["stages"]?.pairs?.count == 1
    guard let rest, project.dialect.isNative || !isLast else { return try delete(manifest) }
    try put(rest, at: manifest)
  }

  private func put(_ text: String, at path: WorkspacePath) throws {
    _ = try AgreedResults(project: project, loaded: loaded).put(text, at: path)
  }

  private func delete(_ path: WorkspacePath) throws {
    guard unlink("\(project.root)/\(path)") == 0 || errno == ENOENT else {
      throw StoreError.system("remove", path: path.text, code: errno)
    }
  }
}

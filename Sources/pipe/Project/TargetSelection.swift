// From names on the command line to stages: addresses, groups, manifests, folders, pointer files, outputs, patterns.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import Glibc
import PipelineModel

struct TargetSelection {
  let project: Project
  let graph: StageGraph
  /// Names may hold `*`, `?` and `[a-z]`.
  var usesPatterns = false
  /// A folder stands for all stages declared below it.
  var isRecursive = false

  init(_ project: Project, _ graph: StageGraph) {
    self.project = project
    self.graph = graph
  }

  /// Indices of the stages that the targets name, each once, in the order named.
  ///
  /// - Throws: a `Diagnostic` for every target that names nothing.
  func indices(of targets: [String]) throws(DiagnosticList) -> [Int] {
    var mistakes = DiagnosticList()
    var found: [Int] = []
    for target in targets {
      let some = indices(of: target)
      if some.isEmpty { mistakes.add(unknown(target)) }
      found += some
    }
    try mistakes.throwIfErrors()
    var seen: Set<Int> = []
    return found.filter { seen.insert($0).inserted }
  }

  /// What a command means that names nothing: the stages of the nearest manifest, in the folder one is in or above.
  func nearest() -> [Int] { nearestManifest.map(stages(of:)) ?? [] }

  /// The manifest in the folder one is in, or in the first above that has one.
  var nearestManifest: WorkspacePath? {
    var folder = project.current
    while true {
      let manifest = WorkspacePath(project.dialect.manifestName, in: folder)
      if let manifest, FileStat(project.root + "/" + manifest.text) != nil { return manifest }
      guard let current = folder else { return nil }
      folder = current.parent
    }
  }

  private func stages(of manifest: WorkspacePath) -> [Int] {
    graph.stages.indices.filter { graph.stages[$0].manifest == manifest }
  }

  private func indices(of target: String) -> [Int] {
    if isRecursive, let found = below(target) { return found }
    let (file, name) = split(target)
    let manifest = file.flatMap { project.path($0) } ?? WorkspacePath(project.dialect.manifestName, in: project.current)
    if let manifest, file != nil, name == nil { return stages(of: manifest) }
    if let manifest, let name {
      let found = stages(named: name, in: manifest)
      if !found.isEmpty || file != nil { return found }
      // A project of one manifest is named from any of its folders.
      if let root = WorkspacePath(project.dialect.manifestName), root != manifest {
        let found = stages(named: name, in: root)
        if !found.isEmpty { return found }
      }
    }
    return producers(of: target)
  }

  private func producers(of target: String) -> [Int] {
    for path in [project.path(target), WorkspacePath(target)].compactMap({ $0 }) {
      if let index = graph.producerIndex(of: path) { return [index] }
    }
    return []
  }

  /// `sub/dvc.yaml:train` → file and name; `sub/dvc.yaml` and `data.csv.dvc` → file; `train` → name.
  private func split(_ target: String) -> (file: String?, name: String?) {
    if let colon = target.lastIndex(of: ":"), target[..<colon].hasSuffix(project.dialect.manifestName) {
      return (String(target[..<colon]), String(target[target.index(after: colon)...]))
    }
    if target.split(separator: "/").last.map(String.init) == project.dialect.manifestName { return (target, nil) }
    if target.hasSuffix(project.dialect.pointerSuffix), let path = project.path(target), !stages(of: path).isEmpty {
      return (target, nil)
    }
    return (nil, target)
  }

  private func stages(named name: String, in manifest: WorkspacePath) -> [Int] {
    graph.stages.indices.filter { index in
      let stage = graph.stages[index]
      guard stage.manifest == manifest, stage.work != .data else { return false }
      if stage.localName == name || stage.group == name { return true }
      return usesPatterns && fnmatch(name, stage.localName, 0) == 0
    }
  }

  private func below(_ folder: String) -> [Int]? {
    let isRoot = folder == "." && project.current == nil
    let path = folder == "." ? project.current : project.path(folder)
    guard isRoot || path.map({ FileStat("\(project.root)/\($0)")?.kind == .directory }) == true else { return nil }
    return graph.stages.indices.filter { index in
      guard let manifest = graph.stages[index].manifest else { return false }
      return isRoot || path.map { manifest.isWithin($0) } ?? false
    }
  }

  private func unknown(_ target: String) -> Diagnostic {
    let names = graph.stages.map { project.display($0) }
    let hint = closestMatch(to: target, among: names).map { "did you mean `\($0)`?" }
    let shown = names.prefix(20).joined(separator: ", ") + (names.count > 20 ? " and \(names.count - 20) more" : "")
    return Diagnostic(
      .input, "no stage and no output is named `\(target)`",
      hints: [hint ?? (names.isEmpty ? "there are no stages yet" : "stages are \(shown)")])
  }
}

// From targets to outputs with what was agreed of them: the common ground of checkout, push, pull, fetch, commit and gc.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import PipelineModel

/// An output of a stage or of a pointer file, whole or a part of it.
struct SelectedOutput {
  var stage: Stage
  var output: Output
  /// What the lock file or the pointer file says of it; `nil` when nothing was agreed yet.
  var agreed: Trace.Result?
  /// Path below the output's folder; `nil` is all of it.
  var part: String?
}

struct OutputSelection {
  let loaded: LoadedProject
  let graph: StageGraph
  /// Also the outputs of the stages that the named ones need.
  var withDependencies = false
  /// A folder stands for all that is declared below it.
  var isRecursive = false
  var usesPatterns = false

  init(_ loaded: LoadedProject, _ graph: StageGraph) {
    self.loaded = loaded
    self.graph = graph
  }

  /// Outputs in the order of the files; without targets all of the project.
  ///
  /// - Throws: a `Diagnostic` for every target that names nothing.
  func outputs(of targets: [String]) throws(DiagnosticList) -> [SelectedOutput] {
    if targets.isEmpty { return graph.stages.flatMap { all(of: $0) } }
    var selection = TargetSelection(loaded.project, graph)
    selection.isRecursive = isRecursive
    selection.usesPatterns = usesPatterns
    var found: [SelectedOutput] = []
    var stages: [Int] = []
    var unknown: [String] = []
    for target in targets {
      let parts = self.parts(target)
      if parts.isEmpty { unknown.append(target) } else { found += parts }
      if withDependencies { stages += parts.compactMap { graph.producerIndex(of: $0.output.path) } }
    }
    let named = try selection.indices(of: unknown)
    stages += named
    let chosen = withDependencies ? graph.closure(of: stages) : named
    let already = Set(found.map { $0.output.path })
    found += chosen.flatMap { all(of: graph.stages[$0]) }.filter { !already.contains($0.output.path) || $0.part != nil }
    return found
  }

  private func all(of stage: Stage) -> [SelectedOutput] {
    let agreed = loaded.lock.entries[stage.name]?.outputs ?? []
    return stage.outputs.map { output in
      SelectedOutput(stage: stage, output: output, agreed: agreed.first { $0.path == output.path.text }, part: nil)
    }
  }

  /// The output at a path or around it, or the outputs below it.
  private func parts(_ target: String) -> [SelectedOutput] {
    guard let path = loaded.project.path(target) else { return [] }
    if let index = graph.producerIndex(of: path) {
      return all(of: graph.stages[index]).filter { path.isWithin($0.output.path) }.map { selected in
        var selected = selected
        if selected.output.path != path { selected.part = String(path.text.dropFirst(selected.output.path.text.utf8.count + 1)) }
        return selected
      }
    }
    return []
  }
}

// The walk that decides and never acts: what `status` and `repro --dry` print.
// SPDX-License-Identifier: Apache-2.0
package import ContentStore
package import PipelineModel

/// What `repro` would do, stage by stage, in order.
package struct Plan: Sendable {
  package struct Step: Sendable {
    package var stage: Stage
    package var decision: Decision
    package var isFrozen: Bool
  }

  package var steps: [Step]

  package var isUpToDate: Bool { steps.allSatisfy { $0.decision == .upToDate } }
}

/// Walks the graph with foresight: what a stage would restore is taken as being there already.
package struct Planner {
  private let inspector: Inspector
  private let rebuilder: Rebuilder
  private let lock: LockFile
  private let traces: any TraceStore
  private let store: any ObjectStore
  /// Path of an output → what a planned step leaves there; `nil` when only running tells.
  private var foreseen: [String: Trace.Result?] = [:]
  private var makers: [String: String] = [:]

  package init(
    inspector: Inspector, rebuilder: Rebuilder, lock: LockFile, traces: any TraceStore, store: any ObjectStore
  ) {
    self.inspector = inspector
    self.rebuilder = rebuilder
    self.lock = lock
    self.traces = traces
    self.store = store
  }

  /// - Parameter order: indices of the stages to look at, each after those it needs.
  /// - Throws: what `Inspector.recipe` throws.
  package mutating func plan(_ graph: StageGraph, order: [Int]) throws -> Plan {
    var steps: [Plan.Step] = []
    for index in order {
      let stage = graph.stages[index]
      let decision = stage.isFrozen ? Decision.upToDate : try decide(stage)
      foresee(stage, decision)
      steps.append(Plan.Step(stage: stage, decision: decision, isFrozen: stage.isFrozen))
    }
    return Plan(steps: steps)
  }

  private struct Unknown: Error { var maker: String }

  private func decide(_ stage: Stage) throws -> Decision {
    let recipe: Recipe
    do {
      recipe = try inspector.recipe(of: stage) { place in try content(of: place) }
    } catch let unknown as Unknown {
      return .run([.upstream(stage: unknown.maker)])
    }
    return rebuilder.decide(
      Rebuilder.Situation(
        recipe: recipe, alwaysChanged: stage.alwaysChanged, locked: lock.entries[stage.name],
        traces: { (try? traces.traces(of: Fingerprint(of: recipe))) ?? [] }, onDisk: inspector.onDisk,
        isKept: { (try? store.containsAll(of: $0.digest)) ?? false }))
  }

  private mutating func foresee(_ stage: Stage, _ decision: Decision) {
    switch decision {
    case .upToDate: return
    case .restore(let known, _):
      for output in known.outputs {
        foreseen[output.path] = .some(output)
        makers[output.path] = stage.name
      }
    case .run:
      for output in stage.outputs {
        foreseen[output.path.text] = .some(nil)
        makers[output.path.text] = stage.name
      }
    }
  }

  private func content(of place: Dependency.Place) throws -> Content {
    guard !foreseen.isEmpty, case .workspace(let path) = place else { return try inspector.content(of: place) }
    var folder: WorkspacePath? = path
    while let current = folder {
      if let result = foreseen[current.text] {
        guard let result else { throw Unknown(maker: makers[current.text] ?? "") }
        return try content(of: path, in: result)
      }
      folder = current.parent
    }
    if let inside = foreseen.first(where: { WorkspacePath($0.key)?.isWithin(path) == true }) {
      throw Unknown(maker: makers[inside.key] ?? "")
    }
    return try inspector.content(of: place)
  }

  private func content(of path: WorkspacePath, in result: Trace.Result) throws -> Content {
    guard result.digest.isTree else {
      return .file(result.digest, size: result.size, isExecutable: result.isExecutable)
    }
    let tree = try store.tree(result.digest)
    guard path.text != result.path else { return .directory(tree, result.digest) }
    let inner = String(path.text.dropFirst(result.path.count + 1))
    if let entry = tree.entries.first(where: { $0.path == inner }) {
      return .file(entry.digest, size: entry.size, isExecutable: entry.isExecutable)
    }
    let below = tree.entries.filter { $0.path.hasPrefix(inner + "/") }
    guard !below.isEmpty else { return .missing }
    let part = FileTree(
      below.map {
        FileTree.Entry(
          path: String($0.path.dropFirst(inner.count + 1)), digest: $0.digest, size: $0.size, isExecutable: $0.isExecutable)
      })
    return .directory(part, part.digest)
  }
}

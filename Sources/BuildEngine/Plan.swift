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
  private let sights = Sights()
  /// Path of an output → what a planned step leaves there; `nil` when only running tells.
  private var foreseen: [String: Trace.Result?] = [:]
  private var makers: [String: String] = [:]
  /// Folder around such an output → the last stage that leaves something below it; the empty text is the root.
  private var foreseenBelow: [String: String] = [:]

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
    let lookahead = Lookahead(
      inspector, graph, order: order, lock: lock, rules: rebuilder.rules, sights: sights,
      isInStore: { [store] in Self.isIn(store, $0) })
    var steps: [Plan.Step] = []
    for (place, index) in order.enumerated() {
      let stage = graph.stages[index]
      let isAsAgreed = foreseen.isEmpty && !rebuilder.force && lookahead.isAsAgreed(at: place)
      let decision = isAsAgreed ? .upToDate : try decide(stage)
      foresee(stage, decision)
      steps.append(Plan.Step(stage: stage, decision: decision, isFrozen: stage.isFrozen))
    }
    return Plan(steps: steps)
  }

  private struct Unknown: Error { var maker: String }

  private func look(at place: Dependency.Place, as algorithm: Digest.Algorithm?) throws(StoreError) -> Content {
    try inspector.look(at: place, as: algorithm, sights)
  }

  /// Digest and executable bit of what is at an output's path.
  private func onDisk(_ path: String, as algorithm: Digest.Algorithm?) -> (digest: Digest, isExecutable: Bool)? {
    guard let path = WorkspacePath(path), let content = try? look(at: .workspace(path), as: algorithm) else { return nil }
    return content.known
  }

  private func decide(_ stage: Stage) throws -> Decision {
    let locked = lock.entries[stage.name]
    let recipe: Recipe
    do {
      recipe =
        stage.isIdle
        ? inspector.idleRecipe(of: stage)
        : try inspector.recipe(of: stage, locked: locked) { dependency, algorithm in
          Recipe.Input(path: dependency.place.text, try content(of: dependency.place, as: algorithm))
        }
    } catch let unknown as Unknown {
      return .run([.upstream(stage: unknown.maker)])
    } catch let missing as MissingInput {
      return .run([.inputMissing(path: missing.dependency.place.text)])
    }
    return rebuilder.decide(
      Rebuilder.Situation(
        recipe: recipe, isIdle: stage.isIdle, isFrozen: stage.isFrozen, alwaysChanged: stage.runsAlways, locked: locked,
        traces: { (try? traces.traces(of: recipe, stage: stage.name)) ?? [] },
        onDisk: { path in onDisk(path, as: locked?.algorithm(of: path)) },
        isKept: { (try? store.containsAll(of: $0.digest)) ?? false },
        isInStore: { Self.isIn(store, $0) }))
  }

  private static func isIn(_ store: any ObjectStore, _ result: Trace.Result) -> Bool {
    (store as? DirectoryObjectStore)?.hasWhole(result.digest) ?? (try? store.contains(result.digest)) ?? false
  }

  private mutating func foresee(_ stage: Stage, _ decision: Decision) {
    switch decision {
    case .upToDate: return
    case .restore(let known, _):
      for output in known.outputs { foresee(.some(output), at: output.path, by: stage.name) }
    case .record:
      // What is in the workspace stays there.
      return
    case .run:
      for output in stage.outputs { foresee(.some(nil), at: output.path.text, by: stage.name) }
    }
  }

  private mutating func foresee(_ result: Trace.Result??, at path: String, by maker: String) {
    foreseen[path] = result
    makers[path] = maker
    foreseenBelow[""] = maker
    var folder = WorkspacePath(path)?.parent
    while let current = folder {
      foreseenBelow[current.text] = maker
      folder = current.parent
    }
  }

  private func content(of place: Dependency.Place, as algorithm: Digest.Algorithm?) throws -> Content {
    if case .pattern(let pattern) = place, let maker = foreseenBelow[pattern.base?.text ?? ""] { throw Unknown(maker: maker) }
    guard !foreseen.isEmpty, case .workspace(let path) = place else {
      return try look(at: place, as: algorithm)
    }
    var folder: WorkspacePath? = path
    while let current = folder {
      if let result = foreseen[current.text] {
        guard let result else { throw Unknown(maker: makers[current.text] ?? "") }
        return try content(of: path, in: result)
      }
      folder = current.parent
    }
    if let maker = foreseenBelow[path.text] { throw Unknown(maker: maker) }
    return try look(at: place, as: algorithm)
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
    return .directory(part, part.digest(inspector.dialect.algorithm))
  }
}

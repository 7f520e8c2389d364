// How a stage differs from its lock entry, item by item, as `dvc status` tells it.
// SPDX-License-Identifier: Apache-2.0
package import ContentStore
package import PipelineModel

/// All that changed of one stage; unlike a `Decision` it looks at every item and at no other stage.
package struct StageStatus: Sendable, Equatable {
  package enum Change: String, Sendable {
    case new, modified, deleted
    case notInCache = "not in cache"
  }

  package enum Item: Sendable, Equatable {
    case file(String, Change)
    /// Keys of a parameter file, in the order of the manifest.
    case parameters(String, [(key: String, change: Change)])

    package static func == (a: Item, b: Item) -> Bool {
      switch (a, b) {
      case (.file(let p, let c), .file(let q, let d)): p == q && c == d
      case (.parameters(let p, let c), .parameters(let q, let d)):
        p == q && c.elementsEqual(d) { $0.key == $1.key && $0.change == $1.change }
      default: false
      }
    }
  }

  package var dependencies: [Item] = []
  package var outputs: [Item] = []
  package var alwaysChanged = false
  package var commandChanged = false

  package var isClean: Bool { dependencies.isEmpty && outputs.isEmpty && !alwaysChanged && !commandChanged }
}

extension Inspector {
  /// Compares a stage with its agreed result; missing files and parameters are changes, not errors.
  ///
  /// - Parameters:
  ///   - isKept: whether the store can give an output back.
  ///   - part: only the output that this path is, or lies in.
  package func status(
    of stage: Stage, locked: LockEntry?, rules: Rebuilder.Rules, isKept: (Trace.Result) -> Bool, part: WorkspacePath? = nil
  ) throws -> StageStatus {
    var status = StageStatus()
    if !stage.isFrozen {
      for dependency in stage.dependencies {
        if let change = try change(of: dependency, locked) { status.dependencies.append(.file(dependency.place.text, change)) }
      }
      status.dependencies += try changedParameters(of: stage, locked, rules)
    }
    for output in stage.outputs where part.map({ $0.isWithin(output.path) || output.path.isWithin($0) }) ?? true {
      if let change = try change(of: output, locked, isKept) { status.outputs.append(.file(output.path.text, change)) }
    }
    status.alwaysChanged = stage.runsAlways
    if case .commands(let commands) = stage.work {
      status.commandChanged =
        locked.map { $0.recipe.commands != commands || $0.recipe.isCommandList != (!dialect.isNative && stage.isCommandList) }
        ?? false
    } else if case .notebook = stage.work, let locked {
      status.commandChanged =
        try recipe(
          of: stage,
          inputOf: { dependency, _ in
            Recipe.Input(path: dependency.place.text, digest: Digest.of(""), size: 0, files: nil)
          }
        ).notebook != locked.recipe.notebook
    }
    return status
  }

  private func change(of dependency: Dependency, _ locked: LockEntry?) throws -> StageStatus.Change? {
    let recorded = locked?.recipe.inputs.first { $0.path == dependency.place.text }?.digest
    guard let input = try input(dependency, as: recorded?.algorithm) else { return .deleted }
    return input.digest == recorded ? nil : .modified
  }

  private func change(of output: Output, _ locked: LockEntry?, _ isKept: (Trace.Result) -> Bool) throws -> StageStatus.Change? {
    let recorded = locked?.outputs.first { $0.path == output.path.text }
    if let recorded, output.isCached, !isKept(recorded) { return .notInCache }
    switch try workspace.content(of: output.path, recorded?.digest.algorithm) {
    case .missing: return .deleted
    case .file(let digest, _, _), .directory(_, let digest): return digest == recorded?.digest ? nil : .modified
    }
  }

  private func changedParameters(of stage: Stage, _ locked: LockEntry?, _ rules: Rebuilder.Rules) throws -> [StageStatus.Item] {
    var files: [WorkspacePath] = []
    for reference in stage.parameters where !files.contains(reference.file) { files.append(reference.file) }
    return files.compactMap { file in
      let references = stage.parameters.filter { $0.file == file }
      guard workspace.exists(file) else { return .file(file.text, .deleted) }
      let recorded = locked?.recipe.parameters.filter { $0.file == file } ?? []
      if recorded.isEmpty { return .file(file.text, .new) }
      let keys = Self.changes(references, recorded, rules)
      return keys.isEmpty ? nil : .parameters(file.text, keys)
    }
  }

  private static func changes(
    _ references: [ParameterReference], _ recorded: [Parameter], _ rules: Rebuilder.Rules
  ) -> [(key: String, change: StageStatus.Change)] {
    let now = Self.flat(references.map { ($0.key, $0.value) })
    let before = Self.flat(recorded.map { ($0.key, $0.value) })
    let isWhole = references.contains { $0.key == nil }
    let keys = now.map(\.0) + (isWhole ? before.map(\.0).filter { key in !now.contains { $0.0 == key } } : [])
    return keys.compactMap { key in
      guard let value = now.first(where: { $0.0 == key })?.1 else { return (key, .deleted) }
      guard let old = before.first(where: { $0.0 == key })?.1 else { return (key, .new) }
      return rules.areEqual(old, value) ? nil : (key, .modified)
    }
  }

  /// A whole file as its top-level keys, since that is how DVC tells of it.
  private static func flat(_ values: [(String?, ParameterValue?)]) -> [(String, ParameterValue?)] {
    values.flatMap { key, value -> [(String, ParameterValue?)] in
      if let key { return [(key, value)] }
      if case .mapping(let pairs)? = value { return pairs.map { ($0.0, .some($0.1)) } }
      return []
    }
  }
}

// A stage's agreed result between the engine's spelling, from the project's root, and DVC's, from the stage's folder.
// SPDX-License-Identifier: Apache-2.0
import ContentStore

extension LockEntry {
  /// What an entry of `dvc.lock` or of the run cache says of a stage.
  ///
  /// Rows that lead out of the workspace keep their text, which is no place that an output may have: restoring one is
  /// refused. Rows without a digest say nothing and are passed over, and so are rows that spell a path otherwise than the
  /// stage does: DVC does not know them again.
  package init(_ entry: DVCLockEntry, of stage: Stage) {
    let folder = stage.workingDirectory
    let inputs = entry.dependencies.compactMap { row -> Recipe.Input? in
      guard let digest = row.digest, let path = Self.path(row.path, of: stage) else { return nil }
      return Recipe.Input(
        path: path, digest: digest, size: row.size ?? 0, files: row.files,
        isExecutable: row.isExecutable)
    }
    var targets: [Recipe.Target] = []
    var results: [Trace.Result] = []
    for row in entry.outputs {
      guard let path = Self.path(row.path, of: stage) else { continue }
      let declared = stage.outputs.first { $0.path.text == path }
      targets.append(
        Recipe.Target(
          path: path, kind: declared?.kind ?? .data, isCached: declared?.isCached ?? true,
          isPersistent: declared?.isPersistent ?? false))
      guard let digest = row.digest else { continue }
      results.append(
        Trace.Result(
          path: path, digest: digest, size: row.size ?? 0, files: row.files, isExecutable: row.isExecutable,
          kind: declared?.kind ?? .data))
    }
    var recipe = Recipe(
      commands: entry.commands, notebook: nil, workingDirectory: folder?.text, tools: [], inputs: inputs,
      parameters: Self.parameters(entry, of: stage), environment: [], targets: targets)
    recipe.isCommandList = entry.isCommandList
    // Sorted by path from the root: rows may be in another order from the stage's folder.
    self.init(recipe: recipe, outputs: results.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) })
  }

  /// `nil` when the stage spells the path otherwise.
  private static func path(_ written: String, of stage: Stage) -> String? {
    guard case .workspace(let path) = DVCPath.place(of: written, in: stage.workingDirectory) else { return written }
    return spelling(of: path, of: stage) == written ? path.text : nil
  }

  fileprivate static func spelling(of path: WorkspacePath, of stage: Stage) -> String {
    if !stage.spellings.isEmpty, let spelled = stage.spellings[path.text] { return spelled }
    return DVCPath.relative(path, to: stage.workingDirectory)
  }

  /// Values of the keys that the stage names; a file that it names whole has all that was recorded.
  private static func parameters(_ entry: DVCLockEntry, of stage: Stage) -> [Parameter] {
    var found: [Parameter] = []
    for file in entry.parameters {
      guard case .workspace(let path) = DVCPath.place(of: file.path, in: stage.workingDirectory),
        DVCPath.relative(path, to: stage.workingDirectory) == file.path
      else { continue }
      let references = stage.parameters.filter { $0.file == path }
      if references.contains(where: { $0.key == nil }) {
        found.append(Parameter(file: path, key: nil, value: .mapping(file.values.map { ($0.key, $0.value) })))
      } else {
        let named = Set(references.compactMap(\.key))
        found += file.values.filter { named.contains($0.key) }.map { Parameter(file: path, key: $0.key, value: $0.value) }
      }
    }
    return found
  }
}

extension DVCLockEntry {
  /// What DVC would write for a result.
  package init(_ entry: LockEntry, of stage: Stage) {
    func relative(_ path: String) -> String { WorkspacePath(path).map { LockEntry.spelling(of: $0, of: stage) } ?? path }
    var files: [(path: String, values: [(key: String, value: ParameterValue)])] = []
    for parameter in entry.recipe.parameters {
      let path = relative(parameter.file.text)
      let values = parameter.key.map { [($0, parameter.value)] } ?? parameter.value.topPairs
      if let index = files.firstIndex(where: { $0.path == path }) {
        files[index].values += values
      } else {
        files.append((path, values))
      }
    }
    self.init(
      commands: entry.recipe.commands, isCommandList: entry.recipe.isCommandList,
      dependencies: entry.recipe.inputs.map {
        Row(path: relative($0.path), digest: $0.digest, size: $0.size, files: $0.files, isExecutable: $0.isExecutable)
      }, parameters: files.map { ParameterFile(path: $0.path, values: $0.values) },
      outputs: entry.outputs.map {
        Row(path: relative($0.path), digest: $0.digest, size: $0.size, files: $0.files, isExecutable: $0.isExecutable)
      })
  }
}

extension ParameterValue {
  fileprivate var topPairs: [(key: String, value: ParameterValue)] {
    guard case .mapping(let pairs) = self else { return [] }
    return pairs.map { (key: $0.0, value: $0.1) }
  }
}

extension PointerFile {
  /// What the file says of its data; `nil` when it names none whose digest is known.
  package func lockEntry(of stage: Stage) -> LockEntry? {
    let results = outputs.compactMap { output in
      output.digest.map {
        Trace.Result(
          path: output.place.text, digest: $0, size: output.size ?? 0, files: output.files, isExecutable: output.isExecutable,
          kind: .data)
      }
    }
    guard !results.isEmpty else { return nil }
    let recipe = Recipe(
      commands: [], notebook: nil, workingDirectory: stage.workingDirectory?.text, tools: [], inputs: [], parameters: [],
      environment: [],
      targets: outputs.map {
        Recipe.Target(path: $0.place.text, kind: .data, isCached: $0.isCached, isPersistent: $0.isPersistent)
      })
    return LockEntry(recipe: recipe, outputs: results)
  }

  /// The same file for data that changed.
  package func taking(_ entry: LockEntry) -> PointerFile {
    var updated = self
    for index in updated.outputs.indices {
      guard let result = entry.outputs.first(where: { $0.path == updated.outputs[index].place.text }) else { continue }
      updated.outputs[index].digest = result.digest
      updated.outputs[index].size = result.size
      updated.outputs[index].files = result.files
      updated.outputs[index].isExecutable = result.isExecutable
    }
    return updated
  }
}

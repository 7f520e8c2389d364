// Looks at the workspace to say what a stage would be made from now.
// SPDX-License-Identifier: Apache-2.0
package import ContentStore
internal import Diagnostics
package import PipelineModel

/// What the engine needs to know of a stage's code, without knowing languages or tools.
package struct WorkReader: Sendable {
  /// The code of a notebook, cell by cell.
  ///
  /// - Throws: `DiagnosticList` for mistakes in it, `StoreError` when it cannot be read.
  package var notebookCode: @Sendable (WorkspacePath) throws -> [String]
  /// Versioned programs that a piece of code calls.
  package var tools: @Sendable (_ code: [String]) -> [Recipe.Tool]
  /// A parameter file as it is now; `nil` when it is not there. Asked for files that a stage makes.
  package var parameterFile: @Sendable (WorkspacePath) throws -> ParameterValue?

  package init(
    notebookCode: @escaping @Sendable (WorkspacePath) throws -> [String],
    tools: @escaping @Sendable ([String]) -> [Recipe.Tool],
    parameterFile: @escaping @Sendable (WorkspacePath) throws -> ParameterValue? = { _ in nil }
  ) {
    self.notebookCode = notebookCode
    self.tools = tools
    self.parameterFile = parameterFile
  }
}

package struct Inspector: Sendable {
  package let workspace: Workspace
  package let work: WorkReader
  package let dialect: Dialect
  /// Parameter files that a stage makes: what was read along with the manifest may be old.
  let madeParameters: Set<WorkspacePath>

  /// - Parameter graph: tells which parameter files are made by a stage; `nil` when none is.
  package init(workspace: Workspace, work: WorkReader, dialect: Dialect = .native, graph: StageGraph? = nil) {
    self.workspace = workspace
    self.work = work
    self.dialect = dialect
    var files: Set<WorkspacePath> = []
    for stage in graph?.stages ?? [] { for parameter in stage.parameters { files.insert(parameter.file) } }
    madeParameters = files.filter { graph?.isMade($0) ?? false }
  }

  /// What is at a dependency's place.
  ///
  /// - Parameter algorithm: the hash to look with; `nil` is the dialect's.
  package func content(of place: Dependency.Place, as algorithm: Digest.Algorithm? = nil) throws(StoreError) -> Content {
    switch place {
    case .workspace(let path): try workspace.content(of: path, algorithm)
    case .external(let path): try workspace.content(absolute: path, algorithm)
    case .pattern(let pattern): try workspace.content(matching: pattern)
    }
  }

  /// - Parameters:
  ///   - locked: the agreed result, whose hashes an old lock file may have made with another algorithm.
  ///   - inputOf: looks at a dependency, `nil` when it is missing; a plan answers from what it foresees.
  /// - Throws: a `Diagnostic` for a missing dependency or parameter, what `WorkReader` throws, `StoreError`.
  package func recipe(
    of stage: Stage, locked: LockEntry? = nil, inputOf: (Dependency, Digest.Algorithm?) throws -> Recipe.Input?
  ) throws -> Recipe {
    let known = locked?.recipe.inputs ?? []
    var inputs: [Recipe.Input] = []
    inputs.reserveCapacity(stage.dependencies.count)
    for dependency in stage.dependencies {
      let path = dependency.place.text
      let algorithm = known.isEmpty ? nil : known.first { $0.path == path }?.digest.algorithm
      guard let input = try inputOf(dependency, algorithm) else { throw MissingInput(dependency: dependency, stage: stage) }
      inputs.append(input)
    }
    let (commands, notebook, code) = try work(of: stage)
    var recipe = Recipe(
      commands: commands, notebook: notebook, workingDirectory: stage.workingDirectory?.text,
      tools: dialect.isNative ? work.tools(code) : [], inputs: inputs, parameters: try parameters(of: stage),
      environment: stage.environment,
      targets: stage.outputs.map {
        Recipe.Target(path: $0.path.text, kind: $0.kind, isCached: $0.isCached, isPersistent: $0.isPersistent)
      })
    recipe.isCommandList = !dialect.isNative && stage.isCommandList
    return recipe
  }

  package func recipe(of stage: Stage, locked: LockEntry? = nil) throws -> Recipe {
    try recipe(of: stage, locked: locked, inputOf: input)
  }

  /// The recipe of a stage that runs nothing: its dependencies decide nothing and may be missing.
  package func idleRecipe(of stage: Stage) -> Recipe {
    var commands: [String] = []
    if case .commands(let texts) = stage.work { commands = texts }
    var recipe = Recipe(
      commands: commands, notebook: nil, workingDirectory: stage.workingDirectory?.text, tools: [], inputs: [], parameters: [],
      environment: [],
      targets: stage.outputs.map {
        Recipe.Target(path: $0.path.text, kind: $0.kind, isCached: $0.isCached, isPersistent: $0.isPersistent)
      })
    recipe.isCommandList = !dialect.isNative && stage.isCommandList
    return recipe
  }

  /// A dependency as it is; `nil` when it is missing.
  package func input(_ dependency: Dependency, as algorithm: Digest.Algorithm?) throws(StoreError) -> Recipe.Input? {
    Recipe.Input(path: dependency.place.text, try content(of: dependency.place, as: algorithm))
  }

  private func parameters(of stage: Stage) throws -> [Parameter] {
    try stage.parameters.map { reference in
      var value = reference.value
      if madeParameters.contains(reference.file) {
        let tree = try work.parameterFile(reference.file)
        value = reference.key.map { key in tree?[at: key] } ?? tree
      }
      guard let value else { throw Self.missing(reference, of: stage) }
      return Parameter(file: reference.file, key: reference.key, value: value)
    }
  }

  private static func missing(_ parameter: ParameterReference, of stage: Stage) -> Diagnostic {
    let what = parameter.key.map { "parameter `\($0)` is not in \(parameter.file)" } ?? "`\(parameter.file)` is not there"
    return Diagnostic(.input, "\(what), which stage `\(stage.name)` names", at: parameter.location)
  }

  private func work(of stage: Stage) throws -> ([String], Recipe.NotebookCode?, code: [String]) {
    switch stage.work {
    case .commands(let commands): return (commands, nil, commands)
    case .data: return ([], nil, [])
    case .notebook(let path):
      let code = try work.notebookCode(path)
      var writer = ByteWriter()
      writer.texts(code)
      return ([], Recipe.NotebookCode(path: path.text, code: Digest.of(writer.bytes)), code)
    }
  }

  /// Digest and executable bit of what is at an output's path.
  ///
  /// - Parameter algorithm: the hash to look with; `nil` is the dialect's.
  package func onDisk(_ path: String, as algorithm: Digest.Algorithm? = nil) -> (digest: Digest, isExecutable: Bool)? {
    guard let path = WorkspacePath(path), let content = try? workspace.content(of: path, algorithm) else { return nil }
    return content.known
  }
}

extension Content {
  /// Digest and executable bit; `nil` when nothing is there.
  var known: (digest: Digest, isExecutable: Bool)? {
    switch self {
    case .missing: nil
    case .file(let digest, _, let isExecutable): (digest, isExecutable)
    case .directory(_, let digest): (digest, false)
    }
  }
}

extension Recipe.Input {
  /// `nil` when nothing is there.
  init?(path: String, _ content: Content) {
    switch content {
    case .missing: return nil
    case .file(let digest, let size, let isExecutable):
      self.init(path: path, digest: digest, size: size, files: nil, isExecutable: isExecutable)
    case .directory(let tree, let digest):
      self.init(path: path, digest: digest, size: tree.size, files: tree.entries.count)
    }
  }
}

/// A dependency that is not there.
struct MissingInput: Error, DiagnosticConvertible {
  var dependency: Dependency
  var stage: Stage

  var diagnostic: Diagnostic {
    Diagnostic(
      .input, "`\(dependency.place.text)`, a dependency of stage `\(stage.name)`, is not there and no stage makes it",
      at: dependency.location, hints: ["bring the file back, or mend the path; `pipe pull` gets what the remote has"])
  }
}

extension Stage {
  /// Runs nothing: data, or frozen.
  package var isIdle: Bool { isFrozen || work == .data }

  /// Declared so, or with nothing that could tell whether it has to.
  package var runsAlways: Bool {
    alwaysChanged || (!isIdle && dependencies.isEmpty && outputs.isEmpty && parameters.isEmpty)
  }
}

extension LockEntry {
  /// The hash that the entry has of an output.
  package func algorithm(of path: String) -> Digest.Algorithm? { outputs.first { $0.path == path }?.digest.algorithm }
}

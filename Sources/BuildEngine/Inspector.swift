// Looks at the workspace to say what a stage would be made from now.
// SPDX-License-Identifier: Apache-2.0
package import ContentStore
package import Diagnostics
package import PipelineModel

/// What the engine needs to know of a stage's code, without knowing languages or tools.
package struct WorkReader: Sendable {
  /// The code of a notebook, cell by cell.
  ///
  /// - Throws: `DiagnosticList` for mistakes in it, `StoreError` when it cannot be read.
  package var notebookCode: @Sendable (WorkspacePath) throws -> [String]
  /// Versioned programs that a piece of code calls.
  package var tools: @Sendable (_ code: [String]) -> [Recipe.Tool]

  package init(
    notebookCode: @escaping @Sendable (WorkspacePath) throws -> [String],
    tools: @escaping @Sendable ([String]) -> [Recipe.Tool]
  ) {
    self.notebookCode = notebookCode
    self.tools = tools
  }
}

/// Makes recipes.
package struct Inspector: Sendable {
  package let workspace: Workspace
  package let work: WorkReader

  package init(workspace: Workspace, work: WorkReader) {
    self.workspace = workspace
    self.work = work
  }

  /// What is at a dependency's place.
  package func content(of place: Dependency.Place) throws(StoreError) -> Content {
    switch place {
    case .workspace(let path): try workspace.content(of: path)
    case .external(let path): try workspace.content(absolute: path)
    case .pattern(let pattern): try workspace.content(matching: pattern)
    }
  }

  /// - Parameter contentOf: gives a dependency's content; a plan answers from what it foresees.
  /// - Throws: a `Diagnostic` for a missing dependency, what `WorkReader` throws, `StoreError`.
  package func recipe(of stage: Stage, contentOf: (Dependency.Place) throws -> Content) throws -> Recipe {
    var inputs: [Recipe.Input] = []
    for dependency in stage.dependencies {
      switch try contentOf(dependency.place) {
      case .missing: throw Self.missing(dependency, of: stage)
      case .file(let digest, let size, _):
        inputs.append(Recipe.Input(path: dependency.place.text, digest: digest, size: size, files: nil))
      case .directory(let tree, let digest):
        inputs.append(Recipe.Input(path: dependency.place.text, digest: digest, size: tree.size, files: tree.entries.count))
      }
    }
    let (commands, notebook, code) = try work(of: stage)
    return Recipe(
      commands: commands, notebook: notebook, workingDirectory: stage.workingDirectory?.text, tools: work.tools(code),
      inputs: inputs, parameters: try stage.parameters.map(Self.value), environment: stage.environment,
      targets: stage.outputs.map {
        Recipe.Target(path: $0.path.text, kind: $0.kind, isCached: $0.isCached, isPersistent: $0.isPersistent)
      })
  }

  package func recipe(of stage: Stage) throws -> Recipe { try recipe(of: stage, contentOf: content) }

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

  private static func value(of parameter: ParameterReference) throws -> Parameter {
    if let value = parameter.value { return Parameter(file: parameter.file, key: parameter.key, value: value) }
    throw Diagnostic(
      .input, "parameter `\(parameter.key ?? "all of it")` is not in \(parameter.file)", at: parameter.location)
  }

  static func missing(_ dependency: Dependency, of stage: Stage) -> Diagnostic {
    Diagnostic(
      .input, "`\(dependency.place.text)`, a dependency of stage `\(stage.name)`, is not there and no stage makes it",
      at: dependency.location, hints: ["bring the file back, or mend the path; `pipe pull` gets what the remote has"])
  }

  /// Digest and executable bit of what is at an output's path.
  package func onDisk(_ path: String) -> (digest: Digest, isExecutable: Bool)? {
    guard let path = WorkspacePath(path), let content = try? workspace.content(of: path) else { return nil }
    switch content {
    case .missing: return nil
    case .file(let digest, _, let isExecutable): return (digest, isExecutable)
    case .directory(_, let digest): return (digest, false)
    }
  }
}

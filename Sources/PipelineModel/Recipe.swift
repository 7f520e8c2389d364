// All that decides a stage's result, and the digest of it.
// SPDX-License-Identifier: Apache-2.0
package import ContentStore

/// The inputs of one execution, whole enough to say later why a result is not up to date.
package struct Recipe: Sendable, Equatable {
  package struct Input: Sendable, Equatable {
    package var path: String
    package var digest: Digest
    package var size: Int
    /// Files, for a directory.
    package var files: Int?
    /// Told by DVC's lock file; it decides nothing.
    package var isExecutable: Bool

    package init(path: String, digest: Digest, size: Int, files: Int?, isExecutable: Bool = false) {
      self.path = path
      self.digest = digest
      self.size = size
      self.files = files
      self.isExecutable = isExecutable
    }
  }

  package struct NotebookCode: Sendable, Equatable {
    package var path: String
    /// Of the code cells and the options that change what they do; prose is not part of it.
    package var code: Digest

    package init(path: String, code: Digest) {
      self.path = path
      self.code = code
    }
  }

  package struct Tool: Sendable, Equatable {
    package var name: String
    package var version: Int

    package init(name: String, version: Int) {
      self.name = name
      self.version = version
    }
  }

  package struct Target: Sendable, Equatable {
    package var path: String
    package var kind: Output.Kind
    package var isCached: Bool
    package var isPersistent: Bool

    package init(path: String, kind: Output.Kind, isCached: Bool, isPersistent: Bool) {
      self.path = path
      self.kind = kind
      self.isCached = isCached
      self.isPersistent = isPersistent
    }
  }

  /// Empty for a notebook stage.
  package var commands: [String]
  /// Whether the commands were written as a list; only DVC's lock file tells one command from a list of one.
  package var isCommandList = false
  package var notebook: NotebookCode?
  package var workingDirectory: String?
  /// Programs of the kit that the work calls, by name.
  package var tools: [Tool]
  /// Sorted by path.
  package var inputs: [Input]
  /// In the order of the manifest.
  package var parameters: [Parameter]
  package var environment: [EnvironmentVariable]
  /// Sorted by path.
  package var targets: [Target]

  package init(
    commands: [String], notebook: NotebookCode?, workingDirectory: String?, tools: [Tool], inputs: [Input],
    parameters: [Parameter], environment: [EnvironmentVariable], targets: [Target]
  ) {
    self.commands = commands
    self.notebook = notebook
    self.workingDirectory = workingDirectory
    self.tools = Self.inOrder(tools) { $0.name < $1.name }
    self.inputs = Self.inOrder(inputs) { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    // By bytes: what Unicode calls equal are two parameters, and their order has to be one.
    self.parameters = Self.inOrder(parameters) { a, b in
      a.file.text.utf8.elementsEqual(b.file.text.utf8)
        ? (a.key ?? "").utf8.lexicographicallyPrecedes((b.key ?? "").utf8)
        : a.file.text.utf8.lexicographicallyPrecedes(b.file.text.utf8)
    }
    self.environment = Self.inOrder(environment) { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    self.targets = Self.inOrder(targets) { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
  }

  /// Sorted; lists nearly always are.
  private static func inOrder<Item>(_ items: [Item], _ precedes: (Item, Item) -> Bool) -> [Item] {
    for index in items.indices.dropFirst() where precedes(items[index], items[index - 1]) { return items.sorted(by: precedes) }
    return items
  }
}

/// The digest of a recipe: two stages with the same fingerprint have the same result.
package struct Fingerprint: Sendable, Hashable {
  /// Raised when the encoding below changes.
  static let formatVersion: Int64 = 1

  package let digest: Digest

  package init(digest: Digest) { self.digest = digest }

  package init(of recipe: Recipe) {
    var writer = ByteWriter()
    writer.text("pipe fingerprint")
    writer.integer(Self.formatVersion)
    writer.texts(recipe.commands)
    writer.text(recipe.notebook == nil ? "" : "notebook")
    if let notebook = recipe.notebook { writer.digest(notebook.code) }
    writer.text(recipe.workingDirectory ?? "")
    writer.integer(Int64(recipe.tools.count))
    for tool in recipe.tools {
      writer.text(tool.name)
      writer.integer(Int64(tool.version))
    }
    writer.integer(Int64(recipe.inputs.count))
    for input in recipe.inputs {
      writer.text(input.path)
      writer.digest(input.digest)
    }
    writer.integer(Int64(recipe.parameters.count))
    for parameter in recipe.parameters {
      writer.text(parameter.file.text)
      writer.text(parameter.key ?? "")
      parameter.value.encode(into: &writer)
    }
    writer.integer(Int64(recipe.environment.count))
    for variable in recipe.environment {
      writer.text(variable.name)
      writer.text(variable.value)
    }
    writer.integer(Int64(recipe.targets.count))
    for target in recipe.targets { writer.text(target.path) }
    digest = Digest.of(writer.bytes)
  }
}

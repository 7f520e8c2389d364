// Lock entries and traces as text: the lock file is YAML for a diff, a trace is one JSON document.
// SPDX-License-Identifier: Apache-2.0
package import ContentStore
package import Diagnostics

extension LockEntry {
  /// The entry as a tree, in the order in which it is written.
  var tree: ParameterValue {
    var pairs: [(String, ParameterValue)] = []
    if let notebook = recipe.notebook {
      pairs.append(("notebook", .text(notebook.path)))
      pairs.append(("code", .text(notebook.code.hex)))
    } else {
      let commands = recipe.commands.map(ParameterValue.text)
      pairs.append(("cmd", commands.count == 1 ? commands[0] : .list(commands)))
    }
    if let folder = recipe.workingDirectory { pairs.append(("wdir", .text(folder))) }
    if !recipe.tools.isEmpty {
      pairs.append(("tools", .mapping(recipe.tools.map { ($0.name, .integer(Int64($0.version))) })))
    }
    if !recipe.environment.isEmpty {
      pairs.append(("env", .mapping(recipe.environment.map { ($0.name, .text($0.value)) })))
    }
    if !recipe.inputs.isEmpty {
      pairs.append(("deps", .list(recipe.inputs.map { Self.row($0.path, $0.digest, $0.size, $0.files, false) })))
    }
    if !recipe.parameters.isEmpty { pairs.append(("params", parameterTree)) }
    if !recipe.targets.isEmpty {
      pairs.append(
        (
          "outs",
          .list(
            outputs.map { output in
              var row = Self.row(output.path, output.digest, output.size, output.files, output.isExecutable)
              let target = recipe.targets.first { $0.path == output.path }
              if case .mapping(var fields) = row {
                if output.kind != .data { fields.append(("kind", .text(output.kind.rawValue))) }
                if target?.isCached == false { fields.append(("cache", .bool(false))) }
                if target?.isPersistent == true { fields.append(("persist", .bool(true))) }
                row = .mapping(fields)
              }
              return row
            })
        ))
    }
    return .mapping(pairs)
  }

  private static func row(_ path: String, _ digest: Digest, _ size: Int, _ files: Int?, _ isExecutable: Bool) -> ParameterValue {
    var fields: [(String, ParameterValue)] = [
      ("path", .text(path)), ("hash", .text(digest.algorithm.name)), (digest.algorithm.name, .text(digest.hex)),
      ("size", .integer(Int64(size))),
    ]
    if let files { fields.append(("nfiles", .integer(Int64(files)))) }
    if isExecutable { fields.append(("isexec", .bool(true))) }
    return .mapping(fields)
  }

  private var parameterTree: ParameterValue {
    var files: [(String, ParameterValue)] = []
    for parameter in recipe.parameters {
      guard let key = parameter.key else {
        files.append((parameter.file.text, .mapping([("", parameter.value)])))
        continue
      }
      if let index = files.firstIndex(where: { $0.0 == parameter.file.text }), case .mapping(var pairs) = files[index].1 {
        pairs.append((key, parameter.value))
        files[index].1 = .mapping(pairs)
      } else {
        files.append((parameter.file.text, .mapping([(key, parameter.value)])))
      }
    }
    return .mapping(files)
  }

  /// Reads an entry back; `nil` when a field is missing or not what it should be.
  init?(tree: ParameterValue) {
    let commands: [String]
    switch tree["cmd"] {
    case .text(let command): commands = [command]
    case .list(let items):
      commands = items.compactMap(\.asText)
      guard commands.count == items.count else { return nil }
    default: commands = []
    }
    var notebook: Recipe.NotebookCode?
    if let path = tree["notebook"]?.asText {
      guard let code = tree["code"]?.asText.flatMap({ Digest(.sha256, hex: $0) }) else { return nil }
      notebook = Recipe.NotebookCode(path: path, code: code)
    }
    var inputs: [Recipe.Input] = []
    for row in tree["deps"]?.asList ?? [] {
      guard let file = FileRow(row) else { return nil }
      inputs.append(Recipe.Input(path: file.path, digest: file.digest, size: file.size, files: file.files))
    }
    var parameters: [Parameter] = []
    for (name, keys) in tree["params"]?.asPairs ?? [] {
      guard let file = WorkspacePath(name), let pairs = keys.asPairs else { return nil }
      parameters += pairs.map { Parameter(file: file, key: $0.0.isEmpty ? nil : $0.0, value: $0.1) }
    }
    var outputs: [Trace.Result] = []
    var targets: [Recipe.Target] = []
    for row in tree["outs"]?.asList ?? [] {
      guard let file = FileRow(row), WorkspacePath(file.path)?.text == file.path,
        let kind = Output.Kind(rawValue: row["kind"]?.asText ?? "data")
      else { return nil }
      outputs.append(
        Trace.Result(
          path: file.path, digest: file.digest, size: file.size, files: file.files, isExecutable: file.isExecutable, kind: kind))
      targets.append(
        Recipe.Target(
          path: file.path, kind: kind, isCached: row["cache"] != .bool(false), isPersistent: row["persist"] == .bool(true)))
    }
    self.init(
      recipe: Recipe(
        commands: commands, notebook: notebook, workingDirectory: tree["wdir"]?.asText,
        tools: (tree["tools"]?.asPairs ?? []).compactMap { name, version in
          version.asInteger.map { Recipe.Tool(name: name, version: $0) }
        },
        inputs: inputs, parameters: parameters,
        environment: (tree["env"]?.asPairs ?? []).compactMap { name, value in
          value.asText.map { EnvironmentVariable(name: name, value: $0) }
        }, targets: targets),
      outputs: outputs)
  }
}

private struct FileRow {
  var path: String
  var digest: Digest
  var size: Int
  var files: Int?
  var isExecutable: Bool

  init?(_ row: ParameterValue) {
    guard let path = row["path"]?.asText, let size = row["size"]?.asInteger, size >= 0 else { return nil }
    let algorithm: Digest.Algorithm = row["hash"]?.asText == "md5" ? .md5 : .sha256
    guard let digest = row[algorithm.name]?.asText.flatMap({ Digest(algorithm, hex: $0) }) else { return nil }
    self.path = path
    self.digest = digest
    self.size = size
    self.files = row["nfiles"]?.asInteger
    self.isExecutable = row["isexec"] == .bool(true)
  }
}

extension ParameterValue {
  package var asText: String? {
    if case .text(let text) = self { return text }
    return nil
  }

  package var asInteger: Int? {
    if case .integer(let value) = self { return Int(value) }
    return nil
  }

  package var asDouble: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .double(let value): value
    default: nil
    }
  }

  package var asList: [ParameterValue]? {
    if case .list(let items) = self { return items }
    return nil
  }

  package var asPairs: [(String, ParameterValue)]? {
    if case .mapping(let pairs) = self { return pairs }
    return nil
  }

  /// The value of a key of this mapping, not of a path.
  package subscript(_ key: String) -> ParameterValue? { asPairs?.first { $0.0 == key }?.1 }

  /// Reads JSON text (which is YAML too); `nil` when it is not.
  package init?(json text: String) {
    let (tree, mistakes) = YAMLReader.read(text, file: "json")
    guard let tree, !mistakes.hasErrors else { return nil }
    self = tree.value
  }
}

// MARK: - Trace documents

extension Trace {
  static let schema = "pipe.trace/1"

  /// One JSON document, in a fixed order.
  package var json: String {
    var factPairs: [(String, ParameterValue)] = [
      ("run", .text(facts.run)), ("finished_at", .text(facts.finishedAt)),
      ("duration_seconds", .double(facts.durationSeconds)), ("peak_memory_bytes", .integer(Int64(facts.peakMemoryBytes))),
      ("host", .text(facts.host)), ("commit", facts.commit.map { .text($0) } ?? .null), ("dirty", .bool(facts.isDirty)),
    ]
    if let log = facts.log { factPairs.append(("log", .text("\(log)"))) }
    if let woven = facts.woven { factPairs.append(("woven", .text("\(woven)"))) }
    return ParameterValue.mapping([
      ("schema", .text(Self.schema)), ("stage", .text(stage)), ("fingerprint", .text("\(fingerprint.digest)")),
      ("entry", LockEntry(self).tree), ("facts", .mapping(factPairs)),
    ]).json + "\n"
  }

  /// Reads a trace document; its fingerprint has to be that of its recipe.
  ///
  /// - Throws: `StoreError.malformedFile`.
  package init(json text: String, file: String) throws(StoreError) {
    guard let tree = ParameterValue(json: text), tree["schema"]?.asText == Self.schema, let stage = tree["stage"]?.asText,
      let entry = tree["entry"].flatMap({ LockEntry(tree: $0) }), let facts = tree["facts"], let run = facts["run"]?.asText,
      let finishedAt = facts["finished_at"]?.asText
    else { throw .malformedFile(path: file, why: "it is not a trace of schema \(Self.schema)") }
    self.init(
      stage: stage, recipe: entry.recipe, outputs: entry.outputs,
      facts: Facts(
        run: run, finishedAt: finishedAt, durationSeconds: facts["duration_seconds"]?.asDouble ?? 0,
        peakMemoryBytes: facts["peak_memory_bytes"]?.asInteger ?? 0, host: facts["host"]?.asText ?? "",
        commit: facts["commit"]?.asText, isDirty: facts["dirty"] == .bool(true),
        log: facts["log"]?.asText.flatMap { Digest($0) }, woven: facts["woven"]?.asText.flatMap { Digest($0) }))
    guard tree["fingerprint"]?.asText == "\(fingerprint.digest)" else {
      throw .malformedFile(path: file, why: "its fingerprint is not that of its recipe")
    }
  }
}

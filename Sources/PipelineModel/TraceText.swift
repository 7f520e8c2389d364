// Lock entries and traces as text: the lock file is YAML for a diff, a trace is one JSON document.
// SPDX-License-Identifier: Apache-2.0
package import ContentStore
internal import Diagnostics

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

  /// Reads an entry back; `nil` when a field is missing or not what it should be: a list that is no list is not an empty one.
  init?(tree: ParameterValue) {
    guard tree.asPairs != nil, let work = Work(tree), let inputs = tree.rows("deps", Recipe.Input.init),
      let outputs = tree.rows("outs", Trace.Result.init), let targets = tree.rows("outs", Recipe.Target.init),
      let parameters = tree.flatRows("params", Self.parameters), let tools = tree.fields("tools", Recipe.Tool.init),
      let environment = tree.fields("env", EnvironmentVariable.init), Set(targets.map(\.path)).count == targets.count
    else { return nil }
    self.init(
      recipe: Recipe(
        commands: work.commands, notebook: work.notebook, workingDirectory: work.folder, tools: tools, inputs: inputs,
        parameters: parameters, environment: environment, targets: targets),
      outputs: outputs)
  }

  private struct Work {
    var commands: [String] = []
    var notebook: Recipe.NotebookCode?
    var folder: String?

    init?(_ tree: ParameterValue) {
      switch (tree["cmd"], tree["notebook"]) {
      case (.text(let command)?, nil): commands = [command]
      case (.list(let items)?, nil):
        commands = items.compactMap(\.asText)
        guard commands.count == items.count else { return nil }
      case (nil, .text(let path)?):
        guard let code = tree["code"]?.asText.flatMap({ Digest(.sha256, hex: $0) }) else { return nil }
        notebook = Recipe.NotebookCode(path: path, code: code)
      default: return nil
      }
      guard let folder = tree["wdir"] else { return }
      guard let text = folder.asText else { return nil }
      self.folder = text
    }
  }

  private static func parameters(_ name: String, _ keys: ParameterValue) -> [Parameter]? {
    guard let file = WorkspacePath(name), let pairs = keys.asPairs else { return nil }
    return pairs.map { Parameter(file: file, key: $0.0.isEmpty ? nil : $0.0, value: $0.1) }
  }
}

extension ParameterValue {
  /// Every item of the list under a key, made into a row; empty without the key, `nil` when anything does not fit.
  fileprivate func rows<Row>(_ key: String, _ make: (ParameterValue) -> Row?) -> [Row]? {
    guard let value = self[key] else { return [] }
    guard let items = value.asList else { return nil }
    let rows = items.compactMap(make)
    return rows.count == items.count ? rows : nil
  }

  /// Every pair of the mapping under a key, likewise.
  fileprivate func fields<Row>(_ key: String, _ make: (String, ParameterValue) -> Row?) -> [Row]? {
    guard let value = self[key] else { return [] }
    guard let pairs = value.asPairs else { return nil }
    let rows = pairs.compactMap(make)
    return rows.count == pairs.count ? rows : nil
  }

  fileprivate func flatRows<Row>(_ key: String, _ make: (String, ParameterValue) -> [Row]?) -> [Row]? {
    fields(key, make).map { $0.flatMap { $0 } }
  }

  /// The flag under a key; `nil` when there is something else.
  fileprivate func flag(_ key: String, otherwise: Bool) -> Bool? {
    switch self[key] {
    case nil: otherwise
    case .bool(let value)?: value
    default: nil
    }
  }
}

extension Recipe.Input {
  fileprivate init?(_ row: ParameterValue) {
    guard let file = FileRow(row) else { return nil }
    self.init(path: file.path, digest: file.digest, size: file.size, files: file.files)
  }
}

extension Trace.Result {
  fileprivate init?(_ row: ParameterValue) {
    guard let file = FileRow(row), let target = Recipe.Target(row) else { return nil }
    self.init(
      path: file.path, digest: file.digest, size: file.size, files: file.files, isExecutable: file.isExecutable,
      kind: target.kind)
  }
}

extension Recipe.Target {
  fileprivate init?(_ row: ParameterValue) {
    guard let path = row["path"]?.asText, WorkspacePath(path)?.text == path,
      let kind = Output.Kind(rawValue: row["kind"].map { $0.asText ?? "" } ?? "data"),
      let isCached = row.flag("cache", otherwise: true), let isPersistent = row.flag("persist", otherwise: false)
    else { return nil }
    self.init(path: path, kind: kind, isCached: isCached, isPersistent: isPersistent)
  }
}

extension Recipe.Tool {
  fileprivate init?(_ name: String, _ version: ParameterValue) {
    guard let version = version.asInteger else { return nil }
    self.init(name: name, version: version)
  }
}

extension EnvironmentVariable {
  fileprivate init?(_ name: String, _ value: ParameterValue) {
    guard let value = value.asText else { return nil }
    self.init(name: name, value: value)
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
    guard let isExecutable = row.flag("isexec", otherwise: false) else { return nil }
    var files: Int?
    if let count = row["nfiles"] {
      guard let count = count.asInteger, count >= 0 else { return nil }
      files = count
    }
    self.path = path
    self.digest = digest
    self.size = size
    self.files = files
    self.isExecutable = isExecutable
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

extension ParameterValue {
  private static let spelled = "$double"

  /// The same with `{"$double": "nan"}` for numbers that JSON has no word for.
  fileprivate var spelledOut: ParameterValue {
    switch self {
    // Not-a-numbers are one value, and not every word that the library has for them is read back.
    case .double(let number) where !number.isFinite: .mapping([(Self.spelled, .text(number.isNaN ? "nan" : "\(number)"))])
    case .list(let items): .list(items.map(\.spelledOut))
    case .mapping(let pairs): .mapping(pairs.map { ($0.0, $0.1.spelledOut) })
    default: self
    }
  }

  fileprivate var readBack: ParameterValue {
    switch self {
    case .mapping(let pairs):
      if pairs.count == 1, pairs[0].0 == Self.spelled, let number = pairs[0].1.asText.flatMap({ Double($0) }) {
        .double(number)
      } else {
        .mapping(pairs.map { ($0.0, $0.1.readBack) })
      }
    case .list(let items): .list(items.map(\.readBack))
    default: self
    }
  }
}

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
      ("entry", LockEntry(self).tree.spelledOut), ("facts", .mapping(factPairs)),
    ]).json + "\n"
  }

  /// Reads a trace document; its fingerprint has to be that of its recipe.
  ///
  /// - Throws: `StoreError.malformedFile`.
  package init(json text: String, file: String) throws(StoreError) {
    guard let tree = ParameterValue(json: text), tree["schema"]?.asText == Self.schema, let stage = tree["stage"]?.asText,
      let entry = tree["entry"].flatMap({ LockEntry(tree: $0.readBack) }), let facts = tree["facts"],
      let run = facts["run"]?.asText,
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

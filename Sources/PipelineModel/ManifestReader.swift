// `pipeline.yaml` to stages: all mistakes at once, each with its place.
// SPDX-License-Identifier: Apache-2.0
package import ContentStore
package import Diagnostics

/// Reads a manifest in DVC's schema, with the keys that only the native dialect has.
package struct ManifestReader {
  private let file: String
  /// Gives the tree of a parameter file, `nil` when it is not there.
  private let parameterFile: (WorkspacePath) throws(DiagnosticList) -> YAMLNode?
  private var mistakes = DiagnosticList()
  private var parameterTrees: [WorkspacePath: (node: YAMLNode?, value: ParameterValue)] = [:]

  static let topKeys = ["stages", "title", "desc", "report", "models", "meta"]
  static let stageKeys = [
    "cmd", "notebook", "wdir", "deps", "outs", "params", "metrics", "plots", "desc", "frozen", "always_changed", "env", "meta",
  ]
  /// Keys of DVC's schema that this version does not read.
  static let laterKeys = [
    "vars", "foreach", "do", "matrix", "params", "metrics", "plots", "artifacts", "datasets", "push",
    "remote",
  ]

  private init(file: String, parameterFile: @escaping (WorkspacePath) throws(DiagnosticList) -> YAMLNode?) {
    self.file = file
    self.parameterFile = parameterFile
  }

  /// - Parameters:
  ///   - text: the manifest.
  ///   - file: its name, for messages.
  ///   - parameterFile: reads a parameter file.
  /// - Returns: the pipeline and the warnings.
  /// - Throws: every mistake in the manifest and in the parameters it names.
  package static func read(
    _ text: String, file: String, parameterFile: @escaping (WorkspacePath) throws(DiagnosticList) -> YAMLNode?
  ) throws(DiagnosticList) -> Pipeline {
    var reader = ManifestReader(file: file, parameterFile: parameterFile)
    let (tree, mistakes) = YAMLReader.read(text, file: file)
    reader.mistakes = mistakes
    guard let tree else {
      if !mistakes.hasErrors {
        reader.mistakes.add(
          Diagnostic(.input, "`\(file)` is empty", at: SourceLocation(file: file), hints: ["`pipe init` writes a first pipeline"])
        )
      }
      throw reader.mistakes
    }
    let pipeline = reader.pipeline(tree)
    try reader.inOrder().throwIfErrors()
    return pipeline
  }

  /// The mistakes from the top of the manifest to its end, then those of other files as they were found.
  private func inOrder() -> DiagnosticList {
    let own = mistakes.diagnostics.filter { $0.location?.file == file }
    let others = mistakes.diagnostics.filter { $0.location?.file != file }
    func place(_ diagnostic: Diagnostic) -> (Int, Int) { (diagnostic.location?.line ?? 0, diagnostic.location?.column ?? 0) }
    let sorted = own.enumerated().sorted { a, b in
      place(a.element) == place(b.element) ? a.offset < b.offset : place(a.element) < place(b.element)
    }
    return DiagnosticList(sorted.map(\.element) + others)
  }

  // MARK: Top level

  private mutating func pipeline(_ tree: YAMLNode) -> Pipeline {
    var result = Pipeline(file: file, stages: [])
    guard let pairs = tree.pairs else {
      wrong(tree, "`\(file)` has to be a mapping with `stages`, not \(tree.kindName)")
      return result
    }
    var hasStages = false
    for (key, value) in pairs {
      switch key.text {
      case "stages":
        hasStages = true
        result.stages = stages(value)
      case "title": result.title = text(value, of: "title")
      case "desc": result.description = text(value, of: "desc")
      case "report": result.reportSources = report(value)
      case "models": result.models = models(value)
      case "meta": break
      default: unknown(key, among: Self.topKeys, what: "key")
      }
    }
    if !hasStages { wrong(tree, "`\(file)` has no `stages`") }
    return result
  }

  private mutating func report(_ node: YAMLNode) -> [(role: String, path: WorkspacePath)] {
    guard let pairs = mapping(node, of: "report") else { return [] }
    let roles = ["evaluation", "gates", "quality", "backtest", "predictions", "importance"]
    var sources: [(role: String, path: WorkspacePath)] = []
    for (key, value) in pairs {
      guard roles.contains(key.text) else {
        unknown(key, among: roles, what: "report role")
        continue
      }
      if let path = workspacePath(value, in: nil, what: "report source") { sources.append((key.text, path)) }
    }
    return sources
  }

  private mutating func models(_ node: YAMLNode) -> [ModelDeclaration] {
    guard let pairs = mapping(node, of: "models") else { return [] }
    var models: [ModelDeclaration] = []
    for (key, value) in pairs {
      guard let fields = mapping(value, of: "models.\(key.text)") else { continue }
      for (field, _) in fields where !["version", "bundle"].contains(field.text) {
        unknown(field, among: ["version", "bundle"], what: "key")
      }
      guard key.text.utf8.allSatisfy(Self.isNameByte), !key.text.isEmpty else {
        wrong(key, "model name `\(key.text)` has characters other than letters, digits, `-` and `_`")
        continue
      }
      guard let version = value["version"], let bundle = value["bundle"] else {
        wrong(key, "model `\(key.text)` needs `version` and `bundle`, the outputs that hold them")
        continue
      }
      if let version = workspacePath(version, in: nil, what: "version"),
        let bundle = workspacePath(bundle, in: nil, what: "bundle")
      {
        models.append(ModelDeclaration(name: key.text, version: version, bundle: bundle))
      }
    }
    return models
  }

  // MARK: Stages

  private mutating func stages(_ node: YAMLNode) -> [Stage] {
    if node.value == .null { return [] }
    guard let pairs = mapping(node, of: "stages") else { return [] }
    return pairs.compactMap { stage($0.key, $0.value) }
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 45 || byte == 95
  }

  private mutating func stage(_ key: YAMLKey, _ node: YAMLNode) -> Stage? {
    guard !key.text.isEmpty, key.text.utf8.allSatisfy({ Self.isNameByte($0) || $0 > 127 }) else {
      wrong(key, "stage name `\(key.text)` has characters other than letters, digits, `-` and `_`")
      return nil
    }
    guard let pairs = node.pairs else {
      wrong(node, "stage `\(key.text)` has to be a mapping, not \(node.kindName)")
      return nil
    }
    for (field, _) in pairs where !Self.stageKeys.contains(field.text) {
      unknown(field, among: Self.stageKeys, what: "stage key")
    }
    var stage = Stage(name: key.text, location: key.location(in: file), work: .commands([]))
    if let wdir = node["wdir"], let text = text(wdir, of: "wdir"), text != "." {
      stage.workingDirectory = workspacePath(wdir, in: nil, what: "wdir")
    }
    let folder = stage.workingDirectory
    work(&stage, key, node)
    if let deps = node["deps"] { stage.dependencies = dependencies(deps, in: folder) }
    if let outs = node["outs"] { stage.outputs += outputs(outs, .data, in: folder) }
    if let metrics = node["metrics"] { stage.outputs += outputs(metrics, .metrics, in: folder) }
    if let plots = node["plots"] { stage.outputs += outputs(plots, .plot, in: folder) }
    if let params = node["params"] { stage.parameters = parameters(params, stage: key.text, in: folder) }
    if let environment = node["env"] { stage.environment = variables(environment) }
    stage.description = node["desc"].flatMap { text($0, of: "desc") }
    stage.isFrozen = node["frozen"].map { flag($0, of: "frozen") } ?? false
    stage.alwaysChanged = node["always_changed"].map { flag($0, of: "always_changed") } ?? false
    checkNames(stage)
    return stage
  }

  private mutating func work(_ stage: inout Stage, _ key: YAMLKey, _ node: YAMLNode) {
    switch (node["cmd"], node["notebook"]) {
    case (nil, nil):
      let unknown = (node.pairs ?? []).map(\.key.text).filter { !Self.stageKeys.contains($0) }
      // A mistyped `cmd` has been told already.
      if unknown.contains(where: { ["cmd", "notebook"].contains(closestMatch(to: $0, among: Self.stageKeys)) }) { return }
      let hint = closestMatch(to: "command", among: unknown).map { "did you mean `cmd` where `\($0)` stands?" }
      wrong(key, "stage `\(stage.name)` has no `cmd` and no `notebook`", hint: hint)
    case (let cmd?, let notebook?):
      wrong(
        notebook.mark.line > cmd.mark.line ? notebook : cmd, "stage `\(stage.name)` has both `cmd` and `notebook`",
        hint: "keep one")
    case (nil, let notebook?):
      if let path = workspacePath(notebook, in: nil, what: "notebook") { stage.work = .notebook(path) }
    case (let cmd?, nil):
      if let items = cmd.items {
        stage.work = .commands(items.compactMap { text($0, of: "cmd") })
        if items.isEmpty { wrong(cmd, "`cmd` is an empty list") }
      } else if let command = text(cmd, of: "cmd") {
        if command.allSatisfy(\.isWhitespace) { wrong(cmd, "`cmd` is empty") }
        stage.work = .commands([command])
      }
    }
  }

  private mutating func checkNames(_ stage: Stage) {
    var seen: [String: String] = [:]
    for (name, location) in stage.dependencies.map({ ($0.name, $0.location) }) + stage.outputs.map({ ($0.name, $0.location) }) {
      guard let name else { continue }
      let variable = environmentName(name)
      if let other = seen[variable] {
        mistakes.add(
          Diagnostic(.input, "names `\(other)` and `\(name)` of stage `\(stage.name)` are the same to a shell", at: location))
      }
      seen[variable] = name
    }
    var variables: [String: (key: String, file: WorkspacePath)] = [:]
    for parameter in stage.parameters {
      guard let key = parameter.key else { continue }
      let variable = environmentName(key)
      if let other = variables[variable] {
        let message =
          other.key == key
          ? "parameter `\(key)` is named from `\(other.file)` and from `\(parameter.file)`, and a stage knows it by one name"
          : "parameters `\(other.key)` and `\(key)` are both `PIPE_PARAM_\(variable)` to a shell"
        mistakes.add(Diagnostic(.input, message, at: stage.location))
      }
      variables[variable] = (key, parameter.file)
    }
  }

  // MARK: Files

  /// Path with the name it goes by (`nil` in a list) and its options.
  private mutating func entries(_ node: YAMLNode, of key: String) -> [(name: String?, path: YAMLNode, options: YAMLNode?)] {
    if node.value == .null { return [] }
    if let pairs = node.pairs {
      return pairs.compactMap { name, value in
        guard name.text.utf8.allSatisfy(Self.isNameByte) else {
          wrong(
            name, "`\(key)` as a mapping is `name: path`; `\(name.text)` is not a name",
            hint: "write `- \(name.text)` in a list, or give it a name")
          return nil
        }
        guard value.pairs != nil else { return (name.text, value, nil) }
        guard let path = value["path"] else {
          wrong(name, "`\(name.text)` has no `path`")
          return nil
        }
        return (name.text, path, value)
      }
    }
    guard let items = node.items else {
      wrong(node, "`\(key)` has to be a list of paths or a mapping `name: path`, not \(node.kindName)")
      return []
    }
    return items.compactMap { item in
      guard let pairs = item.pairs else { return (nil, item, nil) }
      guard pairs.count == 1 else {
        wrong(item, "an entry of `\(key)` is a path, or one path with its options")
        return nil
      }
      let options = pairs[0].value
      guard options.pairs != nil || options.value == .null else {
        wrong(options, "the options of `\(pairs[0].key.text)` have to be a mapping, not \(options.kindName)")
        return nil
      }
      return (nil, YAMLNode(.scalar(pairs[0].key.text, isPlain: false), at: pairs[0].key.mark), options)
    }
  }

  private mutating func dependencies(_ node: YAMLNode, in folder: WorkspacePath?) -> [Dependency] {
    entries(node, of: "deps").compactMap { name, path, options in
      let isPathAlone = name != nil && options?.pairs?.count == 1
      if let options, !isPathAlone { wrong(options, "a dependency has no options") }
      guard let typed = text(path, of: "deps") else { return nil }
      if typed.hasPrefix("/") { return Dependency(name: name, place: .external(typed), location: path.location(in: file)) }
      guard let inside = workspacePath(path, in: folder, what: "dependency") else { return nil }
      return Dependency(name: name, place: .workspace(inside), location: path.location(in: file))
    }
  }

  private mutating func outputs(_ node: YAMLNode, _ kind: Output.Kind, in folder: WorkspacePath?) -> [Output] {
    let key = kind == .data ? "outs" : kind == .metrics ? "metrics" : "plots"
    let plotOptions = ["template", "x", "y", "x_label", "y_label", "title", "header"]
    let known = ["path", "cache", "persist", "desc", "type", "labels", "meta"] + (kind == .plot ? plotOptions : [])
    return entries(node, of: key).compactMap { name, path, options in
      for (option, _) in options?.pairs ?? [] where !known.contains(option.text) {
        unknown(option, among: known, what: "option")
      }
      guard let inside = workspacePath(path, in: folder, what: "output") else { return nil }
      return Output(
        name: name, path: inside, kind: kind, isCached: options?["cache"].map { flag($0, of: "cache") } ?? true,
        isPersistent: options?["persist"].map { flag($0, of: "persist") } ?? false, location: path.location(in: file))
    }
  }

  // MARK: Parameters and environment

  private mutating func parameters(_ node: YAMLNode, stage: String, in folder: WorkspacePath?) -> [ParameterReference] {
    guard let items = node.items else {
      wrong(node, "`params` has to be a list, not \(node.kindName)", hint: "write `- train.lr`, or `- other.yaml: [key]`")
      return []
    }
    var found: [ParameterReference] = []
    for item in items {
      if let pairs = item.pairs {
        for (name, keys) in pairs {
          guard let file = WorkspacePath(name.text, in: folder) else {
            wrong(name, "`\(name.text)` is not a path inside the project")
            continue
          }
          if keys.value == .null {
            if let (_, value) = tree(of: file, at: name.mark) {
              found.append(ParameterReference(file: file, key: nil, value: value, location: name.location(in: self.file)))
            }
          } else if let names = keys.items {
            for key in names { parameter(key, file, stage).map { found.append($0) } }
          } else {
            wrong(keys, "the keys of `\(name.text)` have to be a list, not \(keys.kindName)")
          }
        }
      } else if let file = WorkspacePath("params.yaml", in: folder) {
        parameter(item, file, stage).map { found.append($0) }
      }
    }
    // Named twice is named once.
    return found.enumerated().filter { index, parameter in
      !found[..<index].contains { $0.file == parameter.file && $0.key == parameter.key }
    }.map(\.element)
  }

  private mutating func parameter(_ node: YAMLNode, _ file: WorkspacePath, _ stage: String) -> ParameterReference? {
    guard let key = text(node, of: "params"), let (tree, value) = tree(of: file, at: node.mark) else { return nil }
    if let found = value[at: key] {
      return ParameterReference(file: file, key: key, value: found, location: node.location(in: self.file))
    }
    var hints: [String] = []
    let known = Self.paths(tree)
    if let near = closestMatch(to: key, among: known.map(\.0)), let mark = known.first(where: { $0.0 == near })?.1 {
      hints = ["did you mean `\(near)` (\(file):\(mark.line))?"]
    }
    mistakes.add(Diagnostic(.input, "parameter `\(key)` is not in \(file)", at: node.location(in: self.file), hints: hints))
    return nil
  }

  private static func paths(_ node: YAMLNode?) -> [(String, YAMLMark)] {
    (node?.pairs ?? []).flatMap { key, value in
      [(key.text, key.mark)] + paths(value).map { ("\(key.text).\($0.0)", $0.1) }
    }
  }

  private mutating func tree(of path: WorkspacePath, at mark: YAMLMark) -> (YAMLNode?, ParameterValue)? {
    if let known = parameterTrees[path] { return known.node == nil ? nil : known }
    guard ["yaml", "yml", "json"].contains(path.name.split(separator: ".").last.map(String.init) ?? "") else {
      wrong(
        YAMLKey(path.text, at: mark), "parameter file `\(path)` is neither YAML nor JSON",
        hint: "TOML and Python files are not read yet")
      parameterTrees[path] = (nil, .mapping([]))
      return nil
    }
    do {
      guard let node = try parameterFile(path) else {
        wrong(YAMLKey(path.text, at: mark), "parameter file `\(path)` is not there")
        parameterTrees[path] = (nil, .mapping([]))
        return nil
      }
      parameterTrees[path] = (node, node.value)
      return (node, node.value)
    } catch {
      for diagnostic in error.diagnostics { mistakes.add(diagnostic) }
      // Said once, however many stages name the file.
      parameterTrees[path] = (nil, .mapping([]))
      return nil
    }
  }

  private mutating func variables(_ node: YAMLNode) -> [EnvironmentVariable] {
    guard let pairs = mapping(node, of: "env") else { return [] }
    return pairs.compactMap { key, value in
      guard value.pairs == nil, value.items == nil else {
        wrong(value, "variable `\(key.text)` has to be text, not \(value.kindName)")
        return nil
      }
      guard !key.text.isEmpty, !key.text.utf8.contains(where: { $0 == 0 || $0 == UInt8(ascii: "=") }) else {
        wrong(key, "`\(key.text)` cannot be the name of a variable")
        return nil
      }
      guard !value.value.display.utf8.contains(0) else {
        wrong(value, "variable `\(key.text)` holds a NUL, which no program can be given")
        return nil
      }
      return EnvironmentVariable(name: key.text, value: value.value.display)
    }
  }

  // MARK: Small readers

  private mutating func mapping(_ node: YAMLNode, of key: String) -> [(key: YAMLKey, value: YAMLNode)]? {
    if let pairs = node.pairs { return pairs }
    wrong(node, "`\(key)` has to be a mapping, not \(node.kindName)")
    return nil
  }

  private mutating func text(_ node: YAMLNode, of key: String) -> String? {
    if let text = node.text {
      if !text.utf8.contains(0) { return text }
      wrong(node, "`\(key)` holds a NUL, which no program can be given")
      return nil
    }
    wrong(node, "`\(key)` has to be text, not \(node.kindName)")
    return nil
  }

  private mutating func flag(_ node: YAMLNode, of key: String) -> Bool {
    if case .bool(let value) = node.value { return value }
    wrong(node, "`\(key)` has to be `true` or `false`, not \(node.text.map { "`\($0)`" } ?? node.kindName)")
    return false
  }

  private mutating func workspacePath(_ node: YAMLNode, in folder: WorkspacePath?, what: String) -> WorkspacePath? {
    guard let typed = text(node, of: what) else { return nil }
    if typed.contains("${") {
      wrong(node, "`${…}` is not replaced by this version of `pipe`")
      return nil
    }
    if let path = WorkspacePath(typed, in: folder) { return path }
    wrong(node, "\(what) `\(typed)` is not a path inside the project")
    return nil
  }

  private mutating func unknown(_ key: YAMLKey, among known: [String], what: String) {
    if Self.laterKeys.contains(key.text) {
      wrong(key, "`\(key.text)` is not read by this version of `pipe` here")
    } else {
      let near = closestMatch(to: key.text, among: known)
      wrong(
        key, "\(what) `\(key.text)` is not known",
        hint: near.map { "did you mean `\($0)`?" } ?? "known are \(known.joined(separator: ", "))")
    }
  }

  private mutating func wrong(_ node: YAMLNode, _ message: String, hint: String? = nil) {
    mistakes.add(Diagnostic(.input, message, at: node.location(in: file), hints: hint.map { [$0] } ?? []))
  }

  private mutating func wrong(_ key: YAMLKey, _ message: String, hint: String? = nil) {
    mistakes.add(Diagnostic(.input, message, at: key.location(in: file), hints: hint.map { [$0] } ?? []))
  }
}

/// A name as an environment variable's part: letters, digits and `_`.
package func environmentName(_ name: String) -> String {
  var out = ""
  for scalar in name.unicodeScalars {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9": out.unicodeScalars.append(scalar)
    default: out += "_"
    }
  }
  return out
}

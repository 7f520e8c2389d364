// One stage of a manifest, its templates resolved, to a value.
// SPDX-License-Identifier: Apache-2.0
internal import ContentStore
internal import Diagnostics

extension ManifestReader {
  static let sharedStageKeys = [
    "cmd", "wdir", "deps", "outs", "params", "metrics", "plots", "vars", "desc", "frozen", "always_changed", "meta",
  ]
  static let nativeStageKeys = ["notebook", "env", "mutex", "resources", "timeout", "retries"]
  static let templateKeys = ["foreach", "do", "matrix"]
  static let plotOptions = ["template", "x", "y", "x_label", "y_label", "title", "header"]
  static let outputOptions = ["cache", "persist", "push", "remote", "desc", "type", "labels", "meta", "checkpoint"]

  /// Keys that hold flags.
  static let flagKeys: Set<String> = ["frozen", "always_changed", "cache", "persist", "push", "checkpoint", "header"]

  var stageKeys: [String] { dialect.isNative ? Self.sharedStageKeys + Self.nativeStageKeys : Self.sharedStageKeys }

  /// - Parameters:
  ///   - body: a mapping in which nothing is left to interpolate.
  ///   - folder: that the work runs in.
  mutating func stage(
    named name: String, group: String?, at key: YAMLKey, _ body: [(key: YAMLKey, value: YAMLNode)], in folder: WorkspacePath?
  ) -> Stage {
    var stage = Stage(name: address(of: name), location: key.location(in: file), work: .commands([]))
    stage.localName = name
    stage.manifest = manifest
    stage.group = group
    stage.workingDirectory = folder
    spellings = [:]
    var command: YAMLNode?
    var notebook: YAMLNode?
    var outputs: (outs: [Output], metrics: [Output], plots: [Output]) = ([], [], [])
    for (field, value) in body {
      switch field.text {
      case "cmd": command = value
      case "notebook" where dialect.isNative: notebook = value
      case "deps": stage.dependencies = dependencies(value, in: folder)
      case "outs": outputs.outs = self.outputs(value, .data, in: folder)
      case "metrics": outputs.metrics = self.outputs(value, .metrics, in: folder)
      case "plots": outputs.plots = self.outputs(value, .plot, in: folder)
      case "params": stage.parameters = parameters(value, in: folder)
      case "desc": stage.description = value.isScalar ? value.text : text(value, of: "desc")
      case "frozen": stage.isFrozen = flag(value, of: "frozen")
      case "always_changed": stage.alwaysChanged = flag(value, of: "always_changed")
      default: if dialect.isNative { native(field, value, &stage) }
      }
    }
    stage.outputs = outputs.outs + outputs.metrics + outputs.plots
    work(&stage, key, body, command, notebook)
    stage.spellings = spellings
    if dialect.isNative { checkNames(stage) }
    return stage
  }

  private func address(of name: String) -> String { folder == nil ? name : "\(file):\(name)" }

  private mutating func work(
    _ stage: inout Stage, _ key: YAMLKey, _ body: [(key: YAMLKey, value: YAMLNode)], _ command: YAMLNode?, _ notebook: YAMLNode?
  ) {
    switch (command, notebook) {
    case (nil, nil):
      let unknown = body.map(\.key.text).filter { !stageKeys.contains($0) && !Self.nativeStageKeys.contains($0) }
      // A mistyped `cmd` has been told already.
      if unknown.contains(where: { ["cmd", "notebook"].contains(closestMatch(to: $0, among: stageKeys)) }) { return }
      if !dialect.isNative, body.contains(where: { $0.key.text == "notebook" }) { return }
      let hint = closestMatch(to: "command", among: unknown).map { "did you mean `cmd` where `\($0)` stands?" }
      wrong(key, "stage `\(stage.localName)` has no `cmd`" + (dialect.isNative ? " and no `notebook`" : ""), hint: hint)
    case (let cmd?, let notebook?):
      wrong(
        notebook.mark.line > cmd.mark.line ? notebook : cmd, "stage `\(stage.localName)` has both `cmd` and `notebook`",
        hint: "keep one")
    case (nil, let notebook?):
      if let path = workspacePath(notebook, in: folder, what: "notebook") { stage.work = .notebook(path) }
    case (let cmd?, nil):
      if let items = cmd.items {
        stage.isCommandList = true
        stage.work = .commands(items.compactMap { text($0, of: "cmd") })
        if items.isEmpty { wrong(cmd, "`cmd` is an empty list") }
      } else if let command = text(cmd, of: "cmd") {
        if command.allSatisfy(\.isWhitespace) { wrong(cmd, "`cmd` is empty") }
        stage.work = .commands([command])
      }
    }
  }

  private mutating func checkNames(_ stage: Stage) {
    if stage.dependencies.contains(where: { $0.name != nil }) || stage.outputs.contains(where: { $0.name != nil }) {
      var seen: [String: String] = [:]
      for (name, location) in stage.dependencies.map({ ($0.name, $0.location) }) + stage.outputs.map({ ($0.name, $0.location) }) {
        guard let name else { continue }
        let variable = environmentName(name)
        if let other = seen[variable] {
          tell(
            Diagnostic(
              .input, "names `\(other)` and `\(name)` of stage `\(stage.localName)` are the same to a shell", at: location))
        }
        seen[variable] = name
      }
    }
    guard stage.parameters.count > 1 else { return }
    var variables: [String: (key: String, file: WorkspacePath)] = [:]
    for parameter in stage.parameters {
      guard let key = parameter.key else { continue }
      let variable = environmentName(key)
      if let other = variables[variable] {
        let message =
          other.key == key
          ? "parameter `\(key)` is named from `\(other.file)` and from `\(parameter.file)`, and a stage knows it by one name"
          : "parameters `\(other.key)` and `\(key)` are both `PIPE_PARAM_\(variable)` to a shell"
        tell(Diagnostic(.input, message, at: stage.location))
      }
      variables[variable] = (key, parameter.file)
    }
  }

  // MARK: Files

  /// A path with the name it goes by (`nil` in a list) and its options.
  struct Entry {
    var name: String?
    var path: YAMLNode
    var options: [(key: YAMLKey, value: YAMLNode)] = []
    /// Where the options stand, when there are any.
    var optionsNode: YAMLNode?
  }

  private mutating func entries(_ node: YAMLNode, of key: String) -> [Entry] {
    if let pairs = node.pairs { return named(pairs, node, of: key) }
    guard let items = node.items else {
      if dialect.isNative, node.value == .null { return [] }
      wrong(
        node,
        dialect.isNative
          ? "`\(key)` has to be a list of paths or a mapping `name: path`, not \(node.kindName)"
          : "`\(key)` has to be a list of paths, not \(node.kindName)")
      return []
    }
    var entries: [Entry] = []
    entries.reserveCapacity(items.count)
    for item in items {
      guard let pairs = item.pairs else {
        entries.append(Entry(path: item))
        continue
      }
      if pairs.isEmpty { wrong(item, "an entry of `\(key)` is a path, or one path with its options") }
      for (path, options) in pairs {
        guard options.pairs != nil || (dialect.isNative && options.value == .null) else {
          wrong(options, "the options of `\(path.text)` have to be a mapping, not \(options.kindName)")
          continue
        }
        entries.append(
          Entry(
            path: YAMLNode(.scalar(path.text, isPlain: false), at: path.mark), options: options.pairs ?? [], optionsNode: options)
        )
      }
    }
    return entries
  }

  private mutating func named(_ pairs: [(key: YAMLKey, value: YAMLNode)], _ node: YAMLNode, of key: String) -> [Entry] {
    guard dialect.isNative else {
      wrong(node, "`\(key)` has to be a list of paths, not a mapping", hint: nativeHint)
      return []
    }
    return pairs.compactMap { name, value in
      guard name.text.utf8.allSatisfy(Self.isNameByte) else {
        wrong(
          name, "`\(key)` as a mapping is `name: path`; `\(name.text)` is not a name",
          hint: "write `- \(name.text)` in a list, or give it a name")
        return nil
      }
      guard let fields = value.pairs else { return Entry(name: name.text, path: value) }
      guard let path = value["path"] else {
        wrong(name, "`\(name.text)` has no `path`")
        return nil
      }
      return Entry(name: name.text, path: path, options: fields.filter { $0.key.text != "path" }, optionsNode: value)
    }
  }

  private mutating func dependencies(_ node: YAMLNode, in folder: WorkspacePath?) -> [Dependency] {
    entries(node, of: "deps").compactMap { entry in
      if let node = entry.optionsNode, entry.name == nil || !entry.options.isEmpty {
        wrong(node, "a dependency has no options")
      }
      guard let typed = text(entry.path, of: "deps") else { return nil }
      let location = entry.path.location(in: file)
      if typed.hasPrefix("/") { return Dependency(name: entry.name, place: .external(typed), location: location) }
      if Self.isAddress(typed) {
        wrong(
          entry.path, "dependency `\(typed)` is an address elsewhere, and only files are read",
          hint: "fetch it in a stage of its own")
        return nil
      }
      if dialect.isNative, let pattern = PathPattern(typed, in: folder) {
        return Dependency(name: entry.name, place: .pattern(pattern), location: location)
      }
      guard let inside = workspacePath(entry.path, in: folder, what: "dependency") else { return nil }
      return Dependency(name: entry.name, place: .workspace(inside), location: location)
    }
  }

  /// `s3://bucket/key`.
  private static func isAddress(_ text: String) -> Bool {
    guard text.utf8.contains(UInt8(ascii: ":")), let colon = text.firstRange(of: "://") else { return false }
    return colon.lowerBound != text.startIndex
      && text[..<colon.lowerBound].utf8.allSatisfy { isNameByte($0) || $0 == 43 || $0 == 46 }
  }

  private mutating func outputs(_ node: YAMLNode, _ kind: Output.Kind, in folder: WorkspacePath?) -> [Output] {
    let key = kind == .data ? "outs" : kind == .metrics ? "metrics" : "plots"
    var entries = entries(node, of: key)
    if !dialect.isNative, entries.count > 1 { entries = joined(entries) }
    return entries.compactMap { entry in
      guard let path = workspacePath(entry.path, in: folder, what: "output") else {
        for (option, _) in entry.options { check(option, kind) }
        return nil
      }
      if let reserved = path.reservedFolder {
        wrong(entry.path, "output `\(path)` lies in `\(reserved)`", hint: "nothing that a stage makes belongs there")
        return nil
      }
      var output = Output(
        name: entry.name, path: path, kind: kind, isCached: true, isPersistent: false, location: entry.path.location(in: file))
      if !entry.options.isEmpty { options(entry.options, &output) }
      return output
    }
  }

  /// A path that stands twice in one list has the options of both, as in DVC.
  private func joined(_ entries: [Entry]) -> [Entry] {
    var index: [String: Int] = [:]
    var joined: [Entry] = []
    for entry in entries {
      let path = entry.path.text ?? ""
      guard let first = index[path] else {
        index[path] = joined.count
        joined.append(entry)
        continue
      }
      joined[first].options.removeAll { option in entry.options.contains { $0.key.text == option.key.text } }
      joined[first].options += entry.options
    }
    return joined
  }

  private mutating func check(_ option: YAMLKey, _ kind: Output.Kind) {
    let known = Self.outputOptions + (kind == .plot ? Self.plotOptions : [])
    if !known.contains(option.text) { unknown(option, among: known.filter { $0 != "checkpoint" }, what: "option") }
  }

  private mutating func options(_ options: [(key: YAMLKey, value: YAMLNode)], _ output: inout Output) {
    var plot: [(String, ParameterValue)] = []
    for (option, value) in options {
      check(option, output.kind)
      switch option.text {
      case "cache": output.isCached = flag(value, of: "cache")
      case "persist": output.isPersistent = flag(value, of: "persist")
      case "push": output.isPushed = flag(value, of: "push")
      case "checkpoint": _ = flag(value, of: "checkpoint")
      case "remote": output.remote = text(value, of: "remote")
      case "header" where output.kind == .plot: plot.append(("header", .bool(flag(value, of: "header"))))
      case let name where output.kind == .plot && Self.plotOptions.contains(name):
        if let text = text(value, of: name) { plot.append((name, .text(text))) }
      default: break
      }
    }
    checkAnnotations(options)
    if !plot.isEmpty { output.plotOptions = .mapping(plot) }
  }

  // MARK: What only the native dialect has

  private mutating func native(_ key: YAMLKey, _ value: YAMLNode, _ stage: inout Stage) {
    switch key.text {
    case "env": stage.environment = variables(value)
    case "mutex":
      let groups = value.items ?? [value]
      stage.mutexes = groups.compactMap { text($0, of: "mutex") }
    case "resources":
      for (name, amount) in mapping(value, of: "resources") ?? [] {
        guard case .integer(let count) = amount.value, count >= 0, count <= Int64(Int32.max) else {
          wrong(
            amount,
            "resource `\(name.text)` has to be a whole number from 0, not \(amount.text.map { "`\($0)`" } ?? amount.kindName)")
          continue
        }
        stage.resources[name.text] = Int(count)
      }
    case "timeout":
      stage.timeoutSeconds = duration(value)
    case "retries":
      guard case .integer(let count) = value.value, (0...1000).contains(count) else {
        wrong(value, "`retries` has to be a whole number from 0 to 1000, not \(value.text.map { "`\($0)`" } ?? value.kindName)")
        return
      }
      stage.retries = Int(count)
    default: break
    }
  }

  /// `90`, `1.5`, `30s`, `5m`, `2h`, `1d` in seconds.
  private mutating func duration(_ node: YAMLNode) -> Double? {
    let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86400]
    let typed = node.text ?? ""
    let factor = typed.last.flatMap { units[$0] }
    let number = factor == nil ? typed : String(typed.dropLast())
    if number.utf8.allSatisfy({ (48...57).contains($0) || $0 == 46 }), let amount = Double(number), amount > 0 {
      let seconds = amount * (factor ?? 1)
      if seconds.isFinite { return seconds }
    }
    wrong(
      node, "`timeout` has to be a time above 0, not \(node.text.map { "`\($0)`" } ?? node.kindName)",
      hint: "write `90` or `90s` for seconds, `5m`, `2h`, `1d`")
    return nil
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
}

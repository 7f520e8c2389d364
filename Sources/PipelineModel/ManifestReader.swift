// A manifest to stages, in both dialects: all mistakes at once, each with its place.
// SPDX-License-Identifier: Apache-2.0
package import ContentStore
package import Diagnostics

/// What the reader may look at besides the manifest. All paths are from the project's root.
package struct ManifestSurroundings {
  /// Text of a file for `vars` or `params`; `nil` when there is none.
  package var text: (WorkspacePath) throws(StoreError) -> String?
  /// The files that match, for `foreach: {files: …}`. Native only.
  package var matches: (PathPattern) -> [WorkspacePath]
  /// A variable of the environment, for `${env.NAME}`. Native only.
  package var variable: (String) -> String?
  package var settings: InterpolationSettings

  package init(
    text: @escaping (WorkspacePath) throws(StoreError) -> String?,
    matches: @escaping (PathPattern) -> [WorkspacePath] = { _ in [] },
    variable: @escaping (String) -> String? = { _ in nil }, settings: InterpolationSettings = InterpolationSettings()
  ) {
    self.text = text
    self.matches = matches
    self.variable = variable
    self.settings = settings
  }
}

/// A manifest that was read, with all that the reading depended on.
package struct ManifestReading: Sendable {
  package var pipeline: Pipeline
  package var warnings: DiagnosticList
  /// Files that were read or found absent, in the order they were asked for; the manifest is not among them.
  package var filesRead: [WorkspacePath]
  /// Variables of the environment that were asked for.
  package var variablesRead: [String]
}

/// Reads a manifest in DVC's schema, with the keys that only the native dialect has.
package struct ManifestReader {
  /// Stages that one manifest may have after `foreach` and `matrix`.
  package static let maximumStages = 100_000
  /// Bytes that interpolation may produce in all.
  static let maximumInterpolated = 64 << 20
  /// Different mistakes that are told; what follows is rarely news.
  static let maximumMistakes = 1000

  let text: String
  let manifest: WorkspacePath
  /// What messages call the manifest.
  let file: String
  /// The manifest's; `nil` is the project's root.
  let folder: WorkspacePath?
  let dialect: Dialect
  let surroundings: ManifestSurroundings

  var interpolation: Interpolation
  /// `params.yaml` and the manifest's `vars`.
  var context = InterpolationContext()
  var interpolatedSize = 0
  var places = TemplatePlaces()
  var stages: [Stage] = []
  /// Of the stage that is being read: see `Stage.spellings`.
  var spellings: [String: String] = [:]
  var files: [WorkspacePath: LoadedFile] = [:]
  var filesRead: [WorkspacePath] = []
  /// Searches for a near parameter that are yet made.
  var searchesLeft = 100
  private var mistakes: [Diagnostic] = []
  /// Without their hints.
  private var told: Set<Diagnostic> = []

  static let nativeTopKeys = ["title", "desc", "report", "evaluations", "models", "meta", "secrets"]
  static let sharedTopKeys = ["stages", "vars", "params", "metrics", "plots", "artifacts", "datasets"]
  static let reportRoles = ["evaluation", "gates", "quality", "backtest", "predictions", "importance", "card"]

  private init(_ text: String, _ manifest: WorkspacePath, _ dialect: Dialect, _ surroundings: ManifestSurroundings) {
    self.text = text
    self.manifest = manifest
    self.file = manifest.text
    self.folder = manifest.parent
    self.dialect = dialect
    self.surroundings = surroundings
    interpolation = Interpolation(
      isNative: dialect.isNative, settings: surroundings.settings, variable: surroundings.variable)
  }

  /// - Parameters:
  ///   - text: the manifest.
  ///   - manifest: its path from the project's root; paths in it are relative to its folder.
  /// - Throws: every mistake in the manifest and in the parameters it names.
  package static func read(
    _ text: String, at manifest: WorkspacePath, dialect: Dialect, _ surroundings: ManifestSurroundings
  ) throws(DiagnosticList) -> ManifestReading {
    var reader = ManifestReader(text, manifest, dialect, surroundings)
    let (tree, found) = YAMLReader.read(text, file: reader.file)
    for diagnostic in found.diagnostics { reader.tell(diagnostic) }
    var pipeline = Pipeline(file: reader.file, stages: [])
    if let tree, !dialect.isNative || tree.text != nil || tree.pairs != nil || tree.items != nil {
      pipeline = reader.pipeline(tree)
    } else if !found.hasErrors, dialect.isNative {
      reader.tell(
        Diagnostic(
          .input, "`\(reader.file)` is empty", at: SourceLocation(file: reader.file),
          hints: ["`pipe init` writes a first pipeline"]))
    }
    let inOrder = reader.inOrder()
    try inOrder.throwIfErrors()
    return ManifestReading(
      pipeline: pipeline, warnings: inOrder, filesRead: reader.filesRead, variablesRead: reader.interpolation.variablesRead)
  }

  // MARK: Mistakes

  /// The mistakes from the top of the manifest to its end, then those of other files as they were found.
  private func inOrder() -> DiagnosticList {
    let own = mistakes.filter { $0.location?.file == file }
    let others = mistakes.filter { $0.location?.file != file }
    func place(_ diagnostic: Diagnostic) -> (Int, Int) { (diagnostic.location?.line ?? 0, diagnostic.location?.column ?? 0) }
    let sorted = own.enumerated().sorted { a, b in
      place(a.element) == place(b.element) ? a.offset < b.offset : place(a.element) < place(b.element)
    }
    return DiagnosticList(sorted.map(\.element) + others)
  }

  var isHopeless: Bool { mistakes.count >= Self.maximumMistakes }

  /// Once, however many stages of a template make it.
  mutating func tell(_ diagnostic: Diagnostic) {
    guard !isHopeless else { return }
    var bare = diagnostic
    bare.hints = []
    if told.insert(bare).inserted { mistakes.append(diagnostic) }
  }

  mutating func wrong(_ node: YAMLNode, _ message: String, hint: String? = nil) {
    tell(Diagnostic(.input, message, at: node.location(in: file), hints: hint.map { [$0] } ?? []))
  }

  mutating func wrong(_ key: YAMLKey, _ message: String, hint: String? = nil) {
    tell(Diagnostic(.input, message, at: key.location(in: file), hints: hint.map { [$0] } ?? []))
  }

  mutating func unknown(_ key: YAMLKey, among known: [String], what: String, nativeOnly: [String] = []) {
    if nativeOnly.contains(key.text) {
      wrong(key, "\(what) `\(key.text)` is not one of DVC's", hint: nativeHint)
      return
    }
    let near = closestMatch(to: key.text, among: known)
    wrong(
      key, "\(what) `\(key.text)` is not known",
      hint: near.map { "did you mean `\($0)`?" } ?? "known are \(known.joined(separator: ", "))")
  }

  var nativeHint: String { "native only: rename `\(Dialect.dvc.manifestName)` to `\(Dialect.native.manifestName)`" }

  // MARK: Top level

  private mutating func pipeline(_ tree: YAMLNode) -> Pipeline {
    var result = Pipeline(file: file, stages: [])
    guard let pairs = tree.pairs else {
      if dialect.isNative || tree.value != .null {
        wrong(tree, "`\(file)` has to be a mapping with `stages`, not \(tree.kindName)")
      }
      return result
    }
    loadVars(tree["vars"])
    for (key, value) in pairs { top(key, value, &result) }
    result.stages = stages
    fillParameters(&result.stages)
    if dialect.isNative, pairs.allSatisfy({ ["title", "desc", "report", "evaluations", "meta"].contains($0.key.text) }) {
      wrong(tree, "`\(file)` has no `stages`")
    }
    return result
  }

  private mutating func top(_ key: YAMLKey, _ value: YAMLNode, _ result: inout Pipeline) {
    guard Self.sharedTopKeys.contains(key.text) || (dialect.isNative && Self.nativeTopKeys.contains(key.text)) else {
      let known = Self.sharedTopKeys + (dialect.isNative ? Self.nativeTopKeys : [])
      unknown(key, among: known, what: "key", nativeOnly: dialect.isNative ? [] : Self.nativeTopKeys)
      return
    }
    switch key.text {
    case "stages": readStages(value)
    case "title": result.title = text(value, of: "title")
    case "desc": result.description = text(value, of: "desc")
    case "report": report(value, &result)
    case "evaluations": result.evaluations = evaluations(value)
    case "models": result.models = models(value)
    case "secrets": result.secrets = texts(resolved(value), of: "secrets")
    case "params": result.parameterFiles = paths(value, of: "params")
    case "metrics": result.metricsFiles = paths(value, of: "metrics")
    case "plots": result.plots = plots(value)
    case "artifacts": result.artifacts = artifacts(value)
    default: break
    }
  }

  private mutating func report(_ node: YAMLNode, _ result: inout Pipeline) {
    guard let pairs = mapping(node, of: "report") else { return }
    for (key, value) in pairs {
      switch key.text {
      case "baseline": result.reportBaseline = text(resolved(value), of: "baseline")
      case "drift": result.drift = drift(key, resolved(value))
      default:
        guard Self.reportRoles.contains(key.text) else {
          unknown(key, among: Self.reportRoles + ["baseline", "drift"], what: "report role")
          continue
        }
        if let path = workspacePath(resolved(value), in: folder, what: "report source") {
          result.reportSources.append((key.text, path))
        }
      }
    }
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
      if let version = workspacePath(resolved(version), in: folder, what: "version"),
        let bundle = workspacePath(resolved(bundle), in: folder, what: "bundle")
      {
        models.append(ModelDeclaration(name: key.text, version: version, bundle: bundle))
      }
    }
    return models
  }

  private mutating func paths(_ node: YAMLNode, of key: String) -> [WorkspacePath] {
    guard let items = list(node, of: key) else { return [] }
    return items.compactMap { workspacePath(resolved($0), in: folder, what: "file of `\(key)`") }
  }

  private mutating func plots(_ node: YAMLNode) -> [PlotDefinition] {
    guard let items = list(node, of: "plots") else { return [] }
    var plots: [PlotDefinition] = []
    for item in items.map({ resolved($0) }) {
      if let pairs = item.pairs {
        for (id, options) in pairs where isPlot(options, id) {
          plots.append(PlotDefinition(id: id.text, folder: folder, options: options.value))
        }
      } else if let id = text(item, of: "plots") {
        plots.append(PlotDefinition(id: id, folder: folder, options: .null))
      }
    }
    return plots
  }

  /// `y` is a column, columns, or columns by file; `x` a column, or one by file; all else is text.
  private mutating func isPlot(_ node: YAMLNode, _ id: YAMLKey) -> Bool {
    if node.value == .null { return true }
    guard let pairs = mapping(node, of: id.text) else { return false }
    for (option, value) in pairs {
      guard Self.plotOptions.contains(option.text), option.text != "header" else {
        unknown(option, among: Self.plotOptions.filter { $0 != "header" }, what: "option")
        continue
      }
      let isAxis = option.text == "x" || option.text == "y"
      if option.text == "y", let columns = value.items {
        for column in columns { _ = text(column, of: "y") }
      } else if isAxis, let files = value.pairs {
        for (_, columns) in files {
          for column in option.text == "y" ? columns.items ?? [columns] : [columns] { _ = text(column, of: option.text) }
        }
      } else {
        _ = text(value, of: option.text)
      }
    }
    return true
  }

  private mutating func artifacts(_ node: YAMLNode) -> [ArtifactDeclaration] {
    guard let pairs = mapping(resolved(node), of: "artifacts") else { return [] }
    var artifacts: [ArtifactDeclaration] = []
    for (name, value) in pairs {
      guard let fields = mapping(value, of: "artifacts.\(name.text)") else { continue }
      let known = ["path", "type", "desc", "labels", "meta"]
      for (field, _) in fields where !known.contains(field.text) { unknown(field, among: known, what: "key") }
      guard let path = value["path"] else {
        wrong(name, "artifact `\(name.text)` has no `path`")
        continue
      }
      checkAnnotations(fields)
      guard let inside = workspacePath(path, in: folder, what: "artifact") else { continue }
      let annotations = fields.filter { $0.key.text != "path" }.map { ($0.key.text, $0.value.value) }
      artifacts.append(ArtifactDeclaration(name: name.text, path: inside, annotations: .mapping(annotations)))
    }
    return artifacts
  }

  // MARK: Small readers

  static func isNameByte(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 45 || byte == 95
  }

  mutating func mapping(_ node: YAMLNode, of key: String) -> [(key: YAMLKey, value: YAMLNode)]? {
    if let pairs = node.pairs { return pairs }
    wrong(node, "`\(key)` has to be a mapping, not \(node.kindName)")
    return nil
  }

  /// The items of a list; nothing is an empty list in the native dialect.
  mutating func list(_ node: YAMLNode, of key: String, hint: String? = nil) -> [YAMLNode]? {
    if let items = node.items { return items }
    if dialect.isNative, node.text == nil, node.pairs == nil { return [] }
    wrong(node, "`\(key)` has to be a list, not \(node.kindName)", hint: hint)
    return nil
  }

  /// Text; a number or a flag is taken as it is written in the native dialect, and refused as by DVC in the other.
  mutating func text(_ node: YAMLNode, of key: String) -> String? {
    if let text = node.text, dialect.isNative || node.isText {
      if !text.holds(0) { return text }
      wrong(node, "`\(key)` holds a NUL, which no program can be given")
      return nil
    }
    wrong(node, "`\(key)` has to be text, not \(node.kindName)", hint: node.text.map { "put it in quotes: `\"\($0)\"`" })
    return nil
  }

  mutating func flag(_ node: YAMLNode, of key: String) -> Bool {
    if case .bool(let value) = node.value { return value }
    wrong(node, "`\(key)` has to be `true` or `false`, not \(node.text.map { "`\($0)`" } ?? node.kindName)")
    return false
  }

  mutating func workspacePath(_ node: YAMLNode, in folder: WorkspacePath?, what: String) -> WorkspacePath? {
    guard let typed = text(node, of: what) else { return nil }
    if let path = WorkspacePath(typed, in: folder) {
      note(spelling: typed, of: path, in: folder)
      return path
    }
    wrong(node, "\(what) `\(typed)` is not a path inside the project")
    return nil
  }

  mutating func note(spelling: String, of path: WorkspacePath, in folder: WorkspacePath?) {
    if !dialect.isNative, DVCPath.relative(path, to: folder) != spelling { spellings[path.text] = spelling }
  }

  /// `desc`, `type` and `labels`; `meta` holds anything.
  mutating func checkAnnotations(_ pairs: [(key: YAMLKey, value: YAMLNode)]) {
    for (key, value) in pairs {
      switch key.text {
      case "desc", "type": _ = text(value, of: key.text)
      case "labels": for label in list(value, of: "labels") ?? [] { _ = text(label, of: "labels") }
      default: break
      }
    }
  }
}

extension YAMLNode {
  var isScalar: Bool {
    if case .scalar = content { return true }
    return false
  }

  /// Whether a scalar is text by its form, and no number, flag or nothing.
  var isText: Bool {
    switch content {
    case .scalar(_, isPlain: false): return true
    case .scalar(_, isPlain: true): if case .text = value { return true } else { return false }
    default: return false
    }
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

// `vars`, `${…}`, `foreach` and `matrix`: from the manifest as written to stages without templates.
// SPDX-License-Identifier: Apache-2.0
internal import ContentStore
internal import Diagnostics

extension ManifestReader {
  // MARK: vars

  /// `params.yaml` beside the manifest, if there is one, and what `vars` names.
  mutating func loadVars(_ node: YAMLNode?) {
    if let path = WorkspacePath("params.yaml", in: folder), let loaded = loadedFile(path).file, isUsable(loaded, path, at: nil) {
      context.loaded[path] = .some(nil)
      merge(loaded.value.template(from: path.text), at: nil)
    }
    guard let node, let items = list(node, of: "vars") else { return }
    takeIn(items, from: folder)
  }

  mutating func takeIn(_ items: [YAMLNode], from folder: WorkspacePath?) {
    for item in items {
      if hasTemplate(item) {
        wrong(item, "`vars` takes nothing of the kind `${…}`")
      } else if let pairs = item.pairs {
        if !dialect.isNative { refuseDates(item) }
        merge(
          TemplateMapping(pairs.map { ($0.key.text, $0.value.value) }, from: "\(file):\(item.mark.line)"), at: item)
      } else if let text = text(item, of: "vars") {
        takeIn(file: text, at: item, from: folder)
      }
    }
  }

  /// `conf.yaml`, or `conf.yaml:key,other`.
  private mutating func takeIn(
    file text: String, at item: YAMLNode, from folder: WorkspacePath?
  ) {
    let colon = text.firstIndex(of: ":")
    let name = text[..<(colon ?? text.endIndex)]
    let keys = (colon.map { text[text.index(after: $0)...] } ?? "").split(separator: ",").map(String.init)
    guard let path = WorkspacePath(name, in: folder) else {
      wrong(item, "file `\(name)` of `vars` is not a path inside the project")
      return
    }
    if let earlier = context.loaded[path] {
      if earlier == nil, keys.isEmpty { return }
      if earlier == nil || keys.isEmpty || keys.contains(where: { earlier?.contains($0) == true }) {
        wrong(
          item, "`\(text)` takes in what `vars` has already from `\(path)`",
          hint: earlier == nil ? "all of `\(path)` is there without it" : "name each key of a file once")
        return
      }
    }
    let loaded = loadedFile(path)
    guard let file = loaded.file else {
      if !loaded.isBroken { wrong(item, "file `\(path)` of `vars` is not there") }
      return
    }
    guard isUsable(file, path, at: item) else { return }
    var values = file.value.template(from: path.text)
    if !keys.isEmpty {
      var chosen = TemplateMapping()
      for key in keys {
        if let value = values[key] {
          chosen.set(key, value, from: path.text)
        } else {
          wrong(
            item, "key `\(key)` is not in \(path)",
            hint: closestMatch(to: key, among: values.keys).map { "did you mean `\($0)`?" })
        }
      }
      values = chosen
    }
    context.loaded[path] = .some(keys.isEmpty ? nil : (context.loaded[path].flatMap { $0 } ?? []) + keys)
    merge(values, at: item)
  }

  private mutating func merge(_ values: TemplateMapping, at item: YAMLNode?) {
    let start = YAMLNode(.mapping([]), at: YAMLMark(line: 1, column: 1))
    if let key = context.reserved.first(where: { values[$0] != nil }) {
      wrong(item ?? start, "`\(key)` is set for each stage that a template makes, and `vars` cannot set it")
      return
    }
    do {
      try context.values.merge(values)
    } catch {
      wrong(
        item ?? start, "`\(error.key)` is given by `\(error.second)` and by `\(error.first)`",
        hint: "values are joined key by key, and one is never put in another's place")
    }
  }

  /// Whether `${…}` may look into a file: a mapping and, for DVC, nothing that it has no type for.
  private mutating func isUsable(_ file: ParameterFile, _ path: WorkspacePath, at item: YAMLNode?) -> Bool {
    guard case .mapping = file.value else {
      tell(
        Diagnostic(
          .input, "`\(path)` has to hold a mapping, for `${…}` to name what is in it",
          at: SourceLocation(file: path.text, line: 1, column: 1)))
      return false
    }
    guard !dialect.isNative, let date = file.dates.first else { return true }
    tell(
      Diagnostic(
        .input, "`\(date.key)` is a date, which DVC does not take in a file that `${…}` may name",
        at: SourceLocation(file: path.text, line: date.line, column: date.column), hints: ["put it in quotes"]))
    return false
  }

  private mutating func refuseDates(_ node: YAMLNode) {
    for scalar in node.dates { wrong(scalar, "a date is not taken in `vars`", hint: "put it in quotes") }
  }

  // MARK: Stages

  mutating func readStages(_ node: YAMLNode) {
    if dialect.isNative, node.value == .null { return }
    guard let pairs = mapping(node, of: "stages") else { return }
    stages.reserveCapacity(pairs.count)
    for (key, value) in pairs where isStageName(key) { entry(key, value) }
  }

  private mutating func isStageName(_ key: YAMLKey) -> Bool {
    if dialect.isNative {
      if !key.text.isEmpty, key.text.utf8.allSatisfy({ Self.isNameByte($0) || $0 > 127 }) { return true }
      wrong(key, "stage name `\(key.text)` has characters other than letters, digits, `-` and `_`")
    } else {
      if !key.text.isEmpty, !key.text.utf8.contains(UInt8(ascii: "@")) { return true }
      wrong(
        key,
        key.text.isEmpty ? "a stage has no name" : "stage name `\(key.text)` has `@`, which only `foreach` and `matrix` put there"
      )
    }
    return false
  }

  private mutating func entry(_ key: YAMLKey, _ node: YAMLNode) {
    guard let pairs = node.pairs else {
      wrong(node, "stage `\(key.text)` has to be a mapping, not \(node.kindName)")
      return
    }
    if pairs.contains(where: { $0.key.text == "foreach" || $0.key.text == "do" }) {
      foreach(key, pairs)
    } else if let matrix = pairs.first(where: { $0.key.text == "matrix" })?.value {
      let body = pairs.filter { $0.key.text != "matrix" }
      checkKeys(body)
      expand(key, body, matrixItems(matrix, key), isFiles: false)
    } else {
      checkKeys(pairs)
      one(key.text, group: nil, key, pairs)
    }
  }

  private mutating func checkKeys(_ body: [(key: YAMLKey, value: YAMLNode)]) {
    for (field, value) in body {
      if Self.sharedStageKeys.contains(field.text) || (dialect.isNative && Self.nativeStageKeys.contains(field.text)) {
        if !dialect.isNative { checkFlags(value, field, isMeta: false) }
      } else if Self.templateKeys.contains(field.text) {
        wrong(field, "`\(field.text)` cannot stand inside another template")
      } else {
        unknown(field, among: stageKeys, what: "stage key", nativeOnly: dialect.isNative ? [] : Self.nativeStageKeys)
      }
    }
  }

  /// DVC reads flags before it replaces `${…}`.
  private mutating func checkFlags(_ node: YAMLNode, _ key: YAMLKey, isMeta: Bool) {
    guard key.text != "meta" else { return }
    switch node.content {
    case .scalar(let text, _):
      if Self.flagKeys.contains(key.text), Interpolation.concerns(text) {
        wrong(node, "`\(key.text)` has to be `true` or `false`, not `\(text)`")
      }
    case .sequence(let items): for item in items where item.pairs != nil { checkFlags(item, key, isMeta: isMeta) }
    case .mapping(let pairs): for (key, value) in pairs { checkFlags(value, key, isMeta: isMeta) }
    }
  }

  private mutating func one(_ name: String, group: String?, _ key: YAMLKey, _ body: [(key: YAMLKey, value: YAMLNode)]) {
    var folder = self.folder
    if let wdir = body.first(where: { $0.key.text == "wdir" })?.value {
      folder = workingFolder(resolved(wdir, .field))
    }
    let vars = body.first { $0.key.text == "vars" }?.value
    let saved = vars == nil ? nil : context
    if let vars, let items = list(vars, of: "vars") { takeIn(items, from: folder) }
    var fields = body
    for index in fields.indices where fields[index].key.text != "vars" {
      fields[index].value = resolved(fields[index].value, fields[index].key.text == "cmd" ? .command : .field)
    }
    stages.append(stage(named: name, group: group, at: key, fields, in: folder))
    if let saved { context = saved }
  }

  private mutating func workingFolder(_ node: YAMLNode) -> WorkspacePath? {
    guard let typed = text(node, of: "wdir"), !typed.isEmpty else { return folder }
    guard !typed.hasPrefix("/"), let inside = WorkspacePath(typed + "/_", in: folder) else {
      wrong(node, "wdir `\(typed)` is not a path inside the project")
      return folder
    }
    return inside.parent
  }

  // MARK: foreach and matrix

  struct Item {
    var name: String
    var key: String?
    var value: TemplateValue
  }

  private mutating func foreach(_ key: YAMLKey, _ pairs: [(key: YAMLKey, value: YAMLNode)]) {
    for (field, _) in pairs where field.text != "foreach" && field.text != "do" {
      if stageKeys.contains(field.text) || Self.templateKeys.contains(field.text) {
        wrong(field, "`\(field.text)` stands beside `foreach`", hint: "put it inside `do`")
      } else {
        unknown(field, among: ["foreach", "do"], what: "stage key")
      }
    }
    guard let data = pairs.first(where: { $0.key.text == "foreach" })?.value else {
      wrong(key, "stage `\(key.text)` has `do` and no `foreach`")
      return
    }
    guard let template = pairs.first(where: { $0.key.text == "do" })?.value else {
      wrong(key, "stage `\(key.text)` has `foreach` and no `do`")
      return
    }
    guard let body = mapping(template, of: "do") else { return }
    checkKeys(body)
    if let files = filesItems(data, key) { return expand(key, body, files, isFiles: true) }
    expand(key, body, foreachItems(data), isFiles: false)
  }

  /// A stage for each item; of items with one name the last counts, at the place of the first.
  private mutating func expand(_ key: YAMLKey, _ body: [(key: YAMLKey, value: YAMLNode)], _ items: [Item], isFiles: Bool) {
    guard stages.count + items.count <= Self.maximumStages else {
      wrong(key, "with stage `\(key.text)`, the manifest has more than \(Self.maximumStages) stages")
      return
    }
    var index: [String: Int] = [:]
    var distinct: [Item] = []
    for item in items {
      if let first = index[item.name] {
        if isFiles {
          wrong(
            key,
            "files `\(distinct[first].value.value.display)` and `\(item.value.value.display)` would both be stage `\(key.text)@\(item.name)`",
            hint: "name one of them otherwise, or give each folder a stage of its own")
        }
        distinct[first] = item
      } else {
        index[item.name] = distinct.count
        distinct.append(item)
      }
    }
    warnOfShadows(key, distinct)
    let saved = context
    for item in distinct where !isHopeless {
      guard !item.name.utf8.contains(where: { $0 == UInt8(ascii: "@") || $0 < 32 }) else {
        wrong(key, "an item of `\(key.text)` is named `\(item.name)`, and a stage's name has no `@` and no control characters")
        continue
      }
      context.values.set("item", item.value, from: key.text)
      context.reserved = ["item"]
      if let name = item.key {
        context.values.set("key", .plain(.text(name)), from: key.text)
        context.reserved.append("key")
      }
      one("\(key.text)@\(item.name)", group: key.text, key, body)
    }
    context = saved
  }

  private mutating func warnOfShadows(_ key: YAMLKey, _ items: [Item]) {
    guard let first = items.first else { return }
    for name in first.key == nil ? ["item"] : ["item", "key"] where context.values[name] != nil {
      tell(
        Diagnostic(
          .warning, "`\(name)` is a value of `params.yaml` or `vars`, and in stages made from `\(key.text)` it is their own",
          at: key.location(in: file)))
    }
  }

  /// An item's value, and whether it came through `${…}`: DVC writes flags of the two kinds differently in names.
  private mutating func itemValue(_ node: YAMLNode) -> (value: TemplateValue, isNamed: Bool) {
    guard case .scalar(let text, _) = node.content, Interpolation.concerns(text) else {
      return (TemplateValue(resolved(node).value, from: file), false)
    }
    guard let value = interpolated(text, at: node, .free) else { return (.plain(.text("")), false) }
    if case .plain(.text) = value { return (value, false) }
    return (value, true)
  }

  private static func name(_ value: TemplateValue, isNamed: Bool) -> String {
    if isNamed, case .plain(.bool(let flag)) = value { return flag ? "True" : "False" }
    return value.value.pythonText
  }

  private mutating func foreachItems(_ node: YAMLNode) -> [Item] {
    var values: [(value: TemplateValue, isNamed: Bool)] = []
    switch node.content {
    case .sequence(let items): values = items.map { itemValue($0) }
    case .mapping(let pairs):
      return pairs.map { key, value in
        let name = keyText(key)
        return Item(name: name, key: name, value: itemValue(value).value)
      }
    case .scalar(let text, _):
      let value = Interpolation.concerns(text) ? interpolated(text, at: node, .free) : .plain(node.value)
      switch value {
      case nil: return []
      case .list(let items): values = items.map { ($0, true) }
      case .mapping(let mapping): return mapping.pairs.map { Item(name: $0.key, key: $0.key, value: $0.value) }
      default:
        wrong(
          node, "`foreach` has to be a list or a mapping, not \(YAMLNode(value: value?.value ?? .null, at: node.mark).kindName)")
        return []
      }
    }
    let isIndexed = values.contains { $0.value.isComposite }
    return values.enumerated().map { index, item in
      Item(name: isIndexed ? "\(index)" : Self.name(item.value, isNamed: item.isNamed), key: nil, value: item.value)
    }
  }

  /// A key of inline data, which in DVC is named as Python writes it: `~` is `None`.
  private mutating func keyText(_ key: YAMLKey) -> String {
    let node = YAMLNode(.scalar(key.text, isPlain: key.isPlain), at: key.mark)
    return resolved(node).value.pythonText
  }

  /// `foreach: {files: "data/*.csv"}`; `nil` when the data is of another kind.
  private mutating func filesItems(_ node: YAMLNode, _ key: YAMLKey) -> [Item]? {
    guard dialect.isNative, let pairs = node.pairs, pairs.count == 1, pairs[0].key.text == "files" else { return nil }
    let value = resolved(pairs[0].value)
    let patterns = (value.items ?? [value]).map { $0.text.flatMap { PathPattern($0, in: folder) } }
    guard !patterns.isEmpty, patterns.allSatisfy({ $0 != nil }) else { return nil }
    let found = Set(patterns.compactMap { $0 }.flatMap(surroundings.matches))
    return found.sorted { $0.text.utf8.lexicographicallyPrecedes($1.text.utf8) }.map { path in
      let stem = TemplateValue.stem(path.text)
      return Item(name: stem, key: stem, value: .file(relative(path)))
    }
  }

  /// A path as it is written from the manifest's folder.
  private func relative(_ path: WorkspacePath) -> String {
    guard let folder else { return path.text }
    let here = folder.text.split(separator: "/")
    let there = path.text.split(separator: "/")
    let shared = zip(here, there).prefix { $0 == $1 }.count
    return ([Substring](repeating: "..", count: here.count - shared) + there.dropFirst(shared)).joined(separator: "/")
  }

  private mutating func matrixItems(_ node: YAMLNode, _ key: YAMLKey) -> [Item] {
    guard let pairs = mapping(node, of: "matrix") else { return [] }
    if pairs.isEmpty { wrong(node, "`matrix` has no variables") }
    var axes: [(name: String, values: [(value: TemplateValue, isNamed: Bool)])] = []
    var count = pairs.isEmpty ? 0 : 1
    for (name, value) in pairs {
      let values = axis(value, name)
      axes.append((keyText(name), values))
      let (product, overflow) = count.multipliedReportingOverflow(by: values.count)
      guard !overflow, product <= Self.maximumStages else {
        wrong(key, "the matrix of stage `\(key.text)` makes more than \(Self.maximumStages) stages")
        return []
      }
      count = product
    }
    return (0..<count).map { combination(axes, $0) }
  }

  private mutating func axis(_ node: YAMLNode, _ name: YAMLKey) -> [(value: TemplateValue, isNamed: Bool)] {
    if let items = node.items { return items.map { itemValue($0) } }
    if case .scalar(let text, _) = node.content, Interpolation.concerns(text) {
      switch interpolated(text, at: node, .free) {
      case nil: return []
      case .list(let items): return items.map { ($0, true) }
      case .mapping(let mapping): return mapping.keys.map { (.plain(.text($0)), false) }
      default: break
      }
    }
    wrong(node, "`\(name.text)` of `matrix` has to be a list, not \(node.kindName)")
    return []
  }

  /// The `number`th combination; the last variable changes first.
  private func combination(
    _ axes: [(name: String, values: [(value: TemplateValue, isNamed: Bool)])], _ number: Int
  ) -> Item {
    var rest = number
    var indices = [Int](repeating: 0, count: axes.count)
    for axis in axes.indices.reversed() {
      indices[axis] = rest % axes[axis].values.count
      rest /= axes[axis].values.count
    }
    var item = TemplateMapping()
    var names: [String] = []
    for (axis, index) in zip(axes, indices) {
      let (value, isNamed) = axis.values[index]
      item.set(axis.name, value, from: file)
      names.append(value.isComposite ? "\(axis.name)\(index)" : Self.name(value, isNamed: isNamed))
    }
    let name = names.joined(separator: "-")
    return Item(name: name, key: name, value: .mapping(item))
  }

  // MARK: Interpolation

  /// A tree in which nothing is left to replace. What could not be replaced has been told, and stands as text.
  mutating func resolved(_ node: YAMLNode, _ place: Interpolation.Place = .free) -> YAMLNode {
    guard Self.concerns(node) else { return node }
    switch node.content {
    case .scalar(let text, _):
      guard let value = interpolated(text, at: node, place) else {
        return YAMLNode(.scalar("unresolved", isPlain: false), at: node.mark)
      }
      return YAMLNode(value: value.value, at: node.mark)
    case .sequence(let items): return YAMLNode(.sequence(items.map { resolved($0, place) }), at: node.mark)
    case .mapping(let pairs): return YAMLNode(.mapping(resolved(pairs, place)), at: node.mark)
    }
  }

  private mutating func resolved(
    _ pairs: [(key: YAMLKey, value: YAMLNode)], _ place: Interpolation.Place
  ) -> [(key: YAMLKey, value: YAMLNode)] {
    var result: [(key: YAMLKey, value: YAMLNode)] = []
    var index: [String: Int] = [:]
    for (key, value) in pairs {
      var key = key
      if Interpolation.concerns(key.text) {
        let node = resolved(YAMLNode(.scalar(key.text, isPlain: false), at: key.mark), place)
        key = YAMLKey(node.value.pythonText, at: key.mark)
      }
      let value = resolved(value, place)
      // Keys that become one are one: the last value, at the place of the first.
      if let first = index[key.text] {
        result[first].value = value
      } else {
        index[key.text] = result.count
        result.append((key, value))
      }
    }
    return result
  }

  static func concerns(_ node: YAMLNode) -> Bool {
    switch node.content {
    case .scalar(let text, _): Interpolation.concerns(text)
    case .sequence(let items): items.contains(where: concerns)
    case .mapping(let pairs): pairs.contains { Interpolation.concerns($0.key.text) || concerns($0.value) }
    }
  }

  private func hasTemplate(_ node: YAMLNode) -> Bool {
    switch node.content {
    case .scalar(let text, _): interpolation.isTemplate(text)
    case .sequence(let items): items.contains(where: hasTemplate)
    case .mapping(let pairs): pairs.contains { interpolation.isTemplate($0.key.text) || hasTemplate($0.value) }
    }
  }

  /// The value of a text with `${…}`; `nil` when the mistake in it has been told.
  private mutating func interpolated(_ text: String, at node: YAMLNode, _ place: Interpolation.Place) -> TemplateValue? {
    guard interpolatedSize <= Self.maximumInterpolated else {
      wrong(node, "what `${…}` stands for adds up to more than \(Self.maximumInterpolated >> 20) MiB in this manifest")
      return nil
    }
    do {
      let value = try interpolation.resolve(text, in: context, place: place)
      interpolatedSize += value.size
      return value
    } catch {
      let place = places.place(ofTemplate: error.ordinal, after: node.mark, in: self.text)
      tell(
        Diagnostic(
          .input, error.message, at: SourceLocation(file: file, line: place.line, column: place.column),
          hints: error.hint.map { [$0] } ?? []))
      return nil
    }
  }
}

extension TemplateValue {
  /// About the bytes that it takes as text.
  fileprivate var size: Int {
    switch self {
    case .plain(.text(let text)), .file(let text): text.utf8.count + 16
    case .plain: 16
    case .list(let items): items.reduce(16) { $0 + $1.size }
    case .mapping(let mapping): mapping.pairs.reduce(16) { $0 + $1.key.utf8.count + $1.value.size }
    }
  }
}

extension ParameterValue {
  /// The entries of a mapping for `${…}` to name; all else has none.
  fileprivate func template(from origin: String) -> TemplateMapping {
    guard case .mapping(let pairs) = self else { return TemplateMapping() }
    return TemplateMapping(pairs, from: origin)
  }
}

/// Where a `${` stands in the text of a manifest. Looked for only when there is a mistake to tell.
struct TemplatePlaces {
  private var bytes: [UInt8] = []
  /// Offset of each line.
  private var lines: [Int] = []

  /// - Parameters:
  ///   - ordinal: which `${` after the mark, from 0.
  ///   - mark: where the scalar begins that holds it.
  mutating func place(ofTemplate ordinal: Int, after mark: YAMLMark, in text: String) -> YAMLMark {
    if lines.isEmpty {
      bytes = Array(text.utf8)
      lines = [0] + bytes.indices.filter { bytes[$0] == UInt8(ascii: "\n") }.map { $0 + 1 }
    }
    guard mark.line >= 1, mark.line <= lines.count else { return mark }
    var index = lines[mark.line - 1]
    for _ in 1..<max(1, mark.column) { index = afterScalar(index) }
    // An alias stands for text that is elsewhere.
    guard index < bytes.count, bytes[index] != UInt8(ascii: "*") else { return mark }
    var left = ordinal
    while index + 1 < bytes.count {
      if bytes[index] == UInt8(ascii: "$"), bytes[index + 1] == UInt8(ascii: "{") {
        if left == 0 { return place(of: index) }
        left -= 1
      }
      index += 1
    }
    return mark
  }

  private func afterScalar(_ index: Int) -> Int {
    var next = index + 1
    while next < bytes.count, bytes[next] & 0xC0 == 0x80 { next += 1 }
    return next
  }

  private func place(of offset: Int) -> YAMLMark {
    var low = 0
    var high = lines.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if lines[middle] <= offset { low = middle } else { high = middle }
    }
    let column = bytes[lines[low]..<offset].count { $0 & 0xC0 != 0x80 } + 1
    return YAMLMark(line: low + 1, column: column)
  }
}

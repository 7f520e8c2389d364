// `params` of a stage: which keys of which files, and the values that they have now.
// SPDX-License-Identifier: Apache-2.0
internal import ContentStore
internal import Diagnostics

/// A parameter file as it was found.
struct LoadedFile {
  /// `nil` when it is absent or broken.
  var file: ParameterFile?
  var isBroken = false
}

extension ManifestReader {
  /// Reads a file once; what is wrong in it is told once, however many stages name it.
  mutating func loadedFile(_ path: WorkspacePath) -> LoadedFile {
    if let known = files[path] { return known }
    filesRead.append(path)
    var loaded = LoadedFile()
    do {
      if let text = try surroundings.text(path) {
        loaded.isBroken = true
        do {
          loaded.file = try ParameterFile(text, at: path)
          loaded.isBroken = false
        } catch {
          for diagnostic in error.diagnostics { tell(diagnostic) }
        }
      }
    } catch {
      loaded.isBroken = true
      tell(error.diagnostic)
    }
    files[path] = loaded
    return loaded
  }

  private struct Named: Hashable {
    var file: WorkspacePath
    var key: String?
  }

  /// What a stage names; the values come when all stages are known.
  mutating func parameters(_ node: YAMLNode, in folder: WorkspacePath?) -> [ParameterReference] {
    guard let items = list(node, of: "params", hint: "write `- train.lr`, or `- other.yaml: [key]`") else { return [] }
    let whole = Set(items.flatMap { ($0.pairs ?? []).filter { Self.isWhole($0.value) }.map(\.key.text) })
    var found: [ParameterReference] = []
    var seen: Set<Named> = []
    func add(_ key: String?, _ file: WorkspacePath, _ location: SourceLocation) {
      // Named twice is named once.
      guard items.count == 1 || seen.insert(Named(file: file, key: key)).inserted else { return }
      found.append(ParameterReference(file: file, key: key, value: nil, location: location))
    }
    for item in items {
      guard let pairs = item.pairs else {
        guard let key = text(item, of: "params"), !whole.contains("params.yaml"),
          let file = WorkspacePath("params.yaml", in: folder)
        else { continue }
        add(key, file, item.location(in: self.file))
        continue
      }
      for (name, keys) in pairs {
        guard let file = WorkspacePath(name.text, in: folder) else {
          wrong(name, "`\(name.text)` is not a path inside the project")
          continue
        }
        if whole.contains(name.text) {
          if Self.isWhole(keys) { add(nil, file, name.location(in: self.file)) }
          continue
        }
        guard let names = keys.items else {
          wrong(keys, "the keys of `\(name.text)` have to be a list, not \(keys.kindName)")
          continue
        }
        var inFile: Set<String> = []
        for node in names {
          guard let key = text(node, of: "params"), inFile.insert(key).inserted else { continue }
          add(key, file, node.location(in: self.file))
        }
      }
    }
    return found
  }

  /// `{file: }` and `{file: []}` are all of the file.
  private static func isWhole(_ keys: YAMLNode) -> Bool {
    if let items = keys.items { return items.isEmpty }
    return keys.text == nil && keys.pairs == nil
  }

  /// Looks every named parameter up. What is missing is a mistake in the native dialect, unless a stage makes the file.
  mutating func fillParameters(_ stages: inout [Stage]) {
    var made: Set<WorkspacePath>?
    for index in stages.indices {
      for place in stages[index].parameters.indices {
        let reference = stages[index].parameters[place]
        let loaded = loadedFile(reference.file)
        let value = loaded.file.flatMap { file in
          reference.key.map { file.value(at: $0, isExact: !dialect.isNative) } ?? file.value
        }
        stages[index].parameters[place].value = value
        guard value == nil, dialect.isNative, !loaded.isBroken else { continue }
        let outputs = made ?? Set(stages.flatMap { $0.outputs.map(\.path) })
        made = outputs
        if !Self.isMade(reference.file, by: outputs) { missing(reference, loaded.file) }
      }
    }
  }

  private static func isMade(_ path: WorkspacePath, by outputs: Set<WorkspacePath>) -> Bool {
    var current: WorkspacePath? = path
    while let path = current {
      if outputs.contains(path) { return true }
      current = path.parent
    }
    return false
  }

  private mutating func missing(_ reference: ParameterReference, _ file: ParameterFile?) {
    guard let file, let key = reference.key else {
      // Said once, however many stages name the file.
      if files[reference.file]?.isBroken == false {
        tell(Diagnostic(.input, "parameter file `\(reference.file)` is not there", at: reference.location))
        files[reference.file]?.isBroken = true
      }
      return
    }
    let near = closestMatch(to: key, among: file.keys.prefix(2000).lazy.map(\.key))
    let hints = near.map { near in
      let line = file.keys.first { $0.key == near }?.line
      return ["did you mean `\(near)` (\(reference.file)\(line.map { ":\($0)" } ?? ""))?"]
    }
    tell(Diagnostic(.input, "parameter `\(key)` is not in \(reference.file)", at: reference.location, hints: hints ?? []))
  }
}

// Rows of DVC's files from YAML, each mistake with its place.
// SPDX-License-Identifier: Apache-2.0
internal import ContentStore
internal import Diagnostics

/// Reads parts of DVC's files and keeps the mistakes.
struct DVCRowReader {
  let file: String
  var mistakes = DiagnosticList()

  init(file: String) { self.file = file }

  mutating func fail(_ message: String, _ node: YAMLNode, hints: [String] = []) {
    mistakes.add(Diagnostic(.input, message, at: node.location(in: file), hints: hints))
  }

  /// The pairs of a mapping; nothing else will do.
  mutating func pairs(_ node: YAMLNode, of what: String) -> [(key: YAMLKey, value: YAMLNode)]? {
    if let pairs = node.pairs { return pairs }
    fail("\(what) has to be a mapping, not \(node.kindName)", node)
    return nil
  }

  mutating func items(_ node: YAMLNode, of what: String) -> [YAMLNode]? {
    if let items = node.items { return items }
    fail("\(what) has to be a list, not \(node.kindName)", node)
    return nil
  }

  mutating func text(_ node: YAMLNode, of what: String) -> String? {
    if case .text(let text) = node.value { return text }
    fail("\(what) has to be text, not \(node.kindName)", node, hints: ["put it in quotes"])
    return nil
  }

  mutating func flag(_ node: YAMLNode, of what: String) -> Bool? {
    if case .bool(let flag) = node.value { return flag }
    fail("\(what) has to be `true` or `false`, not \(node.kindName)", node)
    return nil
  }

  mutating func count(_ node: YAMLNode, of what: String) -> Int? {
    if case .integer(let number) = node.value, number >= 0, let count = Int(exactly: number) { return count }
    fail("\(what) has to be a whole number from 0", node)
    return nil
  }

  /// The digest of a row by its `hash:` and the key of that name. Other hashes are no digest and no mistake.
  mutating func digest(_ row: YAMLNode, _ what: String) -> Digest? {
    let name = row["hash"].flatMap { text($0, of: "`hash` of \(what)") }
    if row["hash"] != nil, name == nil { return nil }
    let algorithm: Digest.Algorithm
    switch name {
    case nil: algorithm = row["sha256"] != nil && row["md5"] == nil ? .sha256 : .md5dos2unix
    case "md5": algorithm = .md5
    case "sha256": algorithm = .sha256
    default: return nil
    }
    let key = algorithm == .sha256 ? "sha256" : "md5"
    guard let node = row[key], let written = node.text, !written.isEmpty else { return nil }
    if let digest = Digest(algorithm, hex: written.lowercased()) { return digest }
    fail(
      "`\(key)` of \(what) has to be \(algorithm.length * 2) hexadecimal digits, and `.dir` after them for a directory", node)
    return nil
  }

  /// A row of `deps` or `outs`.
  mutating func row(_ node: YAMLNode, in section: String) -> DVCLockEntry.Row? {
    guard let pairs = pairs(node, of: "a row of `\(section)`") else { return nil }
    guard let pathNode = node["path"] else {
      fail("a row of `\(section)` has no `path`", node)
      return nil
    }
    guard let path = text(pathNode, of: "`path`") else { return nil }
    var row = DVCLockEntry.Row(path: path, digest: digest(node, "`\(path)`"))
    var other: [(String, ParameterValue)] = []
    for (key, value) in pairs {
      switch key.text {
      case "path": break
      case "hash", "md5", "sha256": if row.digest == nil { other.append((key.text, value.value)) }
      case "size": row.size = count(value, of: "`size` of `\(path)`")
      case "nfiles": row.files = count(value, of: "`nfiles` of `\(path)`")
      case "isexec": row.isExecutable = flag(value, of: "`isexec` of `\(path)`") ?? false
      default: other.append((key.text, value.value))
      }
    }
    if !other.isEmpty { row.other = .mapping(other) }
    return row
  }

  private mutating func rows(_ node: YAMLNode?, in section: String) -> [DVCLockEntry.Row] {
    guard let node else { return [] }
    return (items(node, of: "`\(section)`") ?? []).compactMap { row($0, in: section) }
  }

  /// An entry of the lock file, or of the run cache.
  mutating func entry(_ node: YAMLNode, of what: String) -> DVCLockEntry? {
    guard pairs(node, of: what) != nil else { return nil }
    guard let command = node["cmd"] else {
      fail("\(what) has no `cmd`", node)
      return nil
    }
    let lines = command.items.map { items in items.compactMap { text($0, of: "a command of \(what)") } }
    let commands = lines ?? text(command, of: "`cmd` of \(what)").map { [$0] } ?? []
    return DVCLockEntry(
      written: commands, isCommandList: lines != nil, dependencies: rows(node["deps"], in: "deps"),
      parameters: parameters(node["params"]), outputs: rows(node["outs"], in: "outs"))
  }

  private mutating func parameters(_ node: YAMLNode?) -> [DVCLockEntry.ParameterFile] {
    guard let node, let files = pairs(node, of: "`params`") else { return [] }
    return files.compactMap { name, values in
      guard let values = pairs(values, of: "`params` of `\(name.text)`") else { return nil }
      return DVCLockEntry.ParameterFile(path: name.text, values: values.map { ($0.key.text, $0.value.value) })
    }
  }
}

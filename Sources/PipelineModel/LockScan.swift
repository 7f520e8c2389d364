// A `pipeline.lock` as `pipe` writes it, read line by line: what is unusual is left to the YAML reader.
// SPDX-License-Identifier: Apache-2.0
internal import ContentStore
internal import Diagnostics

/// Reads entries that have nothing but commands, dependencies and outputs in plain words. An entry with anything else is
/// read as YAML by itself, and a file whose shape is another is not read at all: its reader tells what is wrong with it.
struct LockScan {
  private var lines: LineScan

  /// - Returns: `nil` when the file has to be read as YAML.
  static func read(_ text: String, file: String) -> LockFile? {
    LineScan.read(text) { lines in
      var scan = LockScan(lines: lines)
      return scan.lock(file)
    }
  }

  private mutating func lock(_ file: String) -> LockFile? {
    guard lines.take("schema: '1.0'"), lines.take("stages:"), !lines.isAtEnd else { return nil }
    var lock = LockFile()
    while !lines.isAtEnd {
      let start = lines.position
      guard let name = lines.entryName(), lock.entries[name] == nil else { return nil }
      let body = lines.position
      if let entry = entry() {
        lock.entries[name] = entry
        continue
      }
      lines.position = body
      lines.skipBlock()
      guard let entry = Self.carefully(lines.text(from: start), name, file) else { return nil }
      lock.entries[name] = entry
    }
    return lock
  }

  private static func carefully(_ block: String, _ name: String, _ file: String) -> LockEntry? {
    let (tree, mistakes) = YAMLReader.read(block, file: file)
    guard mistakes.diagnostics.isEmpty, let pairs = tree?.pairs, pairs.count == 1, pairs[0].key.text == name else { return nil }
    return LockEntry(tree: pairs[0].value.value)
  }

  // MARK: An entry

  /// The lines below a name; `nil` when one of them is not of the usual kind.
  private mutating func entry() -> LockEntry? {
    guard let (commands, _) = lines.commands(), let dependencies = rows("    deps:"), let outputs = rows("    outs:"),
      lines.isBeforeEntry, dependencies.allSatisfy(\.isInput), Set(outputs.map(\.path)).count == outputs.count
    else { return nil }
    var targets: [Recipe.Target] = []
    for output in outputs {
      guard let target = output.target else { return nil }
      targets.append(target)
    }
    return LockEntry(
      recipe: Recipe(
        commands: commands, notebook: nil, workingDirectory: nil, tools: [], inputs: dependencies.map(\.input), parameters: [],
        environment: [], targets: targets),
      outputs: zip(outputs, targets).map { $0.result(of: $1.kind) })
  }

  private struct Row {
    var path: String
    var digest: Digest
    var size: Int
    var files: Int?
    var isExecutable = false
    var kind: String?
    var isUncached = false
    var isPersistent = false

    /// Whether nothing is said that only outputs have.
    var isInput: Bool { !isExecutable && kind == nil && !isUncached && !isPersistent }

    var input: Recipe.Input { Recipe.Input(path: path, digest: digest, size: size, files: files) }

    /// `nil` for a path or a kind that there cannot be.
    var target: Recipe.Target? {
      guard WorkspacePath(path)?.text == path, let kind = Output.Kind(rawValue: kind ?? "data") else { return nil }
      return Recipe.Target(path: path, kind: kind, isCached: !isUncached, isPersistent: isPersistent)
    }

    func result(of kind: Output.Kind) -> Trace.Result {
      Trace.Result(path: path, digest: digest, size: size, files: files, isExecutable: isExecutable, kind: kind)
    }
  }

  /// The rows below a key; none when the key is not there.
  private mutating func rows(_ key: StaticString) -> [Row]? {
    guard lines.take(key) else { return [] }
    var rows: [Row] = []
    while let value = lines.take(value: "    - path: ") {
      guard let path = lines.text(value), let row = row(path) else { return nil }
      rows.append(row)
    }
    return rows.isEmpty ? nil : rows
  }

  private mutating func row(_ path: String) -> Row? {
    guard let digest = digest(), let size = lines.take(value: "      size: "), let size = lines.number(size) else { return nil }
    var row = Row(path: path, digest: digest, size: size)
    if let files = lines.take(value: "      nfiles: ") {
      guard let files = lines.number(files) else { return nil }
      row.files = files
    }
    row.isExecutable = lines.take("      isexec: true")
    if let kind = lines.take(value: "      kind: ") { row.kind = lines.plain(kind) }
    row.isUncached = lines.take("      cache: false")
    row.isPersistent = lines.take("      persist: true")
    return lines.begins("      ") ? nil : row
  }

  private mutating func digest() -> Digest? {
    if lines.take("      hash: sha256") {
      return lines.take(value: "      sha256: ").flatMap { Digest(.sha256, hex: lines.plain($0)) }
    }
    guard lines.take("      hash: md5") else { return nil }
    return lines.take(value: "      md5: ").flatMap { Digest(.md5, hex: lines.plain($0)) }
  }
}

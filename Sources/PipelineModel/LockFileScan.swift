// A `pipeline.lock` as `pipe` writes it, read line by line: what is unusual is left to the YAML reader.
// SPDX-License-Identifier: Apache-2.0
internal import ContentStore
internal import Diagnostics

/// Reads entries that have nothing but commands, a folder, dependencies and outputs in plain words. As `DVCLockScan`: an
/// entry with anything else is read as YAML by itself, a file of another shape not at all.
enum LockFileScan {
  /// - Returns: `nil` when the file has to be read as YAML.
  static func read(_ text: String, file: String) -> LockFile? {
    var text = text
    return text.withUTF8 { bytes in
      var lines = PlainLines(bytes)
      var lock = LockFile()
      lock.entries.reserveCapacity(bytes.count / 256)
      let isRead = lines.file(
        schema: "schema: '1.0'", entry: entry, carefully: { carefully($0, $1, file) },
        keep: { name, entry in lock.entries.updateValue(entry, forKey: name) == nil })
      return isRead ? lock : nil
    }
  }

  private static func carefully(_ part: String, _ name: String, _ file: String) -> LockEntry? {
    let (tree, mistakes) = YAMLReader.read(part, file: file)
    guard mistakes.diagnostics.isEmpty, let pairs = tree?.pairs, pairs.count == 1, pairs[0].key.text == name else { return nil }
    return LockEntry(tree: pairs[0].value.value)
  }

  /// The lines below a name; `nil` when one of them is not of the usual kind.
  private static func entry(_ lines: inout PlainLines) -> LockEntry? {
    guard let (commands, isList) = lines.commands(), commands.count > 1 || !isList else { return nil }
    var folder: String?
    if let wdir = lines.rest(after: "    wdir: ") {
      guard let text = lines.text(wdir) else { return nil }
      folder = text
    }
    guard let dependencies = rows("    deps:", &lines), let outputs = rows("    outs:", &lines), lines.isAtEntry else {
      return nil
    }
    guard dependencies.allSatisfy({ !$0.hasOptions }), outputs.allSatisfy({ WorkspacePath($0.path)?.text == $0.path }) else {
      return nil
    }
    let targets = outputs.map {
      Recipe.Target(path: $0.path, kind: $0.kind, isCached: $0.isCached, isPersistent: $0.isPersistent)
    }
    // A path that stands twice is a mistake.
    guard outputs.count < 2 || Set(outputs.map(\.path)).count == outputs.count else { return nil }
    return LockEntry(
      recipe: Recipe(
        commands: commands, notebook: nil, workingDirectory: folder, tools: [],
        inputs: dependencies.map { Recipe.Input(path: $0.path, digest: $0.digest, size: $0.size, files: $0.files) },
        parameters: [], environment: [], targets: targets),
      outputs: outputs.map {
        Trace.Result(
          path: $0.path, digest: $0.digest, size: $0.size, files: $0.files, isExecutable: $0.isExecutable, kind: $0.kind)
      })
  }

  private struct Row {
    var path: String
    var digest: Digest
    var size: Int
    var files: Int?
    var isExecutable = false
    var kind = Output.Kind.data
    var isCached = true
    var isPersistent = false

    /// Only an output has them.
    var hasOptions: Bool { isExecutable || kind != .data || !isCached || isPersistent }
  }

  /// The rows below a key; none when the key is not there.
  private static func rows(_ key: StaticString, _ lines: inout PlainLines) -> [Row]? {
    guard lines.skip(key) else { return [] }
    var rows: [Row] = []
    while let path = lines.rest(after: "    - path: ") {
      guard let path = lines.text(path), let row = row(path, &lines) else { return nil }
      rows.append(row)
    }
    return rows.isEmpty ? nil : rows
  }

  /// In the order in which the keys are written.
  private static func row(_ path: String, _ lines: inout PlainLines) -> Row? {
    guard lines.skip("      hash: sha256"), let digits = lines.rest(after: "      sha256: "),
      let digest = lines.digest(digits, .sha256), let count = lines.rest(after: "      size: "), let size = lines.number(count)
    else { return nil }
    var row = Row(path: path, digest: digest, size: size)
    if let count = lines.rest(after: "      nfiles: ") {
      guard let files = lines.number(count) else { return nil }
      row.files = files
    }
    row.isExecutable = lines.skip("      isexec: true")
    if let kind = lines.rest(after: "      kind: ") {
      guard let known = Output.Kind(rawValue: lines.plain(kind)) else { return nil }
      row.kind = known
    }
    row.isCached = !lines.skip("      cache: false")
    row.isPersistent = lines.skip("      persist: true")
    return row
  }
}

// A `dvc.lock` as DVC writes it, read line by line: what is unusual is left to the YAML reader.
// SPDX-License-Identifier: Apache-2.0
internal import ContentStore
internal import Diagnostics

/// Reads entries that have nothing but commands, dependencies and outputs in plain words. An entry with anything else is
/// read as YAML by itself, and a file whose shape is another is not read at all: its reader tells what is wrong with it.
/// An alias of an anchor in another entry is a mistake in an entry by itself, so such a file is read as a whole.
struct DVCLockScan {
  private var lines: LineScan

  /// - Returns: `nil` when the file has to be read as YAML.
  static func read(_ text: String, file: String) -> DVCLock? {
    LineScan.read(text) { lines in
      var scan = DVCLockScan(lines: lines)
      return scan.lock(file)
    }
  }

  // MARK: The file

  private mutating func lock(_ file: String) -> DVCLock? {
    guard lines.take("schema: '2.0'"), lines.take("stages:") else { return nil }
    var lock = DVCLock()
    // Without an entry, `stages` is no mapping.
    guard !lines.isAtEnd else { return nil }
    while !lines.isAtEnd {
      let start = lines.position
      guard let name = lines.entryName(), lock[name] == nil else { return nil }
      let body = lines.position
      if let entry = entry() {
        lock[name] = entry
        continue
      }
      lines.position = body
      lines.skipBlock()
      guard let entry = carefully(lines.text(from: start), name, file) else { return nil }
      lock[name] = entry
    }
    return lock
  }

  private func carefully(_ block: String, _ name: String, _ file: String) -> DVCLockEntry? {
    let (tree, mistakes) = YAMLReader.read(block, file: file)
    guard mistakes.diagnostics.isEmpty, let pairs = tree?.pairs, pairs.count == 1, pairs[0].key.text == name else { return nil }
    var reader = DVCRowReader(file: file)
    guard let entry = reader.entry(pairs[0].value, of: name), reader.mistakes.diagnostics.isEmpty else { return nil }
    return entry
  }

  // MARK: An entry

  /// The lines below a name; `nil` when one of them is not of the usual kind.
  private mutating func entry() -> DVCLockEntry? {
    guard let (commands, isList) = lines.commands(), let dependencies = rows("    deps:"), let outputs = rows("    outs:"),
      lines.isBeforeEntry
    else { return nil }
    return DVCLockEntry(
      written: commands, isCommandList: isList, dependencies: dependencies, parameters: [], outputs: outputs)
  }

  /// The rows below a key; none when the key is not there.
  private mutating func rows(_ key: StaticString) -> [DVCLockEntry.Row]? {
    guard lines.take(key) else { return [] }
    var rows: [DVCLockEntry.Row] = []
    while let value = lines.take(value: "    - path: ") {
      guard let path = lines.text(value), let row = row(path) else { return nil }
      rows.append(row)
    }
    return rows.isEmpty ? nil : rows
  }

  private mutating func row(_ path: String) -> DVCLockEntry.Row? {
    guard lines.take("      hash: md5"), let digits = lines.take(value: "      md5: "),
      let digest = Digest(.md5, hex: lines.plain(digits))
    else { return nil }
    var row = DVCLockEntry.Row(path: path, digest: digest)
    if let size = lines.take(value: "      size: ") {
      guard let size = lines.number(size) else { return nil }
      row.size = size
    }
    if let files = lines.take(value: "      nfiles: ") {
      guard let files = lines.number(files) else { return nil }
      row.files = files
    }
    row.isExecutable = lines.take("      isexec: true")
    return lines.begins("      ") ? nil : row
  }
}

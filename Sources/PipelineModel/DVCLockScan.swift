// A `dvc.lock` as DVC writes it, read line by line: what is unusual is left to the YAML reader.
// SPDX-License-Identifier: Apache-2.0
internal import ContentStore
internal import Diagnostics

/// Reads entries that have nothing but commands, dependencies and outputs in plain words. An entry with anything else is
/// read as YAML by itself, and a file whose shape is another is not read at all: its reader tells what is wrong with it.
/// An alias of an anchor in another entry is a mistake in an entry by itself, so such a file is read as a whole.
enum DVCLockScan {
  /// - Returns: `nil` when the file has to be read as YAML.
  static func read(_ text: String, file: String) -> DVCLock? {
    var text = text
    return text.withUTF8 { bytes in
      var lines = PlainLines(bytes)
      var lock = DVCLock()
      let isRead = lines.file(
        schema: "schema: '2.0'", entry: entry, carefully: { carefully($0, $1, file) },
        keep: { lock.append($0, $1) })
      return isRead ? lock : nil
    }
  }

  private static func carefully(_ part: String, _ name: String, _ file: String) -> DVCLockEntry? {
    let (tree, mistakes) = YAMLReader.read(part, file: file)
    guard mistakes.diagnostics.isEmpty, let pairs = tree?.pairs, pairs.count == 1, pairs[0].key.text == name else { return nil }
    var reader = DVCRowReader(file: file)
    guard let entry = reader.entry(pairs[0].value, of: name), reader.mistakes.diagnostics.isEmpty else { return nil }
    return entry
  }

  /// The lines below a name; `nil` when one of them is not of the usual kind.
  private static func entry(_ lines: inout PlainLines) -> DVCLockEntry? {
    guard let (commands, isList) = lines.commands(), let dependencies = rows("    deps:", &lines),
      let outputs = rows("    outs:", &lines), lines.isAtEntry
    else { return nil }
    return DVCLockEntry(
      written: commands, isCommandList: isList, dependencies: dependencies, parameters: [], outputs: outputs)
  }

  /// The rows below a key; none when the key is not there.
  private static func rows(_ key: StaticString, _ lines: inout PlainLines) -> [DVCLockEntry.Row]? {
    guard lines.skip(key) else { return [] }
    var rows: [DVCLockEntry.Row] = []
    while let path = lines.rest(after: "    - path: ") {
      guard let path = lines.text(path), let row = row(path, &lines) else { return nil }
      rows.append(row)
    }
    return rows.isEmpty ? nil : rows
  }

  private static func row(_ path: String, _ lines: inout PlainLines) -> DVCLockEntry.Row? {
    guard lines.skip("      hash: md5"), let digits = lines.rest(after: "      md5: "),
      let digest = lines.digest(digits, .md5)
    else { return nil }
    var row = DVCLockEntry.Row(path: path, digest: digest)
    while let field = lines.rest(after: "      ") {
      if lines.begins(field, "size: "), row.size == nil, let size = lines.number(field.dropFirst(6)) {
        row.size = size
      } else if lines.begins(field, "nfiles: "), row.files == nil, let files = lines.number(field.dropFirst(8)) {
        row.files = files
      } else if lines.has(field, "isexec: true"), !row.isExecutable {
        row.isExecutable = true
      } else {
        return nil
      }
    }
    return row
  }
}

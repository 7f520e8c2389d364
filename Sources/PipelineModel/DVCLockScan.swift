// A `dvc.lock` as DVC writes it, read line by line: what is unusual is left to the YAML reader.
// SPDX-License-Identifier: Apache-2.0
internal import ContentStore
internal import Diagnostics

/// Reads entries that have nothing but commands, dependencies and outputs in plain words. An entry with anything else is
/// read as YAML by itself, and a file whose shape is another is not read at all: its reader tells what is wrong with it.
/// An alias of an anchor in another entry is a mistake in an entry by itself, so such a file is read as a whole.
struct DVCLockScan {
  private let bytes: UnsafeBufferPointer<UInt8>
  private var position = 0

  /// - Returns: `nil` when the file has to be read as YAML.
  static func read(_ text: String, file: String) -> DVCLock? {
    var text = text
    return text.withUTF8 { bytes in
      var scan = DVCLockScan(bytes)
      return scan.lock(file)
    }
  }

  private init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  /// A line without its end.
  private struct Line {
    var start: Int
    var end: Int
  }

  private mutating func line() -> Line? {
    guard position < bytes.count, let base = bytes.baseAddress else { return nil }
    let start = position
    var end = start
    while end < bytes.count, base[end] != 10 { end += 1 }
    position = min(end + 1, bytes.count)
    return Line(start: start, end: end)
  }

  private func has(_ line: Line, _ text: StaticString) -> Bool {
    line.end - line.start == text.utf8CodeUnitCount && begins(line, text)
  }

  private func begins(_ line: Line, _ text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    guard line.end - line.start >= count else { return false }
    for index in 0..<count where bytes[line.start + index] != text.utf8Start[index] { return false }
    return true
  }

  // MARK: The file

  private mutating func lock(_ file: String) -> DVCLock? {
    guard let first = line(), has(first, "schema: '2.0'"), let second = line(), has(second, "stages:") else { return nil }
    var lock = DVCLock()
    while position < bytes.count {
      let start = position
      guard let name = entryName() else { return nil }
      guard lock[name] == nil else { return nil }
      let body = position
      if let entry = entry() {
        lock[name] = entry
        continue
      }
      position = body
      while let next = line() {
        guard begins(next, "    ") else {
          position = next.start
          break
        }
      }
      guard let entry = carefully(Line(start: start, end: position), name, file) else { return nil }
      lock[name] = entry
    }
    return lock
  }

  /// `  name:`
  private mutating func entryName() -> String? {
    guard let line = line(), begins(line, "  "), line.end - line.start > 3, bytes[line.end - 1] == UInt8(ascii: ":") else {
      return nil
    }
    return text(Line(start: line.start + 2, end: line.end - 1))
  }

  private func carefully(_ block: Line, _ name: String, _ file: String) -> DVCLockEntry? {
    let part = String(decoding: bytes[block.start..<block.end], as: UTF8.self)
    let (tree, mistakes) = YAMLReader.read(part, file: file)
    guard mistakes.diagnostics.isEmpty, let pairs = tree?.pairs, pairs.count == 1, pairs[0].key.text == name else { return nil }
    var reader = DVCRowReader(file: file)
    guard let entry = reader.entry(pairs[0].value, of: name), reader.mistakes.diagnostics.isEmpty else { return nil }
    return entry
  }

  // MARK: An entry

  /// The lines below a name; `nil` when one of them is not of the usual kind.
  private mutating func entry() -> DVCLockEntry? {
    guard let command = line(), begins(command, "    cmd:") else { return nil }
    var commands: [String] = []
    var isList = false
    if has(command, "    cmd:") {
      isList = true
      while let item = line() {
        guard begins(item, "    - ") else {
          position = item.start
          break
        }
        guard let text = text(Line(start: item.start + 6, end: item.end)) else { return nil }
        commands.append(text)
      }
      guard !commands.isEmpty else { return nil }
    } else {
      guard begins(command, "    cmd: "), let text = text(Line(start: command.start + 9, end: command.end)) else { return nil }
      commands.append(text)
    }
    guard let dependencies = rows("    deps:"), let outputs = rows("    outs:") else { return nil }
    if position < bytes.count {
      let next = Line(start: position, end: bytes.count)
      guard begins(next, "  "), !begins(next, "   ") else { return nil }
    }
    return DVCLockEntry(
      written: commands, isCommandList: isList, dependencies: dependencies, parameters: [], outputs: outputs)
  }

  /// The rows below a key; none when the key is not there.
  private mutating func rows(_ key: StaticString) -> [DVCLockEntry.Row]? {
    let start = position
    guard let head = line(), has(head, key) else {
      position = start
      return []
    }
    var rows: [DVCLockEntry.Row] = []
    while true {
      let start = position
      guard let first = line(), begins(first, "    - path: ") else {
        position = start
        return rows.isEmpty ? nil : rows
      }
      guard let path = text(Line(start: first.start + 12, end: first.end)), let row = row(path) else { return nil }
      rows.append(row)
    }
  }

  private mutating func row(_ path: String) -> DVCLockEntry.Row? {
    guard let hash = line(), has(hash, "      hash: md5"), let digits = line(), begins(digits, "      md5: "),
      let digest = Digest(.md5, hex: plain(Line(start: digits.start + 11, end: digits.end)))
    else { return nil }
    var row = DVCLockEntry.Row(path: path, digest: digest)
    while true {
      let start = position
      guard let next = line(), begins(next, "      ") else {
        position = start
        return row
      }
      if begins(next, "      size: "), row.size == nil, let size = number(Line(start: next.start + 12, end: next.end)) {
        row.size = size
      } else if begins(next, "      nfiles: "), row.files == nil, let files = number(Line(start: next.start + 14, end: next.end))
      {
        row.files = files
      } else if has(next, "      isexec: true"), !row.isExecutable {
        row.isExecutable = true
      } else {
        return nil
      }
    }
  }

  // MARK: Values

  private func plain(_ line: Line) -> String { String(decoding: bytes[line.start..<line.end], as: UTF8.self) }

  /// Decimal digits without a leading zero.
  private func number(_ line: Line) -> Int? {
    guard line.end > line.start, line.end - line.start < 18 else { return nil }
    if bytes[line.start] == UInt8(ascii: "0") { return line.end - line.start == 1 ? 0 : nil }
    var value = 0
    for index in line.start..<line.end {
      let digit = bytes[index]
      guard digit >= 48, digit < 58 else { return nil }
      value = value * 10 + Int(digit - 48)
    }
    return value
  }

  /// A plain scalar on one line that can only be text; `nil` when that is not sure.
  private func text(_ line: Line) -> String? {
    guard line.end > line.start, bytes[line.end - 1] != 32 else { return nil }
    let first = bytes[line.start]
    let isLetter = (first | 0x20 >= 97 && first | 0x20 <= 122) || first == UInt8(ascii: "_")
    guard isLetter || (first >= 48 && first < 58) || first == UInt8(ascii: ".") || first == UInt8(ascii: "/") else { return nil }
    var hasSlash = false
    var previous: UInt8 = 0
    for index in line.start..<line.end {
      let byte = bytes[index]
      guard byte >= 32, byte < 127 else { return nil }
      if byte == UInt8(ascii: "#"), previous == 32 { return nil }
      if byte == 32, previous == UInt8(ascii: ":") { return nil }
      if byte == UInt8(ascii: "/") { hasSlash = true }
      previous = byte
    }
    guard previous != UInt8(ascii: ":") else { return nil }
    // Long words are neither true nor null in any of YAML's ways.
    guard hasSlash || (isLetter && line.end - line.start > 5) || isSurelyText(line, isLetter) else { return nil }
    return plain(line)
  }

  private func isSurelyText(_ line: Line, _ isLetter: Bool) -> Bool {
    guard isLetter else { return false }
    let word = plain(line).lowercased()
    return !["true", "false", "yes", "no", "on", "off", "y", "n", "null"].contains(word)
  }
}
